"""Which of the issued documents a synthetic list holds: a rule that needs no list to be there.

A document is listed where a hash of its series and its place among those issued says so, alone, or
with all of its run: batches are stolen together. So a source file of any size can be written, and
of any number anywhere it is known whether it is listed, at 150 million records as at a thousand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.listing.formats import ISSUED, MILLION, SERIES, Indexes
from benchmarks.listing.shares import LAST_DAY, STATUSES, days_drawn
from scanner.watchlist.record_arrays import U64
from scanner.watchlist.records import date_of
from scanner.watchlist.source import COLUMNS

RUN = 50
"""Documents of a run that may be stolen together."""
_OF_RUNS = 0.2
"""How much of a list are runs."""
_AT_ONCE = 1 << 22
_BLANKS_EVERY = 10_000
"""Rows for which there is one range of stolen blanks, of a State that issues nothing else."""


@dataclass(frozen=True)
class World:
    """`records` documents listed, about, among `issued` of all States together."""

    records: int
    issued: int = ISSUED
    seed: int = 1

    @property
    def share(self) -> float:
        """Of the documents issued, how many are listed."""
        return self.records / self.issued

    def issued_of(self, series: int) -> int:
        return max(1, int(SERIES[series].issued * MILLION * self.issued / ISSUED))

    def is_listed(self, series: int, indexes: Indexes) -> NDArray[np.bool_]:
        """Whether these documents are listed; what was never issued is not."""
        there = (indexes >= 0) & (indexes < self.issued_of(series))
        in_run = self._chance(series, 1, indexes // RUN) < self.share * _OF_RUNS
        alone = self.share * (1 - _OF_RUNS) / (1 - self.share * _OF_RUNS)
        return there & (in_run | (self._chance(series, 0, indexes) < alone))

    def listed(self, series: int) -> Iterator[Indexes]:
        """All listed documents of a series, in portions."""
        issued = self.issued_of(series)
        for begin in range(0, issued, _AT_ONCE):
            indexes = np.arange(begin, min(issued, begin + _AT_ONCE), dtype=np.int64)
            yield indexes[self.is_listed(series, indexes)]

    def _chance(self, series: int, what: int, indexes: Indexes) -> NDArray[np.float64]:
        """A number from 0 to 1 for each, the same whenever it is asked (splitmix64)."""
        salt = np.uint64((self.seed * 1009 + series) * 4 + what)
        mixed = indexes.astype(np.uint64) + (salt << np.uint64(40))
        return _mixed(_mixed(mixed)) / 2.0**64


def write_source(path: Path, world: World) -> int:
    """Writes a list's source, the rows in an order of chance; gives how many there are."""
    rows = [row for series in range(len(SERIES)) for row in _rows(world, series)]
    rows += list(_blanks(len(rows) // _BLANKS_EVERY))
    order = np.random.default_rng((world.seed, 4)).permutation(len(rows)).tolist()
    with path.open("w", encoding="ascii") as file:
        file.write(",".join(COLUMNS) + "\n")
        for at in order:
            file.write(rows[at])
    return len(rows)


def _rows(world: World, series: int) -> Iterator[str]:
    of = SERIES[series]
    source = np.random.default_rng((world.seed, 5, series))
    names = [status.value for status in STATUSES]
    for indexes in world.listed(series):
        count = len(indexes)
        statuses = source.choice(len(names), count, p=list(STATUSES.values())).tolist()
        days = days_drawn(count, source).tolist()
        references = source.integers(0, 1 << 40, count).tolist()
        numbers = of.numbers(indexes)
        for number, status, day, reference in zip(numbers, statuses, days, references, strict=True):
            yield (
                f"{of.issuer},{number},,{of.kind.value},{names[status]},{_ISO[day]},"
                f"{reference:010x}\n"
            )


_ISO = [date_of(day).isoformat() for day in range(LAST_DAY + 1)]
_BLANKS_RECORDED = date(2025, 3, 14).isoformat()


def _blanks(count: int) -> Iterator[str]:
    for at in range(count):
        low, high = f"X{at:05}000", f"X{at:05}499"
        yield f"UTO,{low},{high},passport,stolen_blank,{_BLANKS_RECORDED},\n"


def _mixed(numbers: U64) -> U64:
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
