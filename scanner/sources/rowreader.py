"""Bytes of text from a serial reader -> rows of an MRZ, byte by byte.

Fillers come as `<`, `_` or space; a character that the reader could not read as `?` or a
substitute of the family's own; a doubtful one, from some readers, as GS candidates GS, best first.
Control bytes and bytes beyond ASCII are no text. A row that fits no layout is never cut or filled
to fit: it is given up and said.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from scanner.mrz.layouts import CHARACTERS, WIDTHS
from scanner.mrz.reading import UNKNOWN
from scanner.mrz.text import Candidates
from scanner.said import said
from scanner.sources.families import GS
from scanner.sources.rows import Row

CR, LF, SPACE, DELETE = 0x0D, 0x0A, 0x20, 0x7F
FILLERS = "<_ "
SHORTEST = 7
"""Fewer characters than this are noise, not a row that was misread."""
LONGEST = 200


@dataclass(frozen=True)
class Complaint:
    """Something on the line that gave no sure row; one line for a person, without its text.

    `damage`: rows came with it, and none of their characters is sure.
    """

    message: str
    damage: bool = False
    row: str = field(default="", repr=False, compare=False)
    """The row that no layout has, for whoever knows it to be something else; for no log."""


@dataclass(frozen=True)
class RawRow:
    """A row as sent, before anything is cut: one letter a position."""

    letters: str
    doubts: dict[int, str]
    """By position: the candidates as sent, best first."""

    def row(self, unknown: str, cut_left: int = 0, cut_right: int = 0) -> Row:
        """The row in MRZ characters, without the given number of letters at either end."""
        kept = range(cut_left, len(self.letters) - cut_right)
        candidates = {
            place - cut_left: candidates_of(self.doubts[place], unknown)
            for place in kept
            if place in self.doubts
        }
        text = "".join(mrz_letter(self.letters[place], unknown) for place in kept)
        return Row(text, candidates)


def mrz_letter(letter: str, unknown: str) -> str:
    """The MRZ character that a reader's letter stands for, `?` for one that it could not read."""
    if letter in unknown:
        return UNKNOWN
    if letter in FILLERS:
        return "<"
    return letter if letter in CHARACTERS else UNKNOWN


def candidates_of(letters: str, unknown: str) -> Candidates:
    """Candidates with probabilities. Readers give only an order; each is taken as likely as all
    that come after it, what is left standing for a character that the reader did not name."""
    known = dict.fromkeys(mrz_letter(letter, unknown) for letter in letters)
    known.pop(UNKNOWN, None)
    return tuple((letter, 0.5 ** (rank + 1)) for rank, letter in enumerate(known))


class RowReader:
    """Collects one row after another. `take` and `end` give a row, a complaint or neither."""

    def __init__(self, unknown: str) -> None:
        self._unknown = unknown
        self._letters: list[str] = []
        self._doubts: dict[int, str] = {}
        self._group: list[str] | None = None

    def __len__(self) -> int:
        return len(self._letters)

    @property
    def text(self) -> str:
        return "".join(self._letters)

    def clear(self) -> None:
        self._letters, self._doubts, self._group = [], {}, None

    def take(self, byte: int) -> RawRow | Complaint | None:
        """Takes one byte; gives the row that it ends."""
        if byte in (CR, LF):
            return self.end()
        if byte == GS:
            self._toggle_group()
        elif SPACE <= byte < DELETE:
            self._append(chr(byte))
        return None

    def end(self) -> RawRow | Complaint | None:
        """Ends the row as it stands. Too little to be a row gives nothing."""
        letters, doubts, open_group = self.text, self._doubts, self._group is not None
        self.clear()
        if open_group:
            return Complaint(said("a row was dropped: its list of candidates was cut short"))
        if len(letters) < SHORTEST:
            return None
        return RawRow(letters, doubts)

    def _append(self, letter: str) -> None:
        target = self._letters if self._group is None else self._group
        if len(target) < LONGEST:
            target.append(letter)

    def _toggle_group(self) -> None:
        if self._group is None:
            self._group = []
            return
        candidates, self._group = "".join(self._group), None
        found = candidates_of(candidates, self._unknown)
        if len(self._letters) < LONGEST:
            self._doubts[len(self._letters)] = candidates
            self._letters.append(found[0][0] if found else UNKNOWN)


def fitted(raw: RawRow, unknown: str, identifiers: int = 0) -> Row | Complaint:
    """The row where it fits a layout: as it is, without blanks around it, or without at most
    `identifiers` letters before it."""
    letters = raw.letters
    if len(letters) not in WIDTHS:
        left, right = _around(letters, " ")
        if len(letters) - right in WIDTHS:
            return raw.row(unknown, 0, right)
        if len(letters) - left - right in WIDTHS:
            return raw.row(unknown, left, right)
        for cut in range(1, identifiers + 1):
            if len(letters) - cut in WIDTHS:
                return raw.row(unknown, cut)
        return Complaint(
            said(
                "a row of {count} characters was dropped: no layout has such rows",
                count=len(letters),
            ),
            row=letters,
        )
    return raw.row(unknown)


def without_padding(rows: Sequence[RawRow], unknown: str) -> list[Row] | None:
    """Rows of 36 characters that a reader filled up to 44 with `_`, or None where they are none.

    A passport's second row ends in a digit, so two rows whose last eight are all `_` have 36.
    """
    if len(rows) > 2 or not all(raw.letters[36:] == "_" * 8 for raw in rows):
        return None
    return [raw.row(unknown, 0, 8) for raw in rows]


def _around(letters: str, blank: str) -> tuple[int, int]:
    return len(letters) - len(letters.lstrip(blank)), len(letters) - len(letters.rstrip(blank))
