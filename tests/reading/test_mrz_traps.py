"""What MRZ software gets wrong: one test for each trap, named for it."""

from datetime import date

import pytest

from scanner.mrz.check_digits import check_digit
from scanner.mrz.codes import FindingCode
from scanner.mrz.confusables import check_preserving_look_alikes
from scanner.mrz.document import Document, Finding, Format, Kind, NumberRule, Parsed
from scanner.mrz.identities import identities
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.write import compose, write

TODAY = date(2026, 11, 23)
PERSON = {"birth_date": "1974-08-12", "sex": "F", "expiry_date": "2031-04-15"}


def read(*lines: str, today: date = TODAY) -> Parsed:
    return parse(lines, today)


def document(*lines: str, today: date = TODAY) -> Document:
    parsed = read(*lines, today=today)
    assert parsed.document is not None, parsed.reason
    return parsed.document


def td3(name: str = "P<UTOERIKSSON<<ANNA<MARIA", lower: str = "") -> tuple[str, str]:
    whole = lower or "L898902C36UTO7408122F3104150ZE184226B<<<<<1"
    return f"{name:<<44}", whole if len(whole) == 44 else with_composite(whole)


def with_composite(lower: str) -> str:
    return lower + check_digit(lower[0:10] + lower[13:20] + lower[21:43])


def finding(parsed: Parsed, code: FindingCode) -> Finding | None:
    return next((found for found in parsed.findings if found.code == code), None)


def lines_of(format_: Format, **fields: object) -> tuple[str, ...]:
    person = {"number": "L898902C3", "surname": "Eriksson", "given_names": "Anna Maria", **PERSON}
    return write(compose(format_, **(person | fields)))  # type: ignore[arg-type]


# Layouts


@pytest.mark.parametrize(
    ("format_", "fields"),
    [
        (Format.TD1, {}),
        (Format.TD2, {}),
        (Format.TD3, {}),
        (Format.MRV_A, {}),
        (Format.MRV_B, {}),
        (Format.FRA_ID, {"number": "880692310285", "expiry_date": None}),
    ],
)
def test_every_layout_is_recognised(format_: Format, fields: dict[str, object]) -> None:
    assert document(*lines_of(format_, **fields)).format is format_


def test_the_old_french_identity_card_has_its_own_field_order() -> None:
    card = read("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512068F6")
    assert is_sound(card)
    holder = card.document
    assert holder is not None
    assert (holder.format, holder.kind, holder.number) == (
        Format.FRA_ID,
        Kind.IDENTITY,
        "880692310285",
    )
    assert (holder.surname, holder.given_names, holder.sex) == ("BERTHIER", "CORINNE", "F")
    assert (holder.birth_date, holder.expiry_date) == ("1965-12-06", None)
    assert (holder.issuer, holder.nationality, holder.optional) == ("FRA", "FRA", None)
    assert (holder.checks.expiry_date, holder.checks.optional) == (None, None)


def test_the_old_french_card_parts_given_names_by_two_fillers() -> None:
    lines = lines_of(
        Format.FRA_ID, number="880692310285", given_names="Marie Anne", expiry_date=None
    )
    assert lines[1][13:27] == "MARIE<<ANNE<<<"
    assert document(*lines).given_names == "MARIE ANNE"


def test_a_real_td2_of_france_is_told_from_the_old_card_by_its_check_digits() -> None:
    lines = lines_of(Format.TD2, code="ID", issuer="FRA", nationality="FRA")
    parsed = read(*lines)
    assert is_sound(parsed)
    assert parsed.document is not None
    assert parsed.document.format is Format.TD2


