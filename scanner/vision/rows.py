"""Rows of OCR text become lines of a layout: which rows they are, and how wide they must be.

A general OCR engine counts a long run of fillers wrongly and reads some of them as `K`, `E` or `C`.
So a row is fitted to its layout's width in its longest run of fillers, and nowhere else: that is
the one place where nothing is printed but fillers, and the only repair that is made here. A row
that does not fit so is left out rather than cut or padded elsewhere.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.mrz.document import Format

FILLER_LIKE = "<KECLSXR>"
"""What the OCR makes of a filler in a long run of them."""

LETTERS, DIGITS, ANY, NAMES = "letters", "digits", "any", "names"


@dataclass(frozen=True)
class Field:
    """A stretch of one line, `start` to `end` (exclusive), and the alphabet that Doc 9303 allows
    in it (fillers always)."""

    row: int
    start: int
    end: int
    alphabet: str


def _td3_like(width: int) -> tuple[Field, ...]:
    """The fields of TD2, TD3 and the visas, Doc 9303 parts 4, 6 and 7: two lines, same places."""
    return (
        Field(0, 0, 2, LETTERS),
        Field(0, 2, 5, LETTERS),
        Field(0, 5, width, NAMES),
        Field(1, 0, 10, ANY),
        Field(1, 10, 13, LETTERS),
        Field(1, 13, 20, DIGITS),
        Field(1, 20, 21, LETTERS),
        Field(1, 21, 28, DIGITS),
        Field(1, 28, width, ANY),
    )


FIELDS: dict[Format, tuple[Field, ...]] = {
    Format.TD1: (
        Field(0, 0, 2, ANY),
        Field(0, 2, 5, LETTERS),
        Field(0, 5, 15, ANY),
        Field(0, 15, 30, ANY),
        Field(1, 0, 7, DIGITS),
        Field(1, 7, 8, LETTERS),
        Field(1, 8, 15, DIGITS),
        Field(1, 15, 18, LETTERS),
        Field(1, 18, 30, ANY),
        Field(2, 0, 30, NAMES),
    ),
    Format.TD2: _td3_like(36),
    Format.MRV_B: _td3_like(36),
    Format.TD3: _td3_like(44),
    Format.MRV_A: _td3_like(44),
    Format.FRA_ID: (
        Field(0, 0, 2, LETTERS),
        Field(0, 2, 5, LETTERS),
        Field(0, 5, 30, NAMES),
        Field(0, 30, 36, ANY),
        Field(1, 0, 13, ANY),
        Field(1, 13, 27, NAMES),
        Field(1, 27, 34, DIGITS),
        Field(1, 34, 35, LETTERS),
        Field(1, 35, 36, DIGITS),
    ),
}

WIDTHS = ((30, 3), (36, 2), (44, 2))
"""Characters a line, and lines, of every layout."""


def clean(text: str) -> list[str]:
    """The rows of OCR text that may belong to an MRZ: no spaces, at least twenty characters."""
    rows = ["".join(row.split()) for row in text.splitlines()]
    return [row for row in rows if len(row) >= 20]


def fit(row: str, width: int) -> str | None:
    """The row at exactly `width`, or None where only a guess would make it so wide.

    >>> fit("9107289F3502170UTO<<<K<<8", 30)
    '9107289F3502170UTO<<<<<<<<<<<8'
    """
    tail = re.search(rf"<<<[{FILLER_LIKE}]*(?P<end>\d{{0,2}})$", row)
    if tail:
        row = row[: tail.start()].ljust(len(row) - len(tail["end"]), "<") + tail["end"]
    missing = width - len(row)
    if missing == 0:
        return row
    runs = list(re.finditer("<{3,}", row))
    if not runs:
        return None
    run = max(runs, key=lambda found: len(found[0]))
    length = len(run[0]) + missing
    if length < 1 or abs(missing) > 14:
        return None
    return row[: run.start()] + "<" * length + row[run.end() :]


def layout_of(lines: Sequence[str]) -> Format | None:
    """Which layout lines of the right widths belong to, by what the first line starts with."""
    head = lines[0]
    if len(head) == 30 and len(lines) == 3:
        return Format.TD1
    if len(lines) != 2:
        return None
    if len(head) == 36 and head.startswith("IDFRA"):
        return Format.FRA_ID
    visa = head.startswith("V")
    by_width = {
        36: Format.MRV_B if visa else Format.TD2,
        44: Format.MRV_A if visa else Format.TD3,
    }
    return by_width.get(len(head))


def lines_in(text: str) -> tuple[str, ...] | None:
    """The MRZ lines in OCR text, or None: neighbouring rows that all fit one layout, those that
    were nearest to its width before fitting where several do."""
    rows = clean(text)
    found: list[tuple[int, tuple[str, ...]]] = []
    for width, count in WIDTHS:
        for first in range(len(rows) - count + 1):
            block = rows[first : first + count]
            if not any("<" in row for row in block):
                continue
            fitted = [fit(row, width) for row in block]
            whole = tuple(line for line in fitted if line is not None)
            if len(whole) == count:
                off = sum(abs(len(row) - width) for row in block)
                found.append((off - 2 * count, whole))
    return min(found)[1] if found else None
