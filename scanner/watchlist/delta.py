"""Makes a delta: both versions are streamed in step, and what differs is written.

A delta must lead to the version that a device reaches which keeps its base: the new records as an
overlay over the old version's base. The roots that it names are reckoned from the records
themselves (`overlay_scan.express`), not from the delta; then the delta is tried on the old version
as a device would apply it, and given out only where both come to the same.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from scanner.watchlist.delta_apply import next_overlay
from scanner.watchlist.delta_blocks import additions_written, removals_written
from scanner.watchlist.delta_file import open_delta, write_delta
from scanner.watchlist.delta_header import MOST_CHANGES, DeltaHeader
from scanner.watchlist.in_step import Change, changes
from scanner.watchlist.layout import ranges_path
from scanner.watchlist.manifest import version_root
from scanner.watchlist.overlay_scan import express, scan_version
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.version import Version

Progress = Callable[[int, int], None]
"""Told how many records were read, and of how many."""


class NoDelta(Exception):
    """There can be no delta between two versions; the message says why in one line."""


@dataclass(frozen=True)
class Made:
    """A delta that was written, and its size in bytes."""

    header: DeltaHeader
    size: int


def make_delta(
    old: Version, new: Version, ranges: Path, out: Path, progress: Progress = lambda *_: None
) -> Made:
    """Writes the delta from one version of a list to a later one, which may have another base.

    `ranges` is the new version's file of ranges. The delta's version is the new one's, or the old
    one's and one where that is higher. Raises NoDelta, ListDamaged, OSError, and then leaves no
    file.
    """
    _check(old, new)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        place = Path(folder)
        overlay, changed = _compared(old, new, place / "overlay", progress)
        carried = ranges if old.manifest.ranges_digest != new.manifest.ranges_digest else None
        header = _header(old, new, overlay, changed, carried)
        body = chain(removals_written(changed.removed()), additions_written(changed.added()))
        size = write_delta(place / "delta", header, body, carried)
        with open_delta(place / "delta") as written:
            if next_overlay(old, written, place / "tried") != overlay:
                raise NoDelta(f"{out}: the delta does not lead where it should; report this fault")
        (place / "delta").replace(out)
    return Made(header, size)


def ranges_of(lists: Path, version: Version) -> Path:
    """The file of ranges of a version that lies in this folder of lists."""
    manifest = version.manifest
    return ranges_path(lists, manifest.name, manifest.ranges_digest)


class _Changed:
    """What is other in the new version. `removed` are ranks in the old one."""

    def __init__(self) -> None:
        self.count_removed = self.count_added = 0
        self._changes: list[Change] = []

    def take(self, change: Change) -> None:
        self._changes.append(change)
        self.count_removed += len(change.removed)
        self.count_added += len(change.added)
        if max(self.count_removed, self.count_added) > MOST_CHANGES:
            raise NoDelta(
                f"more than {MOST_CHANGES} records were added or removed, which no delta holds; "
                "publish the list whole"
            )

    def removed(self) -> U64:
        return np.concatenate([np.empty(0, np.uint64), *(one.removed for one in self._changes)])

    def added(self) -> Records:
        return Records.together(one.added for one in self._changes)


def _check(old: Version, new: Version) -> None:
    """Raises NoDelta where the versions are not two of one list, in this order."""
    before, after = old.manifest, new.manifest
    if before.name != after.name:
        raise NoDelta(f"these are two lists, {before.name} and {after.name}, and not two versions")
    if before.key_id != after.key_id:
        raise NoDelta(
            f"the old version is under key {before.key_id} and the new one under {after.key_id}; "
            "publish a list under a new key whole"
        )
    if after.as_of < before.as_of:
        raise NoDelta(
            f"the new version is right as of {after.as_of.isoformat()}, which is before the old "
            f"one, {before.as_of.isoformat()}; give the older one first"
        )


def _compared(
    old: Version, new: Version, folder: Path, progress: Progress
) -> tuple[str | None, _Changed]:
    """The root of the new version's overlay over the old one's base, and what changed."""
    changed = _Changed()
    base, root = old.base, old.manifest.base
    passes = 1 if old.overlay is None else 2
    total = passes * new.manifest.records
    if old.overlay is None:
        records = _told(scan_version(new), 0, total, progress)
        return express(records, base, root, folder, changed.take), changed
    for change in changes(scan_version(old), _told(scan_version(new), 0, total, progress)):
        changed.take(change)
    records = _told(scan_version(new), new.manifest.records, total, progress)
    return express(records, base, root, folder), changed


def _told(
    portions: Iterator[Records], done: int, total: int, progress: Progress
) -> Iterator[Records]:
    for portion in portions:
        yield portion
        done += len(portion)
        progress(done, total)


def _header(
    old: Version, new: Version, overlay: str | None, changed: _Changed, carried: Path | None
) -> DeltaHeader:
    before, after = old.manifest, new.manifest
    return DeltaHeader(
        name=before.name,
        key_id=before.key_id,
        from_root=before.root(),
        to_root=version_root(before.base, overlay, after.ranges_digest),
        from_version=before.version,
        to_version=max(after.version, before.version + 1),
        as_of=after.as_of,
        from_records=before.records,
        to_records=after.records,
        removals=changed.count_removed,
        additions=changed.count_added,
        ranges=after.ranges,
        ranges_digest=after.ranges_digest,
        ranges_bytes=carried.stat().st_size if carried is not None else 0,
    )
