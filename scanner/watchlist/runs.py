"""The records of a build on their way to their order: runs on disk, in little memory.

A record's key is a hash, so keys are spread evenly: records are dealt out to 256 files by the
highest byte of their key, and each file, a 256th of the list, is then sorted by itself. The files
one after the other are the whole in order. A file too long for memory is dealt out again by the
next byte. A sum over each file, kept apart from it, tells one that the disk has changed.

Of rows with the same issuer, number and kind the later holds. They share key, 64-bit hash of the
exact number and kind; two numbers that differ share all of these once in 2^64 pairs of look-alikes.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from scanner.durable import sync_folder
from scanner.watchlist.record_arrays import U64, Records

FILES: Final = 256
GATHERED = 1 << 18
"""Records that are gathered before they are dealt out."""
SORTED_AT_ONCE = 1 << 20
"""The longest file that is sorted in memory."""
MOST_ALIKE = 1 << 20
"""Records under one key: a look-up has to read them all."""
ROW = np.dtype([("key", "<u8"), ("exact", "<u8"), ("line", "<u8"), ("rest", "<u8")])

_KIND = np.uint64(0b111 << 32)
"""Where the kind stands in `rest`."""
_KEY_BYTES = 8

Rows = NDArray[np.void]


class RunsDamaged(Exception):
    """The files are not what was written; the message says so in one line."""


class TooManyAlike(Exception):
    """More numbers are look-alikes of each other than a list holds; the message is one line."""


@dataclass(frozen=True)
class Replaced:
    """Lines of rows that a later row replaced, and the lines of those; columns of equal length."""

    lines: U64
    by_lines: U64

    def __len__(self) -> int:
        return len(self.lines)


@dataclass
class Written:
    """What was written into the files: rows by file, and the sum of their words by file."""

    rows: list[int] = field(default_factory=lambda: [0] * FILES)
    sums: list[int] = field(default_factory=lambda: [0] * FILES)

    def copy(self) -> "Written":
        return Written([*self.rows], [*self.sums])


class Runs:
    """The files, in a folder; those that have rows are there. Used with `with`."""

    def __init__(self, folder: Path, written: Written | None = None) -> None:
        """With `written`, goes on with files that are there, cut back to that. Raises RunsDamaged
        where one is shorter, OSError."""
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._written = written.copy() if written else Written()
        self._held: list[Rows] = []
        self._count = 0
        self._stack = ExitStack()
        self._files: dict[int, BinaryIO] = {}
        self._changed: set[int] = set()
        for number, rows in enumerate(self._written.rows):
            _cut_back(_path(folder, number), rows)

    def __enter__(self) -> "Runs":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, rows: Rows) -> Replaced:
        """Takes rows in, and says which were replaced within what it held."""
        self._held.append(rows)
        self._count += len(rows)
        return self._deal() if self._count >= GATHERED else _NONE

    def kept(self) -> tuple[Written, Replaced]:
        """Makes all that was taken in durable. Gives what the files hold, and what was replaced on
        the way."""
        replaced = self._deal()
        for number in self._changed:
            self._files[number].flush()
            os.fsync(self._files[number].fileno())
        self._changed.clear()
        sync_folder(self._folder)
        return self._written.copy(), replaced

    def in_order(self) -> Iterator[tuple[Records, Replaced, float]]:
        """All that was made durable, in the order of a list: records, what was replaced, and what
        share of the whole is done. Raises RunsDamaged, TooManyAlike."""
        for number in range(FILES):
            if not self._written.rows[number]:
                continue
            path = _path(self._folder, number)
            _check(path, self._written.rows[number], self._written.sums[number])
            for rows, replaced in _sorted(path, 1):
                yield Records(rows["key"], rows["rest"]), replaced, (number + 1) / FILES

    def _deal(self) -> Replaced:
        if not self._count:
            return _NONE
        rows, replaced = _latest(np.concatenate(self._held))
        self._held, self._count = [], 0
        for number, part in _dealt(rows, 0):
            self._write(number, part)
            self._written.rows[number] += len(part)
            self._written.sums[number] = (self._written.sums[number] + _sum(part)) % 2**64
        return replaced

    def _write(self, number: int, rows: Rows) -> None:
        if number not in self._files:
            file = _path(self._folder, number).open("ab")
            self._files[number] = self._stack.enter_context(file)
        self._files[number].write(rows.tobytes())
        self._changed.add(number)


_NONE = Replaced(np.empty(0, np.uint64), np.empty(0, np.uint64))


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:02x}"


def _cut_back(path: Path, rows: int) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    with path.open("ab") as file:
        if file.tell() < rows * ROW.itemsize:
            raise RunsDamaged(f"{path}: it is shorter than what was written into it")
        file.truncate(rows * ROW.itemsize)


def _sum(rows: Rows) -> int:
    return int(np.ascontiguousarray(rows).view("<u8").sum(dtype=np.uint64))


def _portions(path: Path) -> Iterator[Rows]:
    with path.open("rb") as file:
        while len(rows := np.fromfile(file, ROW, GATHERED)):
            yield rows


def _check(path: Path, rows: int, total: int) -> None:
    found = [0, 0]
    for portion in _portions(path):
        found = [found[0] + len(portion), (found[1] + _sum(portion)) % 2**64]
    if found != [rows, total]:
        raise RunsDamaged(f"{path}: it is not what was written into it")


def _sorted(path: Path, depth: int) -> Iterator[tuple[Rows, Replaced]]:
    """The rows of a file in order. All share the first `depth` bytes of key and exact hash."""
    if path.stat().st_size <= SORTED_AT_ONCE * ROW.itemsize or depth == 2 * _KEY_BYTES:
        rows, replaced = _latest(np.fromfile(path, ROW))
        yield _ties_sorted(rows, rows["rest"]), replaced
    elif depth == _KEY_BYTES:
        yield _of_one_key(path)
    else:
        yield from _dealt_again(path, depth)


def _of_one_key(path: Path) -> tuple[Rows, Replaced]:
    parts: list[Rows] = []
    lines, by_lines = [], []
    for rows, replaced in _dealt_again(path, _KEY_BYTES):
        parts.append(rows)
        lines.append(replaced.lines)
        by_lines.append(replaced.by_lines)
        if sum(map(len, parts)) > MOST_ALIKE:
            line = int(rows["line"][0])
            raise TooManyAlike(
                f"line {line}: more than {MOST_ALIKE} numbers of one State differ from this one "
                "only by letters and digits that look alike, and no list holds so many"
            )
    rows = np.concatenate(parts)
    replaced = Replaced(np.concatenate(lines), np.concatenate(by_lines))
    return _ties_sorted(rows, rows["rest"]), replaced


def _dealt_again(path: Path, depth: int) -> Iterator[tuple[Rows, Replaced]]:
    """The same for a file that is too long: dealt out by the next byte."""
    folder = path.with_name(f"{path.name}-")
    folder.mkdir(exist_ok=True)
    with ExitStack() as stack:
        files = [stack.enter_context(_path(folder, number).open("wb")) for number in range(FILES)]
        for rows in _portions(path):
            for number, part in _dealt(rows, depth):
                files[number].write(part.tobytes())
    for number in range(FILES):
        yield from _sorted(_path(folder, number), depth + 1)
        _path(folder, number).unlink()
    folder.rmdir()


def _dealt(rows: Rows, depth: int) -> Iterator[tuple[int, Rows]]:
    """Rows by a byte of key and exact hash, the highest byte of each first."""
    column, place = ("key", depth) if depth < _KEY_BYTES else ("exact", depth - _KEY_BYTES)
    numbers = (rows[column] >> np.uint64(56 - 8 * place)).astype(np.uint8)
    order = np.argsort(numbers, kind="stable")
    ends = np.searchsorted(numbers[order], np.arange(FILES), side="right").tolist()
    rows = rows[order]
    begin = 0
    for number, end in enumerate(ends):
        if end > begin:
            yield number, rows[begin:end]
        begin = end


def _latest(rows: Rows) -> tuple[Rows, Replaced]:
    """The rows by key, of equal ones the last, and which others it replaced."""
    rows = rows[np.argsort(rows["key"], kind="stable")]
    rows = _ties_sorted(rows, rows["line"], rows["rest"] & _KIND, rows["exact"])
    if not len(rows):
        return rows, _NONE
    kinds = rows["rest"] & _KIND
    same = (
        (rows["key"][1:] == rows["key"][:-1])
        & (rows["exact"][1:] == rows["exact"][:-1])
        & (kinds[1:] == kinds[:-1])
    )
    if not same.any():
        return rows, _NONE
    replaced = Replaced(rows["line"][:-1][same], rows["line"][1:][same])
    return rows[np.append(~same, True)], replaced


def _ties_sorted(rows: Rows, *columns: U64) -> Rows:
    """Rows that are sorted by key, those with equal keys by columns, the last of which counts
    most."""
    tied = rows["key"][1:] == rows["key"][:-1]
    if not tied.any():
        return rows
    among = np.append(tied, False) | np.append(False, tied)
    some = rows[among]
    order = np.lexsort((*(column[among] for column in columns), some["key"]))
    rows = rows.copy()
    rows[among] = some[order]
    return rows
