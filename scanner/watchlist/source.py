"""Reads a list's source: the CSV that a list is built from (RFC 4180, UTF-8, with a header).

The columns are `issuer,number,number_to,kind,status,recorded,reference`, in any order. The file is
read once, a record at a time, so memory does not grow with it. Every bad row is reported with its
line and what is wrong, and reading goes on after it.

What a record is says `csv_records`; `portions` reads long files faster, by the same rules.

Nothing that is reported repeats a document number.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO, TypeVar

from scanner.mrz.document import Kind
from scanner.mrz.states import CODES
from scanner.spelling import nearest
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.csv_records import Bad, Position, Record, lines_of, records_of
from scanner.watchlist.records import FIRST_DAY, LAST_DAY

COLUMNS = ("issuer", "number", "number_to", "kind", "status", "recorded", "reference")
NUMBER_LENGTH = 30
"""The longest number that is accepted."""

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


def read_source(path: Path) -> Iterator[Row | BadRow]:
    """Every row of the file in order, good or bad.

    Raises SourceUnusable when the file cannot be read or its header is not that of a source.
    """
    try:
        with path.open("rb") as file:
            yield from read_rows(file, str(path))
    except OSError as error:
        raise SourceUnusable(f"{path}: {error.strerror or error}") from None


def check_source(path: Path) -> None:
    """Raises SourceUnusable when a file cannot be read or its header is not that of a source."""
    try:
        if not path.is_file() and path.exists() and not path.is_dir():
            raise SourceUnusable(f"{path}: a list is built from a file, and this is none")
        with path.open("rb") as file:
            header_of(records_of(lines_of(file, Position()), looks_like_row), str(path))
    except OSError as error:
        raise SourceUnusable(f"{path}: {error.strerror or error}") from None


def read_rows(file: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Like `read_source`, of an open file; `name` is used in errors."""
    records = records_of(lines_of(file, Position()), looks_like_row)
    columns = header_of(records, name)
    for record in records:
        yield row_or_bad(record, columns)


def header_of(records: Iterator[Record], name: str) -> Mapping[str, int]:
    """Where each column stands. Raises SourceUnusable."""
    first = next(records, None)
    if first is None:
        raise SourceUnusable(f"{name}: the file is empty; it must begin with {','.join(COLUMNS)}")
    return _header(first, name)


def row_or_bad(record: Record, columns: Mapping[str, int]) -> Row | BadRow:
    """What a record says, or what is wrong with it."""
    try:
        return _row(record, columns)
    except Bad as bad:
        return BadRow(record.line, str(bad))


def looks_like_row(text: str) -> bool:
    """Whether a line is a row of its own, so that no quoted field runs into it."""
    fields = text.split(",")
    return len(fields) >= len(COLUMNS) and not _KINDS.keys().isdisjoint(fields)


def _header(record: Record, name: str) -> Mapping[str, int]:
    at = f"{name}, line {record.line}"
    if isinstance(record.fields, Bad):
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


def _row(record: Record, columns: Mapping[str, int]) -> Row:
    fields = record.fields
    if isinstance(fields, Bad):
        raise fields
    if len(fields) < len(columns) and not record.ended:
        raise Bad("the file ends in the middle of this row: it may have been cut")
    if len(fields) != len(columns):
        raise Bad(f"{len(fields)} fields where there must be {len(columns)}")
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
        raise Bad("the issuer is missing")
    shown = f" {issuer}" if re.fullmatch(r"[A-Z]{1,3}", issuer) else ""
    raise Bad(f"unknown issuer{shown}: a State's code in Doc 9303, such as UTO, is needed")


def _number(given: str, column: str) -> str:
    number = given.replace("-", "").replace(" ", "")
    number = number.upper() if number.isascii() else number
    if not number:
        raise Bad(f"the {column} is missing")
    if len(number) > NUMBER_LENGTH:
        raise Bad(f"the {column} has {len(number)} characters: at most {NUMBER_LENGTH} are read")
    if not _NUMBER.fullmatch(number):
        at = next(at for at, one in enumerate(number, 1) if not _NUMBER.fullmatch(one))
        raise Bad(f"character {at} of the {column} is neither a letter A-Z nor a digit")
    return number


def _number_to(given: str, number: str) -> str | None:
    if not given:
        return None
    number_to = _number(given, "number_to")
    if len(number_to) != len(number):
        raise Bad("number_to is not as long as number: the ends of a range are of equal length")
    if number_to < number:
        raise Bad("number_to stands before number: the range runs backwards")
    return None if number_to == number else number_to


def _one_of(known: Mapping[str, _T], given: str, column: str) -> _T:
    found = known.get(given.lower())
    if found is None:
        meant = _did_you_mean(given, known) or f": it is one of {', '.join(known)}"
        raise Bad(f"unknown {column}{meant}" if given else f"the {column} is missing")
    return found


def _date(given: str) -> date:
    try:
        recorded = date.fromisoformat(given) if _DATE.fullmatch(given) else None
    except ValueError:
        recorded = None
    if recorded is None:
        raise Bad("recorded is no date: write it as 2026-01-05")
    if not FIRST_DAY <= recorded <= LAST_DAY:
        raise Bad(f"recorded lies outside what a list can hold: {FIRST_DAY} to {LAST_DAY}")
    return recorded
