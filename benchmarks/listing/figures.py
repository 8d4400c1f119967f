"""The figures of a run beside their goals, and what it did not measure.

A figure whose stage did not come to its end is told as not measured, with the reason: none is ever
left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.listing import change_rows, store_rows
from benchmarks.listing.results import NotMeasured, Results, Row
from benchmarks.listing.settings import Settings


@dataclass(frozen=True)
class Figure:
    """One row. `holds` says whether the goal was reached; None where there is none, or nothing was
    measured."""

    name: str
    goal: str
    measured: str
    holds: bool | None = None


def figures_of(
    settings: Settings,
    not_done: Mapping[str, str],
    rows: Sequence[tuple[str, str, Row]] | None = None,
) -> list[Figure]:
    """Every figure, measured or not: those of the lists' benchmark, unless others are given."""
    results = Results(settings)
    figures = []
    for name, goal, row in _ROWS if rows is None else rows:
        try:
            measured, holds = row(results)
        except NotMeasured as missing:
            why = not_done.get(str(missing), "its stage was not run")
            figures.append(Figure(name, goal, f"not measured: {why} ({missing})"))
        else:
            figures.append(Figure(name, goal, measured, holds))
    return figures


_ROWS: tuple[tuple[str, str, Row], ...] = (
    ("key store, with directory and hashes", "≤ 1.03 × the bound", store_rows.key_store),
    ("key and class", "≤ 6.2 B a record", store_rows.key_and_class),
    (
        "everything (with date and tag)",
        "≤ 10.4 B a record, SQLite and LMDB at least 2 × larger",
        store_rows.everything,
    ),
    (
        "read from the disk per key, cold",
        "one 4 KiB page, one more on a match",
        store_rows.cold,
    ),
    ("warm look-up, verified, key and class", "≤ 5 × LMDB, ≤ 2 × SQLite", store_rows.warm_key),
    ("warm look-up, date and tag of a match too", "≤ 5 × LMDB, ≤ 2 × SQLite", store_rows.warm_all),
    ("memory of a process that only looks up", "≤ 40 MB", store_rows.memory),
    ("build from sorted keys", "≤ 1/8 of SQLite's CPU time, ≤ 512 MB", store_rows.build),
    ("build from CSV, CPU time by stage", "linear in rows, ≤ 512 MB", change_rows.csv),
    ("memory of whatever builds, changes or folds", "≤ 512 MB", change_rows.stages_memory),
    ("a day's delta, all fields", "≤ 1.2 MB, ≤ 1.15 × its entropy", change_rows.delta),
    ("applying a day", "as published", change_rows.apply),
    ("the same, cold, with an overlay", "two pages, one more on a match", change_rows.cold_overlay),
    ("the same memory with an overlay", "≤ 40 MB", change_rows.memory_overlay),
    (
        "folding the days",
        "bit-identical to a build from scratch, ≤ 64 MB above the reader",
        change_rows.fold,
    ),
    ("random probes", "0 false alarms, < 1e-8 expected a scan", store_rows.probes),
    ("kill -9 at random moments", "0 wrong answers, 0 lists lost", change_rows.kills),
    ("POSSIBLE for a clean traveller", "computed", change_rows.possible),
)
