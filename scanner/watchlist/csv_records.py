"""The lines and records of a CSV file (RFC 4180, UTF-8), with the place where each ends.

The one danger in a CSV is a stray quote: a reader that trusts it swallows the rows up to the next
quote, and a swallowed row is a stolen document that is never found. So a quoted field may run over
a few lines, and whatever is bad, never closed, or holds what looks like rows, costs its first line
alone: reading starts again at the line after it.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

LINE_BYTES = 64 * 1024
"""The longest line that is read."""
BOM = b"\xef\xbb\xbf"
_QUOTED_LINES = 64

LooksLikeRow = Callable[[str], bool]


@dataclass(frozen=True)
class Position:
    """A place between two rows: the bytes and the lines that stand before it."""

    offset: int = 0
    line: int = 0


class Bad(Exception):
    """What is wrong with a row."""


@dataclass(frozen=True)
class Line:
    """One physical line: its text without the line break, or what is wrong with it."""

    number: int
    text: str
    ended: bool
    end: Position
    bad: str = ""


@dataclass(frozen=True)
class Record:
    """One record: the line it starts on, its fields, or why it has none, and whether the file
    goes on after it or ends it with a line break."""

    line: int
    fields: list[str] | Bad
    ended: bool
    end: Position


def lines_of(file: BinaryIO, start: Position) -> Iterator[Line]:
    number, offset = start.line, start.offset
    while raw := file.readline(LINE_BYTES):
        number += 1
        offset += len(raw)
        if number == 1:
            raw = raw.removeprefix(BOM)
        ended = raw.endswith(b"\n")
        if not ended and len(raw) >= LINE_BYTES - len(BOM):
            offset += _skip_line(file)
            too_long = f"the line is longer than {LINE_BYTES} bytes"
            yield Line(number, "", True, Position(offset, number), too_long)
            continue
        end = Position(offset, number)
        try:
            text = raw.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            at = error.start + 1
            yield Line(number, "", ended, end, f"not UTF-8 at byte {at}: save the file as UTF-8")
            continue
        yield Line(number, text, ended, end)


def _skip_line(file: BinaryIO) -> int:
    """Reads on to the end of a line; gives the bytes read."""
    skipped = 0
    while rest := file.readline(LINE_BYTES):
        skipped += len(rest)
        if rest.endswith(b"\n"):
            break
    return skipped


def records_of(lines: Iterator[Line], looks_like_row: LooksLikeRow) -> Iterator[Record]:
    """Every record of these lines; blank lines are passed over. `looks_like_row` says of a line
    whether it is a row of its own, which no quoted field may run into."""
    waiting: deque[Line] = deque()
    while (first := waiting.popleft() if waiting else next(lines, None)) is not None:
        if first.bad:
            yield Record(first.number, Bad(first.bad), first.ended, first.end)
        elif '"' not in first.text:
            if first.text.strip():
                yield Record(first.number, first.text.split(","), first.ended, first.end)
        else:
            more = _rest_of_quoted(first, waiting, lines)
            fields = _quoted(first, more, looks_like_row)
            last = (more or [first])[-1]
            if isinstance(fields, Bad):
                waiting.extendleft(reversed(more))
                yield Record(first.number, fields, last.ended, first.end)
            else:
                yield Record(first.number, fields, last.ended, last.end)


def _rest_of_quoted(first: Line, waiting: deque[Line], lines: Iterator[Line]) -> list[Line]:
    """The lines after `first` that its open quote runs over: none when it has none."""
    more: list[Line] = []
    quotes = first.text.count('"')
    while quotes % 2 and len(more) < _QUOTED_LINES:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            break
        more.append(line)
        quotes += line.text.count('"')
    return more


def _quoted(first: Line, more: Sequence[Line], looks_like_row: LooksLikeRow) -> list[str] | Bad:
    text = "\n".join(line.text for line in (first, *more))
    if text.count('"') % 2:
        last = (more or [first])[-1]
        where = "" if len(more) == _QUOTED_LINES or last.ended else "; the file may have been cut"
        return Bad(f"a quote that opens on this line is never closed{where}")
    for line in more:
        if line.bad:
            return Bad(f"a quoted field runs into line {line.number}, which is bad: {line.bad}")
        if looks_like_row(line.text):
            return Bad(f"a quoted field runs into line {line.number}, which looks like a row")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return Bad("the quotes are not those of CSV: a quote within a field is written twice")
