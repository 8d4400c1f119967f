"""What changed since a list's base: records that were added, and ranks of those removed.

An overlay is a folder: a table of what was added (`table`), and the file `tombstones`, which holds
the ranks in the base of the records that are listed no longer, in runs (`elias_fano`) of RUN each.

    magic "BPTOMBS2" | root of the base 32 | root of the added table 32 | records of the base u64 |
    removals u64 | runs

The overlay's root is the digest of that file, BLAKE2b-256 under a personalisation of its own, so it
vouches for the removals and for every added record, over this one base. The file is held in memory
as it lies, some nine bits a removal, and searched there.

An overlay is canonical: what is added is the list less the base and what is removed the base less
the list, as multisets, and of equal records the first are the removed ones. So it follows from base
and list alone, by whatever deltas a device came there.
"""

import os
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from pathlib import Path
from struct import Struct
from typing import Final

from scanner.said import said
from scanner.watchlist.contract import CHANGED, damaged
from scanner.watchlist.elias_fano import Run, holds, run_at
from scanner.watchlist.table import Table, open_table

TOMBSTONES: Final = "tombstones"
MAGIC: Final = b"BPTOMBS2"
HEADER: Final = Struct("<8s32s32sQQ")
RUN: Final = 1024
"""Ranks in each run but the last."""

_ROOT = b"bp list overlay"
_MOST_BYTES = 256 * 1024 * 1024


def overlay_root(tombstones: bytes) -> str:
    """The root of the overlay that has this file of tombstones, in hexadecimal."""
    return blake2b(tombstones, digest_size=32, person=_ROOT).hexdigest()


@dataclass(frozen=True)
class Tombstones:
    """The file of tombstones, in memory. `base` and `adds` are roots in hexadecimal."""

    content: bytes
    base: str
    adds: str
    base_records: int
    removals: int
    runs: tuple[Run, ...]
    firsts: "array[int]"

    def has(self, rank: int) -> bool:
        """Whether the record with this rank in the base was removed."""
        place = bisect_right(self.firsts, rank) - 1
        return place >= 0 and holds(self.content, self.runs[place], rank)


def parsed(content: bytes) -> Tombstones:
    """A file of tombstones. Raises ValueError where it is none."""
    if len(content) < HEADER.size:
        raise ValueError(said("the file ends early"))
    magic, base, adds, base_records, removals = HEADER.unpack_from(content)
    if magic != MAGIC:
        raise ValueError(said("these are no tombstones, or of another format"))
    runs: list[Run] = []
    at, count = HEADER.size, 0
    while at < len(content):
        runs.append(run_at(content, at, RUN))
        at = runs[-1].end
        count += runs[-1].count
    firsts = array("Q", (run.first for run in runs))
    if count != removals or any(a >= b for a, b in pairwise(firsts)):
        raise ValueError(said("the tombstones are not as many as they should be, or out of order"))
    return Tombstones(content, base.hex(), adds.hex(), base_records, removals, tuple(runs), firsts)


class Overlay:
    """One overlay, open. Safe to ask from several threads."""

    def __init__(self, adds: Table, tombstones: Tombstones) -> None:
        self.adds: Final = adds
        self.tombstones: Final = tombstones

    @property
    def base(self) -> str:
        """The root of the base that this belongs over."""
        return self.tombstones.base

    @property
    def removals(self) -> int:
        """How many of the base's records are removed."""
        return self.tombstones.removals

    def is_removed(self, rank: int) -> bool:
        """Whether the base's record with this rank is listed no longer. Raises ListDamaged."""
        try:
            return self.tombstones.has(rank)
        except ValueError as error:
            path = self.adds.folder / TOMBSTONES
            raise damaged(path, error, self.adds.folder) from None

    def close(self) -> None:
        """Closes the files; the overlay answers nothing afterwards."""
        self.adds.close()


def open_overlay(folder: Path, root: str) -> Overlay:
    """Opens the overlay that has this root, in hexadecimal. Raises ListDamaged."""
    path = folder / TOMBSTONES
    try:
        with path.open("rb") as file:
            # What is asked for is taken of memory first, however little there is to read.
            content = file.read(min(_MOST_BYTES, os.fstat(file.fileno()).st_size))
    except OSError as error:
        raise damaged(path, error.strerror or error, folder) from None
    if overlay_root(content) != root:
        raise damaged(path, CHANGED, folder)
    try:
        tombstones = parsed(content)
    except ValueError as error:
        raise damaged(path, error, folder) from None
    return Overlay(open_table(folder, tombstones.adds), tombstones)
