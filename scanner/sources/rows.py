"""Rows of an MRZ as a serial reader gave them, put together into documents.

Readers that send each row on its own lose rows, repeat rows and send them late. So a row is put in
its place by what it says (dates stand at fixed positions in Doc 9303-4 to -7), a row that is
already there is the same read again, and a row whose place is taken by another text belongs to the
next document: two documents' rows are never mixed to fill a gap.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scanner.mrz.layouts import WIDTHS
from scanner.mrz.reading import UNKNOWN
from scanner.mrz.text import Candidates


@dataclass(frozen=True)
class Row:
    """One row: its text, and for each doubtful position what the reader thinks may stand there.

    A doubtful position shows its likeliest character in `text`, `?` where there is none.
    """

    text: str
    candidates: Mapping[int, Candidates] = field(default_factory=dict)

    def doubted(self) -> "Row":
        """The same row with no character sure."""
        doubts = {
            place: self.candidates.get(place) or (() if letter == UNKNOWN else ((letter, 0.5),))
            for place, letter in enumerate(self.text)
        }
        return Row(self.text, doubts)


@dataclass(frozen=True)
class Block:
    """The rows of one document, top to bottom. A row known to be missing is all `?`."""

    rows: tuple[Row, ...]

    @property
    def texts(self) -> tuple[str, ...]:
        return tuple(row.text for row in self.rows)

    @property
    def candidates(self) -> dict[tuple[int, int], Candidates]:
        """Keyed by row and position, both from 0."""
        return {
            (line, place): found
            for line, row in enumerate(self.rows)
            for place, found in row.candidates.items()
        }


def place_of(text: str) -> int | None:
    """Which row of its document this is, from 0, or None where the text does not tell."""
    if len(text) == 30:
        return _place_in_td1(text)
    if text.startswith("IDFRA"):
        return 0
    if _digits(text[13:19] + text[21:27]) >= 8:
        return 1
    if len(text) == 36 and _digits(text[:4] + text[27:34]) >= 8:  # the French card's second row
        return 1
    if text[0] in "PVAIC" and _digits(text) == 0:
        return 0
    return None


def _place_in_td1(text: str) -> int | None:
    if _digits(text[:6] + text[8:14]) >= 8:
        return 1
    if _digits(text) == 0 and "<" in text:
        return 2
    if text[0] in "AIC":
        return 0
    return None


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)


class Assembly:
    """The document being put together: rows go in, a Block comes out when it is whole."""

    def __init__(self) -> None:
        self._length = 0
        self._slots: list[Row | None] = []

    @property
    def length(self) -> int:
        """How long the rows of the document begun are; 0 when none is begun."""
        return self._length

    def add(self, row: Row) -> list[Block]:
        """Takes a row of a layout's length; gives the documents that this completes or ends."""
        ended: list[Block] = []
        if self._length and not self._fits(row):
            ended += self.flush()
        if not self._length:
            self._length = len(row.text)
            self._slots = [None] * WIDTHS[self._length]
        self._put(row)
        if all(self._slots):
            ended += self.flush()
        return ended

    def flush(self) -> list[Block]:
        """Ends the document as it stands: one Block, or none where no row came."""
        rows, self._slots, length, self._length = self._slots, [], self._length, 0
        if not any(rows):
            return []
        known = [row for row in rows if row]
        if len(known) == 1 and place_of(known[0].text) is None:
            return [Block(tuple(known))]
        missing = Row(UNKNOWN * length)
        return [Block(tuple(row or missing for row in rows))]

    def _fits(self, row: Row) -> bool:
        if len(row.text) != self._length:
            return False
        place = place_of(row.text)
        if place is None:
            return True
        held = self._slots[place]
        return held is None or held == row

    def _put(self, row: Row) -> None:
        if row in self._slots:
            return
        place = place_of(row.text)
        self._slots[self._slots.index(None) if place is None else place] = row


def in_order(rows: Sequence[Row], bottom_last: bool) -> list[Block]:
    """The documents in one frame, whose rows come whole and top to bottom.

    With `bottom_last` rows are missing only at the top; otherwise what the rows say places them.
    """
    blocks: list[Block] = []
    left = list(rows)
    while left:
        length = len(left[0].text)
        most = WIDTHS[length]
        alike = 0
        while alike < min(most, len(left)) and len(left[alike].text) == length:
            alike += 1
        taken, left = left[:alike], left[alike:]
        if alike == most:
            blocks.append(Block(tuple(taken)))
        elif bottom_last:
            missing = [Row(UNKNOWN * length)] * (most - alike)
            blocks.append(Block((*missing, *taken)))
        else:
            blocks += _placed(taken)
    return blocks


def _placed(rows: Sequence[Row]) -> list[Block]:
    assembly = Assembly()
    ended = [block for row in rows for block in assembly.add(row)]
    return ended + assembly.flush()
