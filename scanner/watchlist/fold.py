"""Folds a version: base and overlay become a new base, and the overlay is gone.

All live records are streamed into a table (`table_writer`), which is to the byte the one that a
build from scratch of the same records gives; so its root can be held against the one that the
publisher signed. The old version answers until the new base is whole, and then stays as the
previous one.

A fold that is cut short leaves the list as it was, and the next one starts anew: to go on in the
middle it would have to keep what it knows of every page so far, and it costs minutes.
"""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from scanner.watchlist.activation import activate, alone, clear
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.layout import base_folder
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.overlay_scan import scan_version
from scanner.watchlist.placing import check_table, put_in_place, workshop
from scanner.watchlist.table_writer import TableWriter
from scanner.watchlist.version import Version, open_version

Progress = Callable[[int, int], None]
"""Told how many records are done, and of how many."""


class FoldRefused(Exception):
    """Nothing was folded or changed; the message says why in one line."""


def fold(
    lists: Path,
    name: str,
    key: ListKey,
    *,
    expected_root: str | None = None,
    progress: Progress = lambda *_: None,
) -> Manifest:
    """Makes base and overlay of the version in force one base, and puts that in force. A version
    without an overlay stays as it is.

    `expected_root` is what the folded version's root must be, in hexadecimal, as its publisher
    signed it. Raises FoldRefused, ListDamaged, Busy, OSError, and then the list is what it was.
    """
    with alone(lists, name) as folder, workshop(folder) as place:
        try:
            before = read_manifest(lists, name)
        except FileNotFoundError:
            raise FoldRefused(f"{lists}: there is no list {name} to fold") from None
        if before.overlay is None:
            _hold_against(before, expected_root)
            clear(lists, name)
            return before
        base = _built(lists, before, key, place / "base", progress)
        after = replace(before, base=base, overlay=None)
        _hold_against(after, expected_root)
        target = base_folder(lists, name, base)
        try:
            put_in_place(place / "base", target, lambda table: check_table(table, base))
            open_version(lists, after, key).close()
            activate(lists, after)
        except BaseException:
            clear(lists, name)
            raise
    return after


def _built(lists: Path, before: Manifest, key: ListKey, folder: Path, progress: Progress) -> str:
    """The new base of a version on disk, which is let go of before another is opened."""
    with closing(open_version(lists, before, key)) as version:
        return folded_base(version, folder, progress)


def folded_base(version: Version, folder: Path, progress: Progress = lambda *_: None) -> str:
    """Writes a table of all live records of a version and gives its root. Raises ListDamaged,
    OSError."""
    done = 0
    with TableWriter(folder, version.manifest.key_id) as writer:
        for records in scan_version(version):
            writer.append(records)
            done += len(records)
            progress(done, version.manifest.records)
        if done != version.manifest.records:
            raise ListDamaged(
                f"{version.base.folder}: {done} records are listed, and the manifest says "
                f"{version.manifest.records}; fetch the list again",
                part=version.base.folder,
            )
        return writer.finish()


def _hold_against(manifest: Manifest, expected_root: str | None) -> None:
    if expected_root is not None and manifest.root() != expected_root:
        raise FoldRefused(
            f"list {manifest.name}: folded it has the root {manifest.root()}, and "
            f"{expected_root} was expected; nothing was changed; fetch the list whole"
        )
