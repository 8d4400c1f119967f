"""Issuing States, organisations and nationalities: their codes and names (Doc 9303-3 §5).

ISO 3166-1 alpha-3 with what the Doc adds to it. A code that is not here is a finding, since no
check digit covers the letters of an issuer or a nationality.
"""

from collections.abc import Mapping
from types import MappingProxyType

from scanner.mrz.check_digits import FILLER

_ISO_3166 = """
ABW Aruba|AFG Afghanistan|AGO Angola|AIA Anguilla|ALA Åland Islands|ALB Albania|AND Andorra
ARE United Arab Emirates|ARG Argentina|ARM Armenia|ASM American Samoa|ATA Antarctica
ATF French Southern Territories|ATG Antigua and Barbuda|AUS Australia|AUT Austria|AZE Azerbaijan
BDI Burundi|BEL Belgium|BEN Benin|BES Bonaire, Sint Eustatius and Saba|BFA Burkina Faso
BGD Bangladesh|BGR Bulgaria|BHR Bahrain|BHS Bahamas|BIH Bosnia and Herzegovina
BLM Saint Barthélemy|BLR Belarus|BLZ Belize|BMU Bermuda|BOL Bolivia|BRA Brazil|BRB Barbados
BRN Brunei Darussalam|BTN Bhutan|BVT Bouvet Island|BWA Botswana|CAF Central African Republic
CAN Canada|CCK Cocos (Keeling) Islands|CHE Switzerland|CHL Chile|CHN China|CIV Côte d'Ivoire
CMR Cameroon|COD Democratic Republic of the Congo|COG Congo|COK Cook Islands|COL Colombia
COM Comoros|CPV Cabo Verde|CRI Costa Rica|CUB Cuba|CUW Curaçao|CXR Christmas Island
CYM Cayman Islands|CYP Cyprus|CZE Czechia|DEU Germany|DJI Djibouti|DMA Dominica|DNK Denmark
DOM Dominican Republic|DZA Algeria|ECU Ecuador|EGY Egypt|ERI Eritrea|ESH Western Sahara|ESP Spain
EST Estonia|ETH Ethiopia|FIN Finland|FJI Fiji|FLK Falkland Islands (Malvinas)|FRA France
FRO Faroe Islands|FSM Micronesia|GAB Gabon|GBR United Kingdom|GEO Georgia|GGY Guernsey|GHA Ghana
GIB Gibraltar|GIN Guinea|GLP Guadeloupe|GMB Gambia|GNB Guinea-Bissau|GNQ Equatorial Guinea
GRC Greece|GRD Grenada|GRL Greenland|GTM Guatemala|GUF French Guiana|GUM Guam|GUY Guyana
HKG Hong Kong|HMD Heard Island and McDonald Islands|HND Honduras|HRV Croatia|HTI Haiti
HUN Hungary|IDN Indonesia|IMN Isle of Man|IND India|IOT British Indian Ocean Territory|IRL Ireland
IRN Iran|IRQ Iraq|ISL Iceland|ISR Israel|ITA Italy|JAM Jamaica|JEY Jersey|JOR Jordan|JPN Japan
KAZ Kazakhstan|KEN Kenya|KGZ Kyrgyzstan|KHM Cambodia|KIR Kiribati|KNA Saint Kitts and Nevis
KOR Republic of Korea|KWT Kuwait|LAO Lao People's Democratic Republic|LBN Lebanon|LBR Liberia
LBY Libya|LCA Saint Lucia|LIE Liechtenstein|LKA Sri Lanka|LSO Lesotho|LTU Lithuania|LUX Luxembourg
LVA Latvia|MAC Macao|MAF Saint Martin (French part)|MAR Morocco|MCO Monaco|MDA Moldova
MDG Madagascar|MDV Maldives|MEX Mexico|MHL Marshall Islands|MKD North Macedonia|MLI Mali|MLT Malta
MMR Myanmar|MNE Montenegro|MNG Mongolia|MNP Northern Mariana Islands|MOZ Mozambique|MRT Mauritania
MSR Montserrat|MTQ Martinique|MUS Mauritius|MWI Malawi|MYS Malaysia|MYT Mayotte|NAM Namibia
NCL New Caledonia|NER Niger|NFK Norfolk Island|NGA Nigeria|NIC Nicaragua|NIU Niue|NLD Netherlands
NOR Norway|NPL Nepal|NRU Nauru|NZL New Zealand|OMN Oman|PAK Pakistan|PAN Panama|PCN Pitcairn
PER Peru|PHL Philippines|PLW Palau|PNG Papua New Guinea|POL Poland|PRI Puerto Rico
PRK Democratic People's Republic of Korea|PRT Portugal|PRY Paraguay|PSE Palestine
PYF French Polynesia|QAT Qatar|REU Réunion|ROU Romania|RUS Russian Federation|RWA Rwanda
SAU Saudi Arabia|SDN Sudan|SEN Senegal|SGP Singapore|SGS South Georgia and South Sandwich Islands
SHN Saint Helena, Ascension and Tristan da Cunha|SJM Svalbard and Jan Mayen|SLB Solomon Islands
SLE Sierra Leone|SLV El Salvador|SMR San Marino|SOM Somalia|SPM Saint Pierre and Miquelon
SRB Serbia|SSD South Sudan|STP Sao Tome and Principe|SUR Suriname|SVK Slovakia|SVN Slovenia
SWE Sweden|SWZ Eswatini|SXM Sint Maarten (Dutch part)|SYC Seychelles|SYR Syrian Arab Republic
TCA Turks and Caicos Islands|TCD Chad|TGO Togo|THA Thailand|TJK Tajikistan|TKL Tokelau
TKM Turkmenistan|TLS Timor-Leste|TON Tonga|TTO Trinidad and Tobago|TUN Tunisia|TUR Türkiye
TUV Tuvalu|TWN Taiwan|TZA United Republic of Tanzania|UGA Uganda|UKR Ukraine
UMI United States Minor Outlying Islands|URY Uruguay|USA United States|UZB Uzbekistan
VAT Holy See|VCT Saint Vincent and the Grenadines|VEN Venezuela|VGB British Virgin Islands
VIR United States Virgin Islands|VNM Viet Nam|VUT Vanuatu|WLF Wallis and Futuna|WSM Samoa
YEM Yemen|ZAF South Africa|ZMB Zambia|ZWE Zimbabwe
"""

