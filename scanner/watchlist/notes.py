"""What a build notes down beside its runs: bad rows, replaced rows, and ranges.

Ranges have numbers of documents in clear, and a folder that is built into may lie on a card or a
web server: so they are noted encrypted under the list's key, as a list has them. They are held in
memory when they are put in order, so a list has at most `MOST_RANGES`.
"""

import json
import os
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import BinaryIO

from scanner.mrz.document import Kind
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.ranges import Span, opened, sealed
from scanner.watchlist.source import BadRow, Row

MOST_RANGES = 400_000
_BAD, _REPLACED, _RANGES = "bad-rows", "replaced-rows", "ranges"
_AT_ONCE = 5_000
"""Ranges that are gathered before they are encrypted and noted."""
_SIZE = struct.Struct("<I")
_LINES = struct.Struct("<QQ")


class NotesDamaged(Exception):
    """The files are not what was written; the message says so in one line."""


class TooManyRanges(Exception):
    """A source has more ranges than a list can hold; the message says so in one line."""


class Notes:
    """Three files in a build's folder. Used with `with`."""

    def __init__(self, folder: Path, key: ListKey, sizes: Mapping[str, int] | None = None) -> None:
        """With `sizes`, goes on with files that are there, cut back to these bytes. Raises
        NotesDamaged where one is shorter, OSError."""
        self._key = key
        self._sizes = dict.fromkeys((_BAD, _REPLACED, _RANGES), 0) | dict(sizes or {})
        self._paths = {name: folder / name for name in self._sizes}
        self._held: list[Row] = []
        with ExitStack() as stack:
            self._files = {
                name: stack.enter_context(_opened(path, self._sizes[name]))
                for name, path in self._paths.items()
            }
            self._stack = stack.pop_all()

    def __enter__(self) -> "Notes":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, bad: Sequence[BadRow], ranges: Sequence[Row]) -> None:
        """Notes rows down."""
        for row in bad:
            self._write(_BAD, json.dumps([row.line, row.reason]).encode() + b"\n")
        self._held += ranges
        if len(self._held) >= _AT_ONCE:
            self._seal()

    def add_replaced(self, lines: Sequence[int], by_lines: Sequence[int]) -> None:
        """Notes down which rows were replaced by which."""
        pairs = zip(lines, by_lines, strict=True)
        self._write(_REPLACED, b"".join(_LINES.pack(*pair) for pair in pairs))

    def kept(self) -> dict[str, int]:
        """Makes all notes durable and gives the sizes of their files."""
        self._seal()
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        return {**self._sizes}

    def bad_rows(self) -> Iterator[BadRow]:
        """The bad rows noted so far."""
        with self._reading(_BAD) as file:
            for line in file:
                try:
                    number, reason = json.loads(line)
                    yield BadRow(int(number), str(reason))
                except (ValueError, TypeError):
                    raise NotesDamaged(
                        f"{self._paths[_BAD]}: it is not what was written into it"
                    ) from None

    def replaced(self) -> Iterator[tuple[int, int]]:
        """The replaced rows noted so far, by their lines and those of the rows that replaced
        them."""
        with self._reading(_REPLACED) as file:
            while pair := file.read(_LINES.size):
                yield _LINES.unpack(pair)

    def spans(self) -> tuple[list[Span], list[tuple[int, int]]]:
        """The ranges, of those with the same issuer, kind and ends the last; and for each that a
        later one replaced both lines. Raises TooManyRanges, NotesDamaged."""
        latest: dict[tuple[str, ...], tuple[int, Span]] = {}
        replaced: list[tuple[int, int]] = []
        for line, *row in self._ranges():
            issuer, low, high, kind, status, recorded = map(str, row)
            span = Span(
                *(issuer, Kind(kind), len(low), low, high),
                ListStatus(status),
                date.fromisoformat(recorded),
            )
            key = (issuer, kind, low, high)
            if key in latest:
                replaced.append((latest[key][0], int(str(line))))
            elif len(latest) == MOST_RANGES:
                raise TooManyRanges(f"a list holds at most {MOST_RANGES} ranges, and here are more")
            latest[key] = (int(str(line)), span)
        return [span for _, span in latest.values()], replaced

    def _ranges(self) -> Iterator[list[object]]:
        with self._reading(_RANGES) as file:
            while size := file.read(_SIZE.size):
                block = file.read(_SIZE.unpack(size)[0])
                try:
                    yield from json.loads(opened(block, self._key))
                except ValueError as error:
                    raise NotesDamaged(f"{self._paths[_RANGES]}: {error}") from None

    def _seal(self) -> None:
        if not self._held:
            return
        rows = [
            (one.line, one.issuer, one.number, one.number_to, *_rest(one)) for one in self._held
        ]
        block = sealed(json.dumps(rows).encode(), self._key)
        self._write(_RANGES, _SIZE.pack(len(block)) + block)
        self._held = []

    def _write(self, name: str, content: bytes) -> None:
        self._files[name].write(content)
        self._sizes[name] += len(content)

    def _reading(self, name: str) -> BinaryIO:
        self._files[name].flush()
        return self._paths[name].open("rb")


def _rest(row: Row) -> tuple[str, str, str]:
    return row.kind.value, row.status.value, row.recorded.isoformat()


def _opened(path: Path, size: int) -> BinaryIO:
    file = path.open("ab")
    if file.tell() < size:
        file.close()
        raise NotesDamaged(f"{path}: it is shorter than what was written into it")
    file.truncate(size)
    return file
