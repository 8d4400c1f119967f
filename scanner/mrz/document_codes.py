"""Document codes: what each may be, and what kind of document it names.

Passports: `P` alone, or with a second letter out of a fixed list from 2026; before, the second
letter was the issuer's own, and passports run at most ten years. Official documents of the sizes
TD1 and TD2: A, C or I, then anything but V; AI is not used and AC is the crew member certificate
(Doc 9303-5 §4.2.2 note k). Visas: V, then anything (Doc 9303-7).
"""

from scanner.mrz.document import Format, Kind
from scanner.mrz.reading import UNKNOWN

PASSPORT_CODES = frozenset({"P", "PP", "PE", "PD", "PO", "PR", "PT", "PS", "PL", "PM", "PU"})

LAST_LEGACY_EXPIRY = "2035"
"""The last year in which a passport issued before 2026 can expire."""

_RESIDENCE_CODES = frozenset({"IR", "AR", "CR"})
_VISAS = (Format.MRV_A, Format.MRV_B)


def kind_of(code: str, format_: Format) -> Kind:
    """What sort of document a code names; the format speaks for an unknown first letter."""
    first = code[:1]
    if first == UNKNOWN:
        first = "P" if format_ is Format.TD3 else "V" if format_ in _VISAS else "I"
    if first == "P":
        return Kind.PASSPORT
    if first == "V":
        return Kind.VISA
    if code == "AC":
        return Kind.CREW
    if code in _RESIDENCE_CODES:
        return Kind.RESIDENCE
    return Kind.IDENTITY if first in ("A", "C", "I") else Kind.OTHER


def is_known(code: str, format_: Format) -> bool:
    """Whether Doc 9303 allows the code in this format today."""
    if format_ is Format.TD3:
        return code in PASSPORT_CODES
    if format_ in _VISAS:
        return code[:1] == "V"
    return code[:1] in ("A", "C", "I") and code[1:] != "V" and code != "AI"


def is_legacy_passport(code: str, format_: Format, expiry_date: str | None) -> bool:
    """Whether it is an issuer's own passport code on a document that can be from before 2026."""
    return (
        format_ is Format.TD3
        and len(code) == 2
        and code[0] == "P"
        and code[1].isalpha()
        and (expiry_date is None or expiry_date[:4] <= LAST_LEGACY_EXPIRY)
    )
