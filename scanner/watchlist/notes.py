"""What a build notes down beside its runs: its ranges and its bad rows, a line of JSON each.

Both are few. Ranges are held in memory when they are put in order, so a list has at most
`MOST_RANGES`.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

from scanner.mrz.document import Kind
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.ranges import Span
from scanner.watchlist.source import BadRow, Row

MOST_RANGES = 400_000
_BAD, _RANGES = "bad-rows", "ranges"


class TooManyRanges(Exception):
    """A source has more ranges than a list can hold; the message says so in one line."""


class Notes:
    """Two files in a build's folder. Used with `with`."""

    def __init__(self, folder: Path, sizes: Mapping[str, int]) -> None:
        """With `sizes`, goes on with files that are there, cut back to these bytes. Raises
        ValueError where one is shorter, OSError."""
        self._paths = {name: folder / name for name in (_BAD, _RANGES)}
        self._files = {}
        for name, path in self._paths.items():
            self._files[name] = file = path.open("ab" if sizes else "wb")
            if sizes:
                if file.tell() < sizes[name]:
                    raise ValueError("a note is shorter than it was")
                file.truncate(sizes[name])

    def __enter__(self) -> "Notes":
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files.values():
            file.close()

    def add(self, bad: Sequence[BadRow], ranges: Sequence[Row]) -> None:
        """Notes rows down."""
        for row in bad:
            self._note(_BAD, [row.line, row.reason])
        for one in ranges:
            told = (one.kind.value, one.status.value, one.recorded.isoformat())
            self._note(_RANGES, [one.line, one.issuer, one.number, one.number_to, *told])

    def kept(self) -> dict[str, int]:
        """Makes all notes durable and gives the sizes of their files."""
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())
        return {name: file.tell() for name, file in self._files.items()}

    def bad_rows(self) -> Iterator[BadRow]:
        """The bad rows noted so far."""
        for line, reason in self._noted(_BAD):
            yield BadRow(int(str(line)), str(reason))

    def spans(self) -> tuple[list[Span], list[tuple[int, int]]]:
        """The ranges, of those with the same issuer, kind and ends the last; and for each that a
        later one replaced both lines. Raises TooManyRanges."""
        latest: dict[tuple[str, ...], tuple[int, Span]] = {}
        replaced: list[tuple[int, int]] = []
        for row in self._noted(_RANGES):
            line, (issuer, low, high, kind, status, recorded) = int(str(row[0])), map(str, row[1:])
            span = Span(
                *(issuer, Kind(kind), len(low), low, high),
                ListStatus(status),
                date.fromisoformat(recorded),
            )
            key = (issuer, kind, low, high)
            if key in latest:
                replaced.append((latest[key][0], line))
            elif len(latest) == MOST_RANGES:
                raise TooManyRanges(f"a list holds at most {MOST_RANGES} ranges, and here are more")
            latest[key] = (line, span)
        return [span for _, span in latest.values()], replaced

    def _note(self, name: str, told: list[object]) -> None:
        self._files[name].write(json.dumps(told).encode() + b"\n")

    def _noted(self, name: str) -> Iterator[list[object]]:
        self._files[name].flush()
        with self._paths[name].open("rb") as file:
            for line in file:
                yield json.loads(line)
