"""Reads a list's source: the CSV that a list is built from (RFC 4180, UTF-8, with a header).

The columns are `issuer,number,number_to,kind,status,recorded,reference`, in any order. The file is
read once, a record at a time, so memory does not grow with it. Every bad row is reported with its
line and what is wrong, and reading goes on after it.

The one danger in a CSV is a stray quote: a reader that trusts it swallows the rows up to the next
quote, and a swallowed row is a stolen document that is never found. So a quoted field may run over
a few lines, and whatever is bad, never closed, or holds what looks like rows, costs its first line
alone: reading starts again at the line after it.

Nothing that is reported repeats a document number.
"""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, TypeVar

from scanner.mrz.document import Kind
from scanner.mrz.states import CODES
from scanner.spelling import nearest
from scanner.watchlist.contract import ListStatus

COLUMNS = ("issuer", "number", "number_to", "kind", "status", "recorded", "reference")
NUMBER_LENGTH = 30
"""The longest number that is accepted."""

_LINE_BYTES = 64 * 1024
_QUOTED_LINES = 64
_BOM = b"\xef\xbb\xbf"
_NUMBER = re.compile(r"[A-Z0-9]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_KINDS = {kind.value: kind for kind in Kind}
_STATUSES = {status.value: status for status in ListStatus}


_T = TypeVar("_T")


class SourceUnusable(Exception):
    """The file as a whole cannot be read as a list's source; the message says where and why."""


@dataclass(frozen=True)
class Row:
    """One good row. `number_to` is None unless the row is a range, which includes both ends."""

    line: int
    issuer: str
    number: str
    number_to: str | None
    kind: Kind
    status: ListStatus
    recorded: date


@dataclass(frozen=True)
class BadRow:
    """One row that cannot be used: the line it starts on (from 1), and what is wrong with it."""

    line: int
    reason: str


class _Bad(Exception):
    """What is wrong with a row."""


def read_source(path: Path) -> Iterator[Row | BadRow]:
    """Every row of the file in order, good or bad.

    Raises SourceUnusable when the file cannot be read or its header is not that of a source.
    """
    try:
        with path.open("rb") as file:
            yield from read_rows(file, str(path))
    except OSError as error:
        raise SourceUnusable(f"{path}: {error.strerror or error}") from None


def read_rows(file: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Like `read_source`, of an open file; `name` is used in errors."""
    records = _records(_lines(file))
    columns: Mapping[str, int] | None = None
    for record in records:
        if columns is None:
            columns = _header(record, name)
            continue
        try:
            yield _row(record, columns)
        except _Bad as bad:
            yield BadRow(record.line, str(bad))
    if columns is None:
        raise SourceUnusable(f"{name}: the file is empty; it must begin with {','.join(COLUMNS)}")


@dataclass(frozen=True)
class _Line:
    """One physical line: its text without the line break, or what is wrong with it."""

    number: int
    text: str
    ended: bool
    bad: str = ""


@dataclass(frozen=True)
class _Record:
    """One record: the line it starts on, its fields, or why it has none, and whether the file
    goes on after it or ends it with a line break."""

    line: int
    fields: list[str] | _Bad
    ended: bool


def _lines(file: BinaryIO) -> Iterator[_Line]:
    number = 0
    while raw := file.readline(_LINE_BYTES):
        number += 1
        if number == 1:
            raw = raw.removeprefix(_BOM)
        ended = raw.endswith(b"\n")
        if not ended and len(raw) >= _LINE_BYTES - len(_BOM):
            _skip_line(file)
            yield _Line(number, "", ended=True, bad=f"the line is longer than {_LINE_BYTES} bytes")
            continue
        try:
            text = raw.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            at = error.start + 1
            yield _Line(number, "", ended, bad=f"not UTF-8 at byte {at}: save the file as UTF-8")
            continue
        yield _Line(number, text, ended)


def _skip_line(file: BinaryIO) -> None:
    while (rest := file.readline(_LINE_BYTES)) and not rest.endswith(b"\n"):
        pass


def _records(lines: Iterator[_Line]) -> Iterator[_Record]:
    """Every record of the file; blank lines are passed over."""
    waiting: deque[_Line] = deque()
    while (first := waiting.popleft() if waiting else next(lines, None)) is not None:
        if first.bad:
            yield _Record(first.number, _Bad(first.bad), first.ended)
        elif '"' not in first.text:
            if first.text.strip():
                yield _Record(first.number, first.text.split(","), first.ended)
        else:
            more = _rest_of_quoted(first, waiting, lines)
            fields = _quoted(first, more)
            if isinstance(fields, _Bad):
                waiting.extendleft(reversed(more))
            yield _Record(first.number, fields, (more or [first])[-1].ended)


def _rest_of_quoted(first: _Line, waiting: deque[_Line], lines: Iterator[_Line]) -> list[_Line]:
    """The lines after `first` that its open quote runs over: none when it has none."""
    more: list[_Line] = []
    quotes = first.text.count('"')
    while quotes % 2 and len(more) < _QUOTED_LINES:
        line = waiting.popleft() if waiting else next(lines, None)
        if line is None:
            break
        more.append(line)
        quotes += line.text.count('"')
    return more


def _quoted(first: _Line, more: Sequence[_Line]) -> list[str] | _Bad:
    text = "\n".join(line.text for line in (first, *more))
    if text.count('"') % 2:
        last = (more or [first])[-1]
        where = "" if len(more) == _QUOTED_LINES or last.ended else "; the file may have been cut"
        return _Bad(f"a quote that opens on this line is never closed{where}")
    for line in more:
        if line.bad:
            return _Bad(f"a quoted field runs into line {line.number}, which is bad: {line.bad}")
        if _looks_like_row(line.text):
            return _Bad(f"a quoted field runs into line {line.number}, which looks like a row")
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return _Bad("the quotes are not those of CSV: a quote within a field is written twice")


def _looks_like_row(text: str) -> bool:
    fields = text.split(",")
    return len(fields) >= len(COLUMNS) and not _KINDS.keys().isdisjoint(fields)


def _header(record: _Record, name: str) -> Mapping[str, int]:
    at = f"{name}, line {record.line}"
    if isinstance(record.fields, _Bad):
        raise SourceUnusable(f"{at}: the header cannot be read: {record.fields}")
    found = [field.strip().lower() for field in record.fields]
    wrong = [_misnamed(field) for field in found if field not in COLUMNS]
    wrong += [f"{column} stands there twice" for column in COLUMNS if found.count(column) > 1]
    wrong += [f"{column} is missing" for column in COLUMNS if column not in found]
    if wrong:
        raise SourceUnusable(
            f"{at}: the header is wrong: {'; '.join(wrong)}. It must be {','.join(COLUMNS)}"
        )
    return {column: found.index(column) for column in COLUMNS}


def _misnamed(field: str) -> str:
    shown = field if re.fullmatch(r"[a-z_ -]{1,30}", field) else "a name"
    return f"{shown} is no column{_did_you_mean(field, COLUMNS)}"


def _did_you_mean(given: str, known: Iterable[str]) -> str:
    near = nearest(given, known)
    return f" (did you mean {near}?)" if near else ""


def _row(record: _Record, columns: Mapping[str, int]) -> Row:
    fields = record.fields
    if isinstance(fields, _Bad):
        raise fields
    if len(fields) < len(columns) and not record.ended:
        raise _Bad("the file ends in the middle of this row: it may have been cut")
    if len(fields) != len(columns):
        raise _Bad(f"{len(fields)} fields where there must be {len(columns)}")
    value = {column: fields[at].strip() for column, at in columns.items()}
    number = _number(value["number"], "number")
    return Row(
        line=record.line,
        issuer=_issuer(value["issuer"]),
        number=number,
        number_to=_number_to(value["number_to"], number),
        kind=_one_of(_KINDS, value["kind"], "kind"),
        status=_one_of(_STATUSES, value["status"], "status"),
        recorded=_date(value["recorded"]),
    )


def _issuer(given: str) -> str:
    issuer = given.upper()
    if issuer in CODES:
        return issuer
    if not issuer:
        raise _Bad("the issuer is missing")
    shown = f" {issuer}" if re.fullmatch(r"[A-Z]{1,3}", issuer) else ""
    raise _Bad(f"unknown issuer{shown}: a State's code in Doc 9303, such as UTO, is needed")


def _number(given: str, column: str) -> str:
    number = given.replace("-", "").replace(" ", "")
    number = number.upper() if number.isascii() else number
    if not number:
        raise _Bad(f"the {column} is missing")
    if len(number) > NUMBER_LENGTH:
        raise _Bad(f"the {column} has {len(number)} characters: at most {NUMBER_LENGTH} are read")
    if not _NUMBER.fullmatch(number):
        at = next(at for at, one in enumerate(number, 1) if not _NUMBER.fullmatch(one))
        raise _Bad(f"character {at} of the {column} is neither a letter A-Z nor a digit")
    return number


def _number_to(given: str, number: str) -> str | None:
    if not given:
        return None
    number_to = _number(given, "number_to")
    if len(number_to) != len(number):
        raise _Bad("number_to is not as long as number: the ends of a range are of equal length")
    if number_to < number:
        raise _Bad("number_to stands before number: the range runs backwards")
    return None if number_to == number else number_to


def _one_of(known: Mapping[str, _T], given: str, column: str) -> _T:
    found = known.get(given.lower())
    if found is None:
        meant = _did_you_mean(given, known) or f": it is one of {', '.join(known)}"
        raise _Bad(f"unknown {column}{meant}" if given else f"the {column} is missing")
    return found


def _date(given: str) -> date:
    try:
        if _DATE.fullmatch(given):
            return date.fromisoformat(given)
    except ValueError:
        pass
    raise _Bad("recorded is no date: write it as 2026-01-05")
