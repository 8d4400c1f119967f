"""What is asked of a list and what it answers: the seam that any list engine stands behind."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from scanner.mrz.document import Kind
from scanner.said import said


class Certainty(StrEnum):
    EXACT = "exact"
    POSSIBLE = "possible"


class ListStatus(StrEnum):
    """Why a document is on a list, in the words of a list's source file."""

    STOLEN = "stolen"
    LOST = "lost"
    REVOKED = "revoked"
    INVALID = "invalid"
    STOLEN_BLANK = "stolen_blank"


class ListHealth(StrEnum):
    OK = "ok"
    OVER_AGE = "over_age"
    MISSING = "missing"
    DAMAGED = "damaged"
    LOCKED = "locked"
    """Its key is not at hand, so nothing can be asked of it."""


class AskedAs(StrEnum):
    """Why a number was asked: as printed, or in another form that a list may hold it in."""

    NUMBER = "number"
    CUT_AT_NINE = "cut_at_nine"
    PASSPORT_OF_VISA = "passport_of_visa"
    ISSUER_ALIAS = "issuer_alias"
    CANDIDATE = "candidate"
    LOOK_ALIKE = "look_alike"
    ISSUER_LOOK_ALIKE = "issuer_look_alike"
    NATIONALITY_AS_ISSUER = "nationality_as_issuer"


@dataclass(frozen=True)
class Question:
    """One thing to look up. `exact` says whether an equal record may count as an exact match:
    false where the question itself is a guess."""

    issuer: str
    number: str
    kind: Kind
    asked_as: AskedAs
    exact: bool


@dataclass(frozen=True)
class Match:
    """One record that answers a question. `why` says in words what makes it only possible."""

    list: str
    certainty: Certainty
    status: ListStatus
    kind: Kind
    recorded: date | None
    asked_as: AskedAs
    why: str = ""


@dataclass(frozen=True)
class ListState:
    """A list as it stood when it was asked. `age_s` is in seconds and a lower bound where
    `age_is_lower_bound`; `required` says whether CLEAR needs this list; `reason` says what is wrong
    with it, or that a part of it is damaged."""

    name: str
    version: int | None
    as_of: datetime | None
    age_s: float | None
    health: ListHealth
    required: bool = True
    reason: str = ""
    age_is_lower_bound: bool = False


@dataclass(frozen=True)
class Inquiry:
    """What the lists said of one document: every match, every list's state, how many keys were
    asked, and how many a scan's budget left unasked."""

    matches: tuple[Match, ...] = ()
    lists: tuple[ListState, ...] = ()
    asked: int = 0
    unasked: int = 0


class ListDamaged(Exception):
    """The list could not be read or is not whole; the message says what and where. `part` is the
    folder or file of a version that the damage is in, where one is known."""

    def __init__(self, message: str, part: Path | None = None) -> None:
        super().__init__(message)
        self.part = part


def damaged(place: Path | str, what: object, part: Path | None = None) -> ListDamaged:
    """What is damaged, how, and what to do about it."""
    told = said("{place}: {what}; fetch or build the list again", place=place, what=what)
    return ListDamaged(told, part)


CHANGED: Final = said("the content is not what its manifest says")
"""What is wrong with a file whose digest is another one."""


class Watchlist(Protocol):
    """One list, opened and found whole."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def as_of(self) -> datetime: ...

    def look_up(self, questions: Sequence[Question]) -> tuple[Match, ...]:
        """Every record that answers one of the questions. Raises ListDamaged."""
        ...
