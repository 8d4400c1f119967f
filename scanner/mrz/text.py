"""MRZ text that did not come from a picture: standard input, a serial reader, an officer's fingers.

Serial readers send rows in any number and order, some of them missing, and mark characters that
they doubt. `reading_of` puts each row where it fits best and fills what is absent with `?`; it is
sure of nothing but what the check digits and the States confirm.
"""

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import permutations
from types import MappingProxyType

from scanner.mrz.check_digits import FILLER, holds
from scanner.mrz.document import Format
from scanner.mrz.layouts import CHARACTERS, LAYOUTS, WIDTHS, Layout
from scanner.mrz.parse import UPPER, is_sound, normalised, parse
from scanner.mrz.reading import UNKNOWN, Reading, Status, Uncertain
from scanner.said import said

Candidates = tuple[tuple[str, float], ...]

_LINE_END = re.compile(r"\r\n|\r|\n")
_NO_CANDIDATES: Mapping[tuple[int, int], Candidates] = MappingProxyType({})
_SERIAL_FILLERS = str.maketrans({"_": FILLER, " ": FILLER})
FIRST_LETTERS = {
    Format.TD1: "ACI",
    Format.TD2: "ACI",
    Format.TD3: "P",
    Format.MRV_A: "V",
    Format.MRV_B: "V",
    Format.FRA_ID: "I",
}
"""What the first line of each layout begins with."""
_SHORTEST_ROW = 7
"""Shorter text between the rows is noise."""


def blocks(data: bytes) -> list[list[str]]:
    """The blocks of lines in a text, parted by blank lines, upper-cased and stripped.

    UTF-8, or UTF-16 with a byte order mark; what is neither becomes U+FFFD, which parsing names.
    """
    found: list[list[str]] = [[]]
    for line in _LINE_END.split(_decoded(data)):
        row = normalised(line)
        if row:
            found[-1].append(row)
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def reading_of(
    rows: Sequence[str],
    *,
    reader: str,
    today: date,
    candidates: Mapping[tuple[int, int], Candidates] = _NO_CANDIDATES,
) -> Reading:
    """A reading of rows as they came, with candidates for (row, position), both from 0.

    `_` and space are fillers, every other character that no MRZ has is unknown. A bottom row alone
    will do. READ only where no character is unknown or doubted and `is_sound` holds.
    """
    cleaned = {i: _cleaned(row) for i, row in enumerate(rows)}
    kept = {i: row for i, row in cleaned.items() if len(row) >= _SHORTEST_ROW}
    width = max(
        (len(row) for row in kept.values() if len(row) in WIDTHS),
        key=lambda width: (sum(len(row) == width for row in kept.values()), width),
        default=None,
    )
    if width is None:
        return _unreadable(
            reader, said("no line has the length of an MRZ line: 30, 36 or 44 characters")
        )
    kept = _without_repeats({i: row for i, row in kept.items() if len(row) <= width})
    if len(kept) > WIDTHS[width]:
        return _unreadable(
            reader,
            said(
                "{count} lines of {width} characters came: there can be {most}",
                count=len(kept),
                width=width,
                most=WIDTHS[width],
            ),
        )
    slots = _slots(kept, width)
    lines = [UNKNOWN * width] * WIDTHS[width]
    for i, slot in slots.items():
        lines[slot] = f"{kept[i]:{UNKNOWN}<{width}}"
    placed = {
        (slots[row], position): guesses
        for (row, position), guesses in candidates.items()
        if row in slots and 0 <= position < width
    }
    uncertain = tuple(_uncertain(lines, placed))
    sure = not uncertain and is_sound(parse(lines, today))
    return Reading(
        Status.READ if sure else Status.DOUBTFUL, tuple(lines), reader, uncertain=uncertain
    )


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    return data.decode("utf-8-sig", errors="replace")


def _cleaned(row: str) -> str:
    """A row with one character a position, all of them an MRZ's or `?`. Spaces at the end are
    fillers only where they make up a line's length."""
    text = row.rstrip("\r\n")
    if len(text) not in WIDTHS:
        text = text.rstrip(" ")
    upper = text.translate(_SERIAL_FILLERS).translate(UPPER)
    return "".join(character if character in CHARACTERS else UNKNOWN for character in upper)


def _without_repeats(rows: Mapping[int, str]) -> dict[int, str]:
    """Rows without those that came a second time."""
    first: dict[str, int] = {}
    for i, row in rows.items():
        first.setdefault(row, i)
    return {i: row for row, i in first.items()}


def _slots(rows: Mapping[int, str], width: int) -> dict[int, int]:
    """Which line of the document each row is: where the fewest characters are out of place, in
    the order in which they came where that is a tie."""
    orders = [
        dict(zip(rows, order, strict=True))
        for order in permutations(range(WIDTHS[width]), len(rows))
    ]
    layouts = [layout for layout in LAYOUTS.values() if layout.width == width]
    return min(
        orders,
        key=lambda order: min(
            sum(_misfits(layout, slot, rows[i]) for i, slot in order.items()) for layout in layouts
        ),
    )


def _misfits(layout: Layout, slot: int, row: str) -> int:
    """How much speaks against a row being this line of this layout."""
    against = layout.misfits(slot, row)
    if slot == 0 and row[0] not in FIRST_LETTERS[layout.format] + UNKNOWN:
        against += 1
    lines = [UNKNOWN * layout.width] * layout.height
    lines[slot] = f"{row:{UNKNOWN}<{layout.width}}"
    return against + sum(
        check.printed(lines) != FILLER and holds(check.data(lines), check.printed(lines)) is False
        for check in layout.checks.values()
    )


def _uncertain(
    lines: Sequence[str], candidates: Mapping[tuple[int, int], Candidates]
) -> Iterator[Uncertain]:
    for line, text in enumerate(lines):
        for position, character in enumerate(text):
            guesses = candidates.get((line, position))
            if character == UNKNOWN or guesses is not None:
                yield Uncertain(line, position, guesses or ())


def _unreadable(reader: str, note: str) -> Reading:
    return Reading(Status.UNREADABLE, (), reader, note=note)