_BEYOND_ISO_3166 = """
D Germany|EUE European Union|RKS Kosovo|XKX Kosovo|UTO Utopia (specimens)
GBD British Overseas Territories citizen|GBN British National (Overseas)
GBO British Overseas citizen|GBP British protected person|GBS British subject
UNO United Nations|UNA United Nations specialised agency|UNK Resident of Kosovo (UNMIK)
XBA African Development Bank|XIM African Export-Import Bank|XCC Caribbean Community
XCE Council of Europe|XCO Common Market for Eastern and Southern Africa
XEC Economic Community of West African States|XPO INTERPOL
XES Organization of Eastern Caribbean States|XMP Parliamentary Assembly of the Mediterranean
XOM Sovereign Military Order of Malta|XDC Southern African Development Community
XXA Stateless person|XXB Refugee (1951 Convention)|XXC Refugee (other)
XXX Unspecified nationality|ANT Netherlands Antilles (until 2010)|NTZ Neutral Zone (until 1993)
"""
"""Doc 9303-3 §5, parts A to G, and XKX, which is in use for Kosovo beside RKS."""


def _table(text: str) -> dict[str, str]:
    entries = (entry for line in text.split("\n") for entry in line.split("|") if entry)
    return {code: name for code, _, name in (entry.partition(" ") for entry in entries)}


_OF_ISO_3166 = _table(_ISO_3166)
CODES: Mapping[str, str] = MappingProxyType(_OF_ISO_3166 | _table(_BEYOND_ISO_3166))
"""Every known code, without fillers, and its name."""

_SAME = (
    frozenset({"D", "DEU"}),
    frozenset({"GBD", "GBN", "GBO", "GBP", "GBS", "GBR"}),
    frozenset({"RKS", "UNK", "XKX"}),
)


def name_of(code: str) -> str | None:
    """The name behind a code without fillers, or None where no State or organisation has it."""
    return CODES.get(code)


def counted_as(code: str) -> str | None:
    """The one code under which the documents of a State are counted, or None for an unknown one."""
    if code not in CODES:
        return None
    every = sorted(aliases(code))
    return next((one for one in every if one in _OF_ISO_3166), every[0])


def letters_apart(one: str, other: str) -> int:
    """In how many of the three positions of their field two codes differ."""
    return sum(a != b for a, b in zip(padded(one), padded(other), strict=True))


def padded(code: str) -> str:
    """A code as its field prints it, with its fillers."""
    return f"{code:{FILLER}<3}"


def aliases(code: str) -> frozenset[str]:
    """Every code under which a list may hold an issuer's documents, the code itself included."""
    return next((group for group in _SAME if code in group), frozenset({code}))
