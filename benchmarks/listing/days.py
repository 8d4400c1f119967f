"""What a list gains and loses day by day: the same for a seed, whoever is updated by it.

A day adds records with fresh keys, most of them recorded on the day or just before, and removes
records that are found again or ran out, from anywhere in the list; one in twenty of those that it
removes was added the day before. Small lists have smaller days.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.listing import columns
from benchmarks.listing.settings import Settings
from benchmarks.listing.shares import LAST_DAY, classes_drawn
from scanner.watchlist.record_arrays import U64, Records, rest_column

_MOST_ADDED_SHARE, _MOST_REMOVED_SHARE = 100, 500
_OF_THE_DAY_BEFORE = 20
_DAYS_LATE = 3.0
"""On average, from the day of recording to the day of the update."""
_OLDEST = 365


@dataclass(frozen=True)
class Day:
    """One day's changes. `removed` are ranks in the base, in order; `removed_adds` are records that
    the day before added. All in the order of records."""

    added: Records
    removed: U64
    removed_adds: Records


def adds_of(settings: Settings) -> int:
    return min(settings.adds, max(20, settings.records // _MOST_ADDED_SHARE))


def removals_of(settings: Settings) -> int:
    return min(settings.removals, max(20, settings.records // _MOST_REMOVED_SHARE))


def days(settings: Settings) -> Iterator[Day]:
    """Every day of the run, from the first on."""
    recent = removals_of(settings) // _OF_THE_DAY_BEFORE
    from_base = removals_of(settings) - recent
    source = np.random.default_rng((settings.seed, 8))
    ranks = source.choice(settings.records, settings.days * from_base, replace=False)
    before = Records.none()
    for number in range(settings.days):
        removed = np.sort(ranks[number * from_base : (number + 1) * from_base]).astype(np.uint64)
        gone = np.sort(source.choice(len(before), recent, replace=False)) if len(before) else None
        removed_adds = before[gone] if gone is not None else Records.none()
        before = _added(settings, number, source)
        yield Day(before, removed, removed_adds)


def lateness_bits() -> float:
    """Bits that the day of a record carries in the day's update that brings it."""
    shares = np.exp(-np.arange(_OLDEST) / _DAYS_LATE)
    shares /= shares.sum()
    return float(-(shares * np.log2(shares)).sum())


def keys_at(settings: Settings, ranks: U64) -> U64:
    """The keys of the base's records with these ranks."""
    with columns.OnDisk(settings.columns / columns.KEYS) as keys:
        return np.array([keys[rank] for rank in ranks.tolist()], np.uint64)


def ranks_below(settings: Settings, sought: U64) -> U64:
    """How many of the base's keys are smaller than each of these."""
    with columns.OnDisk(settings.columns / columns.KEYS) as keys:
        return np.array([bisect_left(keys, key) for key in sought.tolist()], np.uint64)


def after(settings: Settings, changes: list[Day]) -> Iterator[Records]:
    """The whole list after these days in order, from the columns: what a build from scratch is
    given."""
    removed, added = total(changes)
    rank = at = 0
    for part in columns.portions(settings):
        begin, end = np.searchsorted(removed, np.array([rank, rank + len(part)], np.uint64))
        kept = np.ones(len(part), np.bool_)
        kept[(removed[begin:end] - np.uint64(rank)).astype(np.int64)] = False
        upto = int(np.searchsorted(added.keys, part.keys[-1], "right"))
        yield Records.together([part[kept], added[at:upto]]).in_order()
        rank, at = rank + len(part), upto
    yield added[at:]


def total(changes: list[Day]) -> tuple[U64, Records]:
    """Ranks in the base of all that these days removed of it, and what they added and did not
    remove again."""
    removed = np.sort(np.concatenate([day.removed for day in changes]))
    added = Records.together([day.added for day in changes]).in_order()
    again = Records.together([day.removed_adds for day in changes])
    kept = np.ones(len(added), np.bool_)
    kept[_places(added, again)] = False
    return removed, added[kept]


def _places(of: Records, these: Records) -> NDArray[np.int64]:
    """Where records stand; keys that were drawn are alone among what is added."""
    return np.searchsorted(of.keys, these.keys).astype(np.int64)


def _added(settings: Settings, number: int, source: np.random.Generator) -> Records:
    count = adds_of(settings)
    keys = np.concatenate(list(columns.drawn(count, (settings.seed, 9, number))))
    late = (source.standard_exponential(count) * _DAYS_LATE).astype(np.int64) % _OLDEST
    day = (LAST_DAY + 1 + number - late).astype(np.uint16)
    tags = source.integers(0, 1 << 16, count, np.uint16)
    return Records(keys, rest_column(classes_drawn(count, source), tags, day)).in_order()
