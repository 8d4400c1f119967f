"""What was read of an MRZ and how surely, whoever read it: a picture's reader, a serial scanner,
an officer's fingers.

A reading speaks of the characters alone. *read* means sure of every character as printed, and must
never be wrong; *doubtful* gives lines and says in `uncertain` where the doubt is and what else may
stand there; *unreadable* gives no lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

UNKNOWN = "?"
"""Stands in a line for a character that nobody could read."""


class Status(StrEnum):
    READ = "read"
    DOUBTFUL = "doubtful"
    UNREADABLE = "unreadable"


class Why(StrEnum):
    """Why a picture was not read, as far as it shows. Stable: screens and programs know them."""

    TOO_DARK = "too_dark"
    TOO_FAR = "too_far"
    GLARE = "glare"
    MOVING = "moving"
    NO_MRZ = "no_mrz"
    UNCLEAR = "unclear"


class Entered(StrEnum):
    """Whose eyes or fingers a reading is: a camera's or a scanner's (`READ`), or an officer's, who
    typed the lines, put a read character right, or typed the number alone."""

    READ = "read"
    TYPED = "typed"
    CORRECTED = "corrected"
    NUMBER = "number"


_BY_NAME = {entered.value: entered for entered in Entered}


@dataclass(frozen=True)
class Uncertain:
    """One doubtful character: `line` and `position` count from 0; `candidates` are characters with
    their probabilities, likeliest first (empty when nothing at all is known)."""

    line: int
    position: int
    candidates: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Reading:
    """The lines of one document as a reader saw them.

    `confidence` is the probability that every character is right, 0 to 1, or None where the reader
    gives none. `box` is the MRZ's quadrilateral in the picture, four (x, y) in pixels, clockwise
    from the first line's start, or None; the picture is the one at `frame` of those that the reader
    was given, counted from 0. `ms` are the reader's own times in milliseconds
    (`load`, `locate`, `recognise`, `decode`).
    """

    status: Status
    lines: tuple[str, ...]
    reader: str
    confidence: float | None = None
    uncertain: tuple[Uncertain, ...] = ()
    box: tuple[tuple[float, float], ...] | None = None
    frame: int = 0
    ms: Mapping[str, float] = field(default_factory=dict)
    note: str | None = None
    """One line for a person: why nothing was read, where that is known."""
    why: Why | None = None
    """The same for a program: None for what is *read*, or was never a picture."""

    @property
    def entered(self) -> Entered:
        """How it was entered: an officer's readings are named as they are."""
        return _BY_NAME.get(self.reader, Entered.READ)
