"""What a machine readable zone says: the values that parsing gives and everything else reads.

Plain frozen values, without behaviour: `parse` makes them, `write` prints them back, the lists are
asked with them and the verdict is judged on them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from scanner.said import Said, said


class Format(StrEnum):
    """The layouts that are read (Doc 9303 parts 4 to 7, and the French identity card of 1988)."""

    TD1 = "TD1"
    TD2 = "TD2"
    TD3 = "TD3"
    MRV_A = "MRV-A"
    MRV_B = "MRV-B"
    FRA_ID = "FRA-ID"


class Kind(StrEnum):
    """What sort of document it is, in the words of a list's source file."""

    PASSPORT = "passport"
    IDENTITY = "identity"
    VISA = "visa"
    RESIDENCE = "residence"
    CREW = "crew"
    OTHER = "other"


KINDS: Mapping[Kind, Said] = MappingProxyType(
    {
        Kind.PASSPORT: said("passport"),
        Kind.IDENTITY: said("identity"),
        Kind.VISA: said("visa"),
        Kind.RESIDENCE: said("residence"),
        Kind.CREW: said("crew"),
        Kind.OTHER: said("other"),
    }
)
"""The same for a sentence to an officer."""


class NumberRule(StrEnum):
    """How the document number was printed (Doc 9303-5 §4.2.4)."""

    STANDARD = "standard"
    """In its own field, at most nine characters (twelve on the French card)."""
    LONG_WITHOUT_FILLER = "long_without_filler"
    """Continued in the optional data; the check digit leaves the filler out, as Doc 9303 says."""
    LONG_WITH_FILLER = "long_with_filler"
    """Continued in the optional data; the check digit counts the filler, as some cards do."""


@dataclass(frozen=True)
class Checks:
    """Each check digit: true, false, or None where the format has none, where it is legitimately
    empty, or where a character that it covers is unknown (`?`)."""

    number: bool | None = None
    birth_date: bool | None = None
    expiry_date: bool | None = None
    optional: bool | None = None
    composite: bool | None = None


@dataclass(frozen=True)
class Document:
    """One travel document's machine readable zone, spelled out.

    Dates are ISO and partial where the document is (`1974-08`, `1974`, None). `sex` is `F`, `M`,
    `X` or None for a filler. `optional` and `optional_2` are None where the format lacks the field
    or it is empty; fillers within stay. A single name stands in `surname`; `given_names` is then
    empty. `surname` is empty where the document prints none.
    """

    format: Format
    code: str
    """The document code without fillers: `P`, `PP`, `ID`, `V` …"""
    issuer: str
    """The issuing State or organisation without fillers: `D`, `UTO` …"""
    number: str
    """The whole document number, long numbers joined, without padding."""
    number_rule: NumberRule
    surname: str
    given_names: str
    name_truncated: bool
    """A letter stands in the last position for names: assume that the name was cut."""
    nationality: str
    birth_date: str | None
    sex: str | None
    expiry_date: str | None
    optional: str | None
    optional_2: str | None
    checks: Checks
    kind: Kind


@dataclass(frozen=True)
class Finding:
    """Something about what is printed that an officer should know.

    With `note` it is told beside the verdict and changes nothing in it (an expired document, a
    name perhaps cut); without, the document deserves a closer look.
    """

    code: str
    field: str
    message: str
    note: bool = False


@dataclass(frozen=True)
class Reason:
    """Why there is no document: a stable code and one line for a person."""

    code: str
    message: str


@dataclass(frozen=True)
class Parsed:
    """What parsing gave: the lines as understood and either a document or a reason why not."""

    lines: tuple[str, ...]
    document: Document | None
    findings: tuple[Finding, ...] = ()
    reason: Reason | None = None

    @property
    def format(self) -> Format | None:
        """The layout, where one was recognised."""
        return self.document.format if self.document else None
