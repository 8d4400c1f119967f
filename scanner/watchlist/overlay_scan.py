"""All live records of a version in order, in portions: for folds, deltas and exhaustive checks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scanner.watchlist.contract import damaged
from scanner.watchlist.elias_fano_arrays import decode
from scanner.watchlist.in_step import Change, changes, merge
from scanner.watchlist.overlay import TOMBSTONES, Overlay
from scanner.watchlist.overlay_writer import OverlayWriter
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.table import Table
from scanner.watchlist.table_scan import scan
from scanner.watchlist.version import Version


def removed_ranks(overlay: Overlay | None) -> NDArray[np.uint32]:
    """Every rank in the base that is listed no longer, in order. Raises ListDamaged."""
    if overlay is None:
        return np.empty(0, np.uint32)
    tombstones = overlay.tombstones
    ranks, at = np.empty(tombstones.removals, np.uint32), 0
    try:
        for run in tombstones.runs:
            numbers = decode(tombstones.content, run)
            if int(numbers[-1]) >= tombstones.base_records:
                raise ValueError("a tombstone is of a record that the base has not")
            ranks[at : at + run.count] = numbers
            at += run.count
        if bool((ranks[1:] <= ranks[:-1]).any()):
            raise ValueError("the tombstones do not rise")
    except ValueError as error:
        folder = overlay.adds.folder
        raise damaged(folder / TOMBSTONES, error, folder) from None
    return ranks


def scan_version(version: Version) -> Iterator[Records]:
    """The version's records in order, every page verified, in portions of some 44,000. Raises
    ListDamaged."""
    if version.overlay is None:
        return scan(version.base)
    return merge(_kept(version.base, version.overlay), scan(version.overlay.adds))


def express(
    records: Iterator[Records],
    base: Table,
    base_root: str,
    folder: Path,
    seen: Callable[[Change], None] = lambda change: None,
) -> str | None:
    """Writes the overlay that makes these records of a base, from scratch, and gives its root: what
    a device that holds the base must come to, by whatever deltas. None where base and records are
    the same. `seen` is told every change. Raises ListDamaged, OSError."""
    with OverlayWriter(folder, base.directory.key_id, base_root, base.records) as writer:
        for change in changes(scan(base), records):
            seen(change)
            writer.remove(change.removed)
            writer.add(change.added)
        return writer.finish()


def _kept(base: Table, overlay: Overlay) -> Iterator[Records]:
    """The base's records less those that were removed."""
    removed, rank = removed_ranks(overlay), 0
    for portion in scan(base):
        ends = np.array([rank, rank + len(portion)], np.uint32)
        begin, end = np.searchsorted(removed, ends)
        yield without(portion, removed[begin:end].astype(np.int64) - rank)
        rank += len(portion)


def without(records: Records, places: NDArray[np.int64]) -> Records:
    """The records less those at these places."""
    if not len(places):
        return records
    kept = np.ones(len(records), np.bool_)
    kept[places] = False
    return records[kept]