def test_a_french_card_with_a_wrong_check_digit_is_still_the_old_card() -> None:
    parsed = read("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "8806923102858CORINNE<<<<<<<6512067F6")
    assert parsed.format is Format.FRA_ID
    wrong = finding(parsed, FindingCode.CHECK_DIGIT)
    assert wrong is not None
    assert wrong.field == "birth_date"


def test_where_no_check_digit_speaks_for_either_it_is_the_old_card() -> None:
    assert read("IDFRABERTHIER<<<<<<<<<<<<<<<<<<<<<<<", "?" * 36).format is Format.FRA_ID


def test_a_single_line_driving_licence_is_named_as_such() -> None:
    parsed = read("D1FRA13AA000026181231MARTIN<<9")
    assert parsed.document is None
    assert parsed.reason is not None
    assert parsed.reason.code == "single_line"


# Document codes


@pytest.mark.parametrize("letter", ["<", *"PEDORTSLMU"])
def test_the_passport_codes_of_2026_and_a_bare_p_are_accepted(letter: str) -> None:
    parsed = read(*td3(f"P{letter}UTOERIKSSON<<ANNA<MARIA"))
    assert parsed.findings == ()
    assert is_sound(parsed)


def test_a_second_letter_of_the_issuers_own_is_a_note_while_it_can_be_from_before_2026() -> None:
    lower = "A3536444<7ISL1212123<3103108121212<1239<<<68"
    parsed = read(*td3("PAISLAEVARSDOTTIR<<THURIDUR<OESP", lower))
    legacy = finding(parsed, FindingCode.LEGACY_CODE)
    assert legacy is not None
    assert legacy.note
    assert is_sound(parsed)


@pytest.mark.parametrize(("expiry", "code"), [("2035-12-31", "legacy"), ("2036-01-01", "unknown")])
def test_a_second_letter_of_the_issuers_own_is_unknown_on_a_passport_issued_since(
    expiry: str, code: str
) -> None:
    lines = lines_of(Format.TD3, code="PA", expiry_date=expiry)
    parsed = read(*lines)
    assert [found.code for found in parsed.findings] == [f"{code}_code"]
    assert is_sound(parsed) is (code == "legacy")


@pytest.mark.parametrize("code", ["I", "A", "C", "ID", "IR", "A3", "C1", "IT", "AC", "IP", "CR"])
def test_official_documents_begin_with_a_c_or_i(code: str) -> None:
    for format_ in (Format.TD1, Format.TD2):
        assert finding(read(*lines_of(format_, code=code)), FindingCode.UNKNOWN_CODE) is None


@pytest.mark.parametrize("code", ["IV", "AV", "CV", "AI", "B", "P", "1D"])
def test_official_documents_never_have_v_second_nor_another_first_letter(code: str) -> None:
    parsed = read(*lines_of(Format.TD1, code=code))
    assert finding(parsed, FindingCode.UNKNOWN_CODE) is not None
    assert not is_sound(parsed)


@pytest.mark.parametrize(
    ("format_", "code", "kind"),
    [
        (Format.TD3, "P", Kind.PASSPORT),
        (Format.TD3, "PD", Kind.PASSPORT),
        (Format.MRV_A, "V", Kind.VISA),
        (Format.MRV_B, "VC", Kind.VISA),
        (Format.TD1, "AC", Kind.CREW),
        (Format.TD1, "IR", Kind.RESIDENCE),
        (Format.TD2, "AR", Kind.RESIDENCE),
        (Format.TD1, "CR", Kind.RESIDENCE),
        (Format.TD1, "I", Kind.IDENTITY),
        (Format.TD2, "A", Kind.IDENTITY),
        (Format.TD1, "C1", Kind.IDENTITY),
        (Format.TD3, "X", Kind.OTHER),
    ],
)
def test_the_code_says_what_kind_of_document_it_is(format_: Format, code: str, kind: Kind) -> None:
    assert document(*lines_of(format_, code=code)).kind is kind


# Long numbers

LOWER_BELGIAN = "9401013F2710017BEL<<<<<<<<<<<"


def belgian(upper: str) -> Parsed:
    upper = f"{upper:<<30}"
    covered = upper[5:] + LOWER_BELGIAN[0:7] + LOWER_BELGIAN[8:15] + LOWER_BELGIAN[18:29]
    return read(upper, LOWER_BELGIAN + check_digit(covered), f"{'SPECIMEN<<SPECIMEN':<<30}")


@pytest.mark.parametrize(
    ("upper", "number", "rule"),
    [
        ("IDBEL000590240<6013", "000590240601", NumberRule.LONG_WITH_FILLER),
        ("IDBEL600001795<0152", "600001795015", NumberRule.LONG_WITHOUT_FILLER),
        ("IDBEL600001476<9355", "600001476935", NumberRule.LONG_WITHOUT_FILLER),
    ],
)
def test_a_long_number_holds_with_or_without_the_filler_and_says_which(
    upper: str, number: str, rule: NumberRule
) -> None:
    card = belgian(upper)
    assert card.document is not None
    assert (card.document.number, card.document.number_rule) == (number, rule)
    assert card.document.checks.number is True
    assert card.document.optional is None
    assert is_sound(card)


def test_a_long_number_with_a_wrong_check_digit_is_whole_and_a_finding() -> None:
    card = belgian("IDBEL600001795<0153")
    assert card.document is not None
    assert card.document.number == "600001795015"
    assert card.document.checks.number is False
    assert finding(card, FindingCode.CHECK_DIGIT) is not None


def test_optional_data_behind_a_long_number_stays_optional_data() -> None:
    lines = lines_of(Format.TD1, number="D23145890734", optional="XY12")
    assert lines[0] == "I<UTOD23145890<7349<XY12<<<<<<"
    assert document(*lines).number == "D23145890734"
    assert document(*lines).optional == "XY12"


def test_a_long_number_fits_a_td2_as_well() -> None:
    lines = lines_of(Format.TD2, number="D2314589073")
    assert document(*lines).number == "D2314589073"
    assert is_sound(read(*lines))


def test_a_filler_for_a_check_digit_without_a_continuation_is_a_wrong_check_digit() -> None:
    lines = lines_of(Format.TD1, number="D23145890")
    parsed = read(lines[0][:14] + "<" + lines[0][15:], *lines[1:])
    assert parsed.document is not None
    assert parsed.document.number == "D23145890"
    assert parsed.document.number_rule is NumberRule.STANDARD
    assert parsed.document.checks.number is False
    assert not is_sound(parsed)


def test_a_passport_has_no_long_numbers() -> None:
    upper, lower = td3(lower="D23145890<UTO7408122F3104150734<<<<<<<<<<<<")
    parsed = read(upper, lower)
    assert parsed.document is not None
    assert (parsed.document.number, parsed.document.checks.number) == ("D23145890", False)
    with pytest.raises(ValueError, match="number"):
        lines_of(Format.TD3, number="D23145890734")


def test_a_long_number_is_asked_whole_and_cut_at_nine() -> None:
    holder = document(*lines_of(Format.TD1, number="D23145890734"))
    assert [(key.number, key.asked_as) for key in identities(holder)] == [
        ("D23145890734", "number"),
        ("D23145890", "cut_at_nine"),
    ]


def test_a_filler_within_a_number_is_no_part_of_what_a_list_holds() -> None:
    holder = document(*lines_of(Format.TD3, number="AB<1234"))
    assert holder.number == "AB<1234"
    assert [key.number for key in identities(holder)] == ["AB1234"]


# Visas


def test_a_visa_is_asked_as_its_own_and_as_the_holders_passport() -> None:
    visa = document(*lines_of(Format.MRV_A, issuer="D", nationality="UTO"))
    assert [(key.issuer, key.number, key.kind, key.asked_as) for key in identities(visa)] == [
        ("D", "L898902C3", Kind.VISA, "number"),
        ("UTO", "L898902C3", Kind.PASSPORT, "passport_of_visa"),
    ]


def test_visas_have_no_composite_check_digit() -> None:
    for format_ in (Format.MRV_A, Format.MRV_B):
        parsed = read(*lines_of(format_, optional="4X2"))
        assert parsed.document is not None
        assert parsed.document.checks.composite is None
        assert parsed.document.optional == "4X2"
        assert is_sound(parsed)


# Position 43, sex, unknown birth dates, Russian internal documents


@pytest.mark.parametrize(("digit", "verdict"), [("0", True), ("<", None), ("5", False)])
def test_position_43_may_be_zero_or_filler_over_empty_optional_data(
    digit: str, verdict: bool | None
) -> None:
    parsed = read(*td3(lower=f"L898902C36UTO7408122F3104150<<<<<<<<<<<<<<{digit}"))
    assert parsed.document is not None
    assert parsed.document.checks.optional is verdict
    assert parsed.document.checks.composite is True
    assert is_sound(parsed) is (verdict is not False)


@pytest.mark.parametrize(
    ("printed", "sex", "sound"),
    [("M", "M", True), ("F", "F", True), ("<", None, True), ("X", "X", True), ("H", None, False)],
)
def test_sex_is_m_f_x_or_filler(printed: str, sex: str | None, sound: bool) -> None:
    parsed = read(*td3(lower=f"L898902C36UTO7408122{printed}3104150ZE184226B<<<<<1"))
    assert parsed.document is not None
    assert parsed.document.sex == sex
    assert (finding(parsed, FindingCode.SEX) is None) is sound


@pytest.mark.parametrize(
    ("printed", "iso"), [("7408<<", "1974-08"), ("74<<<<", "1974"), ("<<<<<<", None)]
)
def test_unknown_parts_of_a_birth_date_are_left_out_and_noted(
    printed: str, iso: str | None
) -> None:
    lines = lines_of(Format.TD3, birth_date=iso)
    assert lines[1][13:19] == printed
    parsed = read(*lines)
    assert parsed.document is not None
    assert parsed.document.birth_date == iso
    partial = finding(parsed, FindingCode.PARTIAL_DATE)
    assert partial is not None
    assert partial.note
    assert is_sound(parsed)


def test_a_russian_internal_document_has_no_expiry_and_digits_for_cyrillic_letters() -> None:
    upper = f"{'PNRUSKUZNECOV<<ALEKSE1<ANDREEVI3':<<44}"
    lower = with_composite("2201234562RUS7408122M<<<<<<<4100101780046<18"[:43])
    lower = lower[:9] + check_digit(lower[:9]) + lower[10:42] + check_digit(lower[28:42])
    parsed = read(upper, with_composite(lower))
    assert parsed.document is not None
    assert parsed.document.given_names == "ALEKSE1 ANDREEVI3"
    assert (parsed.document.expiry_date, parsed.document.checks.expiry_date) == (None, None)
    no_expiry = finding(parsed, FindingCode.NO_EXPIRY)
    assert no_expiry is not None
    assert no_expiry.note
    assert is_sound(parsed)


def test_a_missing_expiry_and_digits_in_names_are_no_notes_elsewhere() -> None:
    parsed = read(*lines_of(Format.TD3, expiry_date=None))
    no_expiry = finding(parsed, FindingCode.NO_EXPIRY)
    assert no_expiry is not None
    assert not no_expiry.note
    digits = finding(read(*td3("P<UTOER1KSSON<<ANNA")), FindingCode.NAME_CHARACTERS)
    assert digits is not None
    assert not digits.note


# Names


def test_a_letter_in_the_last_name_position_means_assume_truncated_even_where_it_is_not() -> None:
    parsed = read(*td3("P<UTOPAPANDROPOULOUS<<JONATHON<WARREN<TREVOR"))
    assert parsed.document is not None
    assert parsed.document.name_truncated
    note = finding(parsed, FindingCode.NAME_TRUNCATED)
    assert note is not None
    assert note.note
    assert is_sound(parsed)


def test_apostrophes_vanish_and_hyphens_become_fillers() -> None:
    lines = lines_of(Format.TD3, surname="O'Connor-Smith", given_names="Jean-Luc d’Arc")
    assert lines[0] == f"{'P<UTOOCONNOR<SMITH<<JEAN<LUC<DARC':<<44}"


def test_an_empty_surname_occurs() -> None:
    parsed = read(*td3("P<IND<<AHMADI"))
    assert parsed.document is not None
    assert (parsed.document.surname, parsed.document.given_names) == ("", "AHMADI")
    assert finding(parsed, FindingCode.NO_NAME) is None


def test_a_single_name_occurs() -> None:
    holder = document(*td3("P<PAKZAHRA"))
    assert (holder.surname, holder.given_names) == ("ZAHRA", "")


def test_no_name_at_all_is_a_finding() -> None:
    assert finding(read(*td3("P<UTO")), FindingCode.NO_NAME) is not None


# States


BEYOND_ISO_3166 = (
    "D EUE RKS UTO GBD GBN GBO GBP GBS UNO UNA UNK XBA XIM XCC XCE XCO XEC XPO XES XMP XOM XDC "
    "XXA XXB XXC XXX ANT NTZ"
)


@pytest.mark.parametrize("code", BEYOND_ISO_3166.split())
def test_states_and_organisations_beyond_iso_3166_are_known(code: str) -> None:
    parsed = read(*lines_of(Format.MRV_A, issuer=code, nationality=code))
    assert parsed.findings == ()
    assert parsed.document is not None
    assert parsed.document.issuer == code


def test_one_misread_letter_of_the_issuer_is_never_sound() -> None:
    parsed = read(*td3("P<UT0ERIKSSON<<ANNA"))
    assert finding(parsed, FindingCode.UNKNOWN_ISSUER) is not None
    altered = read(*lines_of(Format.TD3, issuer="AUT", nationality="AUS"))
    assert finding(altered, FindingCode.ISSUER_NATIONALITY) is not None
    assert not is_sound(parsed)
    assert not is_sound(altered)


def test_issuers_with_two_codes_and_foreigners_permits_are_no_altered_letters() -> None:
    british = read(*lines_of(Format.TD3, issuer="GBR", nationality="GBD"))
    permit = read(*lines_of(Format.TD1, code="IR", issuer="AUT", nationality="AUS"))
    for parsed in (british, permit):
        assert finding(parsed, FindingCode.ISSUER_NATIONALITY) is None


def test_a_refugees_passport_may_leave_the_nationality_out() -> None:
    parsed = read(*td3(lower="L898902C36<<<7408122F3104150ZE184226B<<<<<1"))
    left_out = finding(parsed, FindingCode.NO_NATIONALITY)
    assert left_out is not None
    assert left_out.note


# Transliteration


def test_the_reader_never_guesses_what_a_transliteration_stood_for() -> None:
    holder = document(*td3("P<D<<MUELLER<<JUERGEN<AASE"))
    assert (holder.surname, holder.given_names) == ("MUELLER", "JUERGEN AASE")


# Century


def test_a_birth_is_never_in_the_future() -> None:
    lines = lines_of(Format.TD3, birth_date="2026-11-23")
    assert document(*lines, today=date(2026, 11, 23)).birth_date == "2026-11-23"
    assert document(*lines, today=date(2026, 11, 22)).birth_date == "1926-11-23"


@pytest.mark.parametrize(
    ("today", "expiry"),
    [
        (date(2026, 1, 1), "2031-04-15"),
        (date(1985, 1, 1), "2031-04-15"),
        (date(1980, 1, 1), "1931-04-15"),
        (date(2082, 1, 1), "2131-04-15"),
    ],
)
def test_an_expiry_is_the_nearest_to_today(today: date, expiry: str) -> None:
    assert document(*lines_of(Format.TD3), today=today).expiry_date == expiry


# Check digits


def test_numbers_whose_check_digits_hold_can_still_be_misread() -> None:
    misread = lines_of(Format.TD3, number="012305678")
    assert is_sound(read(*misread))
    printed = "O123O5678"  # 24 at weight 7 and 24 at weight 3: 240, which is 0 modulo 10
    assert printed in check_preserving_look_alikes(misread, Format.TD3)
    assert misread[1][9] == lines_of(Format.TD3, number=printed)[1][9]


def test_check_digits_are_verified_but_nothing_is_repaired() -> None:
    upper, lower = td3(lower="L898902C06UTO7408122F3104150ZE184226B<<<<<1")
    parsed = read(upper, lower)
    assert parsed.lines == (upper, lower)
    assert parsed.document is not None
    assert parsed.document.number == "L898902C0"
    assert not is_sound(parsed)


def test_number_padding_is_no_part_of_the_number() -> None:
    assert document(*lines_of(Format.TD3, number="AB12")).number == "AB12"
