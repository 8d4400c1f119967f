"""The sorted columns that every store is built from, and the keys that it is asked.

A record's key is a keyed hash, so keys are uniform over 64 bits whatever numbers are listed (the
stage `csv` holds a list of hashed numbers against this). So they are drawn and not hashed: how many
fall into each of many equal parts of the 64 bits, then each part's own, sorted. That needs little
memory at any size and is the same for a seed. No two of them are equal, which the peers' tables
could not hold. Kinds, statuses and days have the shares that `shares` says; tags are hashes too.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.listing.settings import Json, Settings
from benchmarks.listing.shares import classes_drawn, days_drawn
from scanner.watchlist.record_arrays import U64, Records, rest_column

KEYS, REST, HITS, HIT_RESTS, MISSES = (
    "keys.u64",
    "rest.u64",
    "hits.u64",
    "hit-rests.u64",
    "misses.u64",
)
PORTION = 1 << 20
_A_PART = 1 << 18
"""Records that a part of the 64 bits has, about."""


def drawn(count: int, seed: tuple[int, ...]) -> Iterator[U64]:
    """Uniform keys in order, in portions; equal ones may be among them."""
    bits = max(0, (count // _A_PART).bit_length())
    counts = np.random.default_rng(seed).multinomial(count, np.full(1 << bits, 1 / (1 << bits)))
    for part, size in enumerate(counts):
        low = part << (64 - bits)
        high = low + (1 << (64 - bits)) - 1
        source = np.random.default_rng((*seed, part))
        keys = source.integers(low, high, size, np.uint64, endpoint=True)
        keys.sort()
        yield keys


def make(settings: Settings) -> Json:
    """Writes both columns, and beside them the keys to be asked: listed ones in an order of chance
    with what belongs to them, and as many that are not listed."""
    settings.columns.mkdir(parents=True, exist_ok=True)
    source = np.random.default_rng((settings.seed, 2))
    wanted = np.sort(source.choice(settings.records, _asked(settings), replace=False))
    listed: list[Records] = []
    written = 0
    with (
        (settings.columns / KEYS).open("wb") as keys_file,
        (settings.columns / REST).open("wb") as rest_file,
    ):
        for records in _records(settings):
            records.keys.tofile(keys_file)
            records.rest.tofile(rest_file)
            here = wanted[(wanted >= written) & (wanted < written + len(records))] - written
            listed.append(records[here])
            written += len(records)
        for file in (keys_file, rest_file):
            file.flush()
            os.fsync(file.fileno())
    hits = Records.together(listed)
    hits = hits[source.permutation(len(hits))]
    hits.keys.tofile(settings.columns / HITS)
    hits.rest.tofile(settings.columns / HIT_RESTS)
    source.integers(0, 1 << 64, len(hits), np.uint64).tofile(settings.columns / MISSES)
    return {"records": written, "asked": len(hits)}


def portions(settings: Settings, size: int = PORTION) -> Iterator[Records]:
    """The columns from the disk, read and not mapped, so that memory is what the reader holds."""
    with (
        (settings.columns / KEYS).open("rb") as keys_file,
        (settings.columns / REST).open("rb") as rest_file,
    ):
        while len(keys := np.fromfile(keys_file, np.uint64, size)):
            yield Records(keys, np.fromfile(rest_file, np.uint64, size))


class OnDisk(Sequence[int]):
    """A column, number by number, read and not mapped. Used with `with`."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        self._count = os.fstat(self._file).st_size // 8

    def __enter__(self) -> "OnDisk":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: Any) -> Any:
        return int.from_bytes(os.pread(self._file, 8, at * 8), sys.byteorder)


def numbers_in(path: Path) -> NDArray[np.uint64]:
    return np.fromfile(path, np.uint64)


def _asked(settings: Settings) -> int:
    return min(settings.records, settings.asked + settings.cold)


def _records(settings: Settings) -> Iterator[Records]:
    """Exactly as many as wanted: an equal key is moved up by one until it is alone."""
    last = -1
    source = np.random.default_rng((settings.seed, 1))
    for keys in drawn(settings.records, (settings.seed, 0)):
        _set_apart(keys, last)
        last = int(keys[-1]) if len(keys) else last
        count = len(keys)
        classes, days = classes_drawn(count, source), days_drawn(count, source)
        tags = source.integers(0, 1 << 16, count, np.uint16)
        yield Records(keys, rest_column(classes, tags, days))


def _set_apart(keys: U64, last: int) -> None:
    while len(keys) and (
        int(keys[0]) <= last or len(equal := np.flatnonzero(keys[1:] <= keys[:-1]))
    ):
        if int(keys[0]) <= last:
            keys[0] = last + 1
            continue
        keys[equal + 1] = keys[equal] + np.uint64(1)
