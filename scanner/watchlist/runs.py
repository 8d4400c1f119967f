"""The records of a build on their way to their order: sorted runs on disk, in little memory.

A record's key is a hash, so keys are spread evenly: records are dealt out to 256 files by the
highest byte of their key, and each file, a 256th of the list, is then sorted by itself. The files
one after the other are the whole in order.

Of rows with the same issuer, number and kind the later holds. They share key, 64-bit hash of the
exact number and kind; two numbers that differ share all of these once in 2^64 pairs of look-alikes.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from scanner.watchlist.record_arrays import Records

FILES = 256
AT_ONCE = 1 << 18
"""Records that are gathered before they are dealt out."""
ROW = np.dtype([("key", "<u8"), ("exact", "<u8"), ("line", "<u8"), ("rest", "<u8")])

_KIND = np.uint64(0b111 << 32)
"""Where the kind stands in `rest`."""

Rows = NDArray[np.void]


@dataclass(frozen=True)
class Replaced:
    """Lines of rows that a later row replaced, and the lines of those; columns of equal length."""

    lines: NDArray[np.uint64]
    by_lines: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.lines)


class Runs:
    """The 256 files, in a folder. Used with `with`."""

    def __init__(self, folder: Path, sizes: Mapping[int, int] | None = None) -> None:
        """With `sizes`, bytes by file, goes on with files that are there, cut back to these sizes.
        Raises ValueError where one is shorter, OSError."""
        folder.mkdir(exist_ok=True)
        self._files: list[BinaryIO] = []
        self._held: list[Rows] = []
        self._count = 0
        for number in range(FILES):
            file = (folder / f"{number:02x}").open("ab" if sizes else "wb")
            self._files.append(file)
            if sizes:
                if file.tell() < sizes[number]:
                    raise ValueError("a run is shorter than it was")
                file.truncate(sizes[number])
        self._folder = folder

    def __enter__(self) -> "Runs":
        return self

    def __exit__(self, *_: object) -> None:
        for file in self._files:
            file.close()

    def add(self, rows: Rows) -> Replaced:
        """Takes rows in, and says which were replaced within what it held."""
        self._held.append(rows)
        self._count += len(rows)
        return self._deal() if self._count >= AT_ONCE else _none()

    def kept(self) -> tuple[dict[int, int], Replaced]:
        """Makes all that was taken in durable. Gives the sizes of the files, and what was replaced
        on the way."""
        replaced = self._deal()
        for file in self._files:
            file.flush()
            os.fsync(file.fileno())
        return {number: file.tell() for number, file in enumerate(self._files)}, replaced

    def in_order(self) -> Iterator[tuple[Records, Replaced]]:
        """The records of each file in the order of a list, and what was replaced."""
        for number in range(FILES):
            rows, replaced = _latest(np.fromfile(self._folder / f"{number:02x}", ROW))
            yield Records(rows["key"], rows["rest"]).in_order(), replaced

    def _deal(self) -> Replaced:
        if not self._count:
            return _none()
        rows, replaced = _latest(np.concatenate(self._held))
        self._held, self._count = [], 0
        numbers = (rows["key"] >> np.uint64(56)).astype(np.intp)
        ends = np.searchsorted(numbers, np.arange(FILES), side="right")
        begin = 0
        for number, end in enumerate(ends.tolist()):
            if end > begin:
                self._files[number].write(rows[begin:end].tobytes())
            begin = end
        return replaced


def _none() -> Replaced:
    return Replaced(np.empty(0, np.uint64), np.empty(0, np.uint64))


def _latest(rows: Rows) -> tuple[Rows, Replaced]:
    """The rows by key, of equal ones the last, and which others it replaced."""
    kinds = rows["rest"] & _KIND
    rows = rows[np.lexsort((rows["line"], kinds, rows["exact"], rows["key"]))]
    kinds = rows["rest"] & _KIND
    same = (
        (rows["key"][1:] == rows["key"][:-1])
        & (rows["exact"][1:] == rows["exact"][:-1])
        & (kinds[1:] == kinds[:-1])
    )
    replaced = Replaced(rows["line"][:-1][same], rows["line"][1:][same])
    return rows[np.append(~same, True)] if len(rows) else rows, replaced
