"""A list's source in portions, fast: for a build of many millions of rows, which can go on at any
portion's end.

Nearly all lines are plain. They are taken apart a megabyte at a time, with no more than a look into
a few tables for each; a line that is not at once seen to be good goes through `source`, and so does
a portion with a quote in it. So what is read, and what is said of bad rows, is the same either way.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from scanner.mrz.document import Kind
from scanner.mrz.states import CODES
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.csv_records import (
    BOM,
    LINE_BYTES,
    Line,
    Position,
    lines_of,
    records_of,
)
from scanner.watchlist.records import class_of, day_of
from scanner.watchlist.source import COLUMNS, BadRow, Row, header_of, looks_like_row, row_or_bad

BEGINNING = Position()
_PORTION_BYTES = 1024 * 1024
_IN_ORDER = tuple(range(len(COLUMNS)))
_PLAIN_NUMBER = re.compile(rb"[A-Z0-9]{1,30}").fullmatch
_ISSUERS = frozenset(code.encode() for code in CODES)
_CLASSES = {
    (kind.value.encode(), status.value.encode()): class_of(kind, status)
    for kind in Kind
    for status in ListStatus
}
_DAYS: dict[bytes, int] = {}
"""Days by how they are written, as they are met."""

Single = tuple[int, bytes, bytes, int, int]
"""A good row that is no range: line, issuer, number, class byte and day."""


@dataclass(frozen=True)
class Portion:
    """Some rows of a source that follow each other, and where they end."""

    singles: list[Single]
    ranges: list[Row]
    bad: list[BadRow]
    end: Position


def read_portions(file: BinaryIO, name: str, start: Position = BEGINNING) -> Iterator[Portion]:
    """All rows from a position on, in portions of a megabyte or so. Raises SourceUnusable, OSError.

    `start` is the beginning, or where an earlier portion ended.
    """
    file.seek(0)
    first = records_of(lines_of(file, Position()), looks_like_row)
    columns = header_of(first, name)
    here = start if start.offset else Position(*_header_end(file, name))
    while True:
        file.seek(here.offset)
        block = file.read(_PORTION_BYTES)
        if not block:
            return
        block += file.readline(LINE_BYTES)
        portion = _plain(block, here, columns) or _slow(file, here, len(block), columns)
        yield portion
        here = portion.end


def _header_end(file: BinaryIO, name: str) -> tuple[int, int]:
    file.seek(0)
    record = next(records_of(lines_of(file, Position()), looks_like_row))
    return record.end.offset, record.end.line


def _plain(block: bytes, here: Position, columns: Mapping[str, int]) -> Portion | None:
    """The rows of a block of whole lines without quotes; None where it is not such a block."""
    if b'"' in block or not block.endswith(b"\n") or tuple(columns.values()) != _IN_ORDER:
        return None
    try:
        block.decode()
    except UnicodeDecodeError:
        return None
    lines = block.split(b"\n")
    lines.pop()
    if max(map(len, lines)) >= LINE_BYTES - len(BOM):
        return None
    singles: list[Single] = []
    ranges: list[Row] = []
    bad: list[BadRow] = []
    number = here.line
    for line in lines:
        number += 1
        fields = line.split(b",")
        if len(fields) == 7:
            issuer, listed, to, kind, status, recorded, _ = fields
            class_byte = _CLASSES.get((kind, status))
            day = _DAYS.get(recorded)
            if (
                class_byte is not None
                and day is not None
                and not to
                and issuer in _ISSUERS
                and _PLAIN_NUMBER(listed)
            ):
                singles.append((number, issuer, listed, class_byte, day))
                continue
        end = Position(0, number)
        one = Line(number, line.removesuffix(b"\r").decode(), True, end)
        for record in records_of(iter([one]), looks_like_row):
            _sort_in(row_or_bad(record, columns), singles, ranges, bad)
    return Portion(singles, ranges, bad, Position(here.offset + len(block), number))


def _slow(file: BinaryIO, here: Position, size: int, columns: Mapping[str, int]) -> Portion:
    """The rows from here on to the first that ends so many bytes on, or to the end of the file."""
    singles: list[Single] = []
    ranges: list[Row] = []
    bad: list[BadRow] = []
    file.seek(here.offset)
    end = here
    lines = _Counted(lines_of(file, here))
    for record in records_of(lines, looks_like_row):
        _sort_in(row_or_bad(record, columns), singles, ranges, bad)
        end = record.end
        if end.offset >= here.offset + size:
            return Portion(singles, ranges, bad, end)
    return Portion(singles, ranges, bad, lines.end if lines.end.offset > end.offset else end)


class _Counted(Iterator[Line]):
    """Lines, and where the last of them ended."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.end = Position()

    def __next__(self) -> Line:
        line = next(self._lines)
        self.end = line.end
        return line


def _sort_in(
    row: Row | BadRow, singles: list[Single], ranges: list[Row], bad: list[BadRow]
) -> None:
    if isinstance(row, BadRow):
        bad.append(row)
    elif row.number_to is not None:
        ranges.append(row)
    else:
        class_byte, day = class_of(row.kind, row.status), day_of(row.recorded)
        _DAYS.setdefault(row.recorded.isoformat().encode(), day)
        singles.append((row.line, row.issuer.encode(), row.number.encode(), class_byte, day))
