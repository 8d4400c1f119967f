"""One version of a list, open: its base, what changed since, and its ranges of stolen blanks.

What is listed is the base's records less those that the overlay removed, and the overlay's own.
Opening reads the directories against their roots and every file's size; pages are verified as they
are read. A version whose parts do not add up to what its manifest says is damaged.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner.said import said
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.layout import base_folder, overlay_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest
from scanner.watchlist.overlay import Overlay, open_overlay
from scanner.watchlist.ranges import Ranges, open_ranges
from scanner.watchlist.records import Record
from scanner.watchlist.table import Table, open_table


@dataclass(frozen=True)
class Version:
    """A version's parts, open. Safe to ask from several threads."""

    manifest: Manifest
    base: Table
    overlay: Overlay | None
    ranges: Ranges

    def find(self, key: int) -> tuple[Record, ...]:
        """Every listed record with this key. Raises ListDamaged.

        All records of the key are seen, in the base and in the overlay, before one that was removed
        is left out: a tombstone is of one record, and others may be its equals.
        """
        found = self.base.find(key)
        if self.overlay is None:
            return tuple(self.base.record(key, one) for one in found)
        added = self.overlay.adds.find(key)
        listed = [one for one in found if not self.overlay.is_removed(one[0])]
        return (
            *(self.base.record(key, one) for one in listed),
            *(self.overlay.adds.record(key, one) for one in added),
        )

    @property
    def pages(self) -> int:
        """How many pages `scrubbed` reads."""
        tables = [self.base] if self.overlay is None else [self.base, self.overlay.adds]
        return sum(one.directory.pages + one.directory.detail_pages for one in tables)

    def scrubbed(self) -> Iterator[int]:
        """Reads every page against its digest, giving after each how many were read. Raises
        ListDamaged at the first that is not whole."""
        read = 0
        for read in self.base.scrubbed():
            yield read
        for more in self.overlay.adds.scrubbed() if self.overlay else ():
            yield read + more

    def close(self) -> None:
        """Closes all files; the version answers nothing afterwards."""
        self.base.close()
        if self.overlay is not None:
            self.overlay.close()


def open_version(lists: Path, manifest: Manifest, key: ListKey) -> Version:
    """Opens a version with the key that its manifest names. Raises ListDamaged."""
    name = manifest.name
    if key.id != manifest.key_id:
        raise ValueError(f"list {name} is under key {manifest.key_id}, not {key.id}")
    with ExitStack() as opened:
        with _part(base_folder(lists, name, manifest.base)) as folder:
            base = opened.enter_context(closing(open_table(folder, manifest.base)))
        overlay = None
        if manifest.overlay:
            with _part(overlay_folder(lists, name, manifest.overlay)) as folder:
                overlay = opened.enter_context(closing(open_overlay(folder, manifest.overlay)))
        with _part(ranges_path(lists, name, manifest.ranges_digest)) as path:
            ranges = open_ranges(path, manifest.ranges_digest, key)
        version = Version(manifest, base, overlay, ranges)
        with _part(base.folder):
            _add_up(version)
        opened.pop_all()
    return version


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Says of damage that it is in this part of the version."""
    try:
        yield path
    except ListDamaged as damage:
        raise ListDamaged(str(damage), part=path) from None


def _add_up(version: Version) -> None:
    """Raises ListDamaged where the parts are not those of one version under one key."""
    manifest, overlay = version.manifest, version.overlay
    tables = [version.base, overlay.adds] if overlay else [version.base]
    if any(table.directory.key_id != manifest.key_id for table in tables):
        raise ListDamaged(
            said("{folder}: it was built under another key", folder=version.base.folder)
        )
    if overlay and overlay.base != manifest.base:
        raise ListDamaged(
            said("{folder}: it says what changed since another base", folder=overlay.adds.folder)
        )
    records = version.base.records + (overlay.adds.records - overlay.removals if overlay else 0)
    if records != manifest.records:
        raise ListDamaged(
            said(
                "{folder}: the version has {records} records, its manifest says {due}",
                folder=version.base.folder,
                records=records,
                due=manifest.records,
            )
        )
