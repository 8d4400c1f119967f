"""The stable codes by which parsing says why there is no document, and what deserves a look.

Other programs and the documentation rely on them: a code is never renamed and never changes its
meaning.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ReasonCode(StrEnum):
    """Why lines are no document."""

    EMPTY = "empty"
    CHARACTERS = "characters"
    SINGLE_LINE = "single_line"
    LINE_COUNT = "line_count"
    MIXED_LENGTHS = "mixed_lengths"
    LINE_LENGTH = "line_length"


class FindingCode(StrEnum):
    """What an officer should know about what is printed."""

    UNKNOWN_CHARACTER = "unknown_character"
    CHECK_DIGIT = "check_digit"
    UNKNOWN_CODE = "unknown_code"
    LEGACY_CODE = "legacy_code"
    UNKNOWN_ISSUER = "unknown_issuer"
    UNKNOWN_NATIONALITY = "unknown_nationality"
    NO_NATIONALITY = "no_nationality"
    ISSUER_NATIONALITY = "issuer_nationality"
    NO_NUMBER = "no_number"
    DATE = "date"
    DATE_CHARACTERS = "date_characters"
    PARTIAL_DATE = "partial_date"
    NO_EXPIRY = "no_expiry"
    EXPIRED = "expired"
    SEX = "sex"
    NO_NAME = "no_name"
    NAME_CHARACTERS = "name_characters"
    NAME_TRUNCATED = "name_truncated"


REASON_CODES: Mapping[str, str] = MappingProxyType(
    {
        ReasonCode.EMPTY: "There is no text at all.",
        ReasonCode.CHARACTERS: "A character stands there that no MRZ has "
        "(only A to Z, 0 to 9 and <; ? for one that could not be read).",
        ReasonCode.SINGLE_LINE: "There is one line only: a driving licence's, "
        "or the rest of the document is missing.",
        ReasonCode.LINE_COUNT: "There are more or fewer lines than their width calls for "
        "(two of 36 or 44 characters, three of 30).",
        ReasonCode.MIXED_LENGTHS: "The lines are not equally long.",
        ReasonCode.LINE_LENGTH: "The lines are equally long, but not 30, 36 or 44 characters.",
    }
)
"""What each reason means, in one line."""

FINDING_CODES: Mapping[str, str] = MappingProxyType(
    {
        FindingCode.UNKNOWN_CHARACTER: "A character could not be read.",
        FindingCode.CHECK_DIGIT: "A check digit is wrong as printed.",
        FindingCode.UNKNOWN_CODE: "The document code is none that Doc 9303 allows in this format.",
        FindingCode.LEGACY_CODE: "The passport's second letter is its issuer's own, "
        "as was allowed before 2026 (note).",
        FindingCode.UNKNOWN_ISSUER: "No State or organisation has this code.",
        FindingCode.UNKNOWN_NATIONALITY: "No nationality has this code.",
        FindingCode.NO_NATIONALITY: "The nationality is left out, "
        "as travel documents of refugees may do (note).",
        FindingCode.ISSUER_NATIONALITY: "Issuer and nationality differ in one letter, "
        "which no check digit covers: perhaps altered, perhaps misread.",
        FindingCode.NO_NUMBER: "The document number is empty.",
        FindingCode.DATE: "The date does not exist.",
        FindingCode.DATE_CHARACTERS: "There are letters in a date.",
        FindingCode.PARTIAL_DATE: "Parts of the date are left out "
        "(a note for a date of birth, which may be unknown).",
        FindingCode.NO_EXPIRY: "The date of expiry is left out "
        "(a note for Russian internal documents, which do so).",
        FindingCode.EXPIRED: "The document has expired (note).",
        FindingCode.SEX: "The sex is none of F, M, X and <.",
        FindingCode.NO_NAME: "There is no name.",
        FindingCode.NAME_CHARACTERS: "There are digits in a name.",
        FindingCode.NAME_TRUNCATED: "The name fills its field: assume that it was cut (note).",
    }
)
"""What each finding means, in one line. A note is told beside the verdict and changes nothing."""
