"""Which version of a list is in force: putting the next one in, and going back to the one before.

The parts of a version are written and made durable first, under names that say their content. Then
the manifest is renamed into place: a cut at any moment leaves the old version or the new one. The
previous version's manifest and parts stay until the version after the next.
"""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from scanner.durable import sync_folder
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.layout import base_folder, overlay_folder, ranges_path
from scanner.watchlist.manifest import (
    IN_FORCE,
    PREVIOUS,
    Manifest,
    read_manifest,
    write_manifest,
)

BUILDING = ".building"
"""How folders that are written into begin; what is left of one, the next writer clears."""


class Busy(Exception):
    """Another process writes this list; the message says so in one line."""


class NoPrevious(Exception):
    """There is no version to go back to; the message says why in one line."""


def parts_of(lists: Path, manifest: Manifest) -> tuple[Path, ...]:
    """The folders and the file that a version is made of."""
    name = manifest.name
    parts = [base_folder(lists, name, manifest.base)]
    if manifest.overlay:
        parts.append(overlay_folder(lists, name, manifest.overlay))
    return (*parts, ranges_path(lists, name, manifest.ranges_digest))


@contextmanager
def alone(lists: Path, name: str) -> Iterator[Path]:
    """The list's folder, made if need be, with no other writer in it. Raises Busy, OSError."""
    folder = lists / name
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if made:
        sync_folder(lists)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                f"{folder}: another process is writing list {name}; wait until it has ended"
            ) from None
        yield folder


def in_force(lists: Path, name: str) -> Manifest | None:
    """The version that a new one follows: the one in force, or where its manifest is damaged the
    one before, so that a damaged list can be built again."""
    for suffix in (IN_FORCE, PREVIOUS):
        with suppress(FileNotFoundError, ListDamaged):
            return read_manifest(lists, name, suffix)
    return None


def next_version(lists: Path, name: str) -> int:
    """One more than any version there was: past a damaged manifest a number is left out."""
    known = lost = 0
    for suffix in (IN_FORCE, PREVIOUS):
        try:
            known = max(known, read_manifest(lists, name, suffix).version)
        except FileNotFoundError:
            continue
        except ListDamaged:
            lost += 1
    return known + lost + 1


def activate(lists: Path, manifest: Manifest) -> None:
    """Puts a version in force, durably. Its parts lie in their places already. The version that was
    in force becomes the previous one; what neither needs is removed. Raises OSError."""
    for part in parts_of(lists, manifest):
        part.stat()
    sync_folder(lists / manifest.name)
    before = in_force(lists, manifest.name)
    if before and before != manifest:
        write_manifest(lists, before, PREVIOUS)
    write_manifest(lists, manifest)
    clear(lists, manifest.name)


def rolled_back(lists: Path, name: str) -> Manifest:
    """Puts the previous version in force again, and gives it; the other becomes the previous one.
    Raises NoPrevious, OSError."""
    try:
        previous = read_manifest(lists, name, PREVIOUS)
    except FileNotFoundError:
        raise NoPrevious(f"{lists}: list {name} has no previous version") from None
    except ListDamaged as damage:
        raise NoPrevious(str(damage)) from None
    missing = [part for part in parts_of(lists, previous) if not part.exists()]
    if missing:
        raise NoPrevious(f"{missing[0]}: this part of version {previous.version} is not there")
    with suppress(FileNotFoundError, ListDamaged):
        now = read_manifest(lists, name)
        if now == previous:
            raise NoPrevious(f"{lists}: list {name} has no other version than {now.version}")
        write_manifest(lists, now, PREVIOUS)
    write_manifest(lists, previous)
    return previous


def clear(lists: Path, name: str) -> None:
    """Removes parts that no manifest names, and what is left of a manifest that was being written.
    While a manifest is there and cannot be read, no part is removed: it might name anything."""
    for left in lists.glob(f".{name}.*"):
        if left.name.startswith((f".{name}{IN_FORCE}.", f".{name}{PREVIOUS}.")):
            left.unlink(missing_ok=True)
    needed: set[Path] = set()
    for suffix in (IN_FORCE, PREVIOUS):
        try:
            needed |= set(parts_of(lists, read_manifest(lists, name, suffix)))
        except FileNotFoundError:
            continue
        except ListDamaged:
            return
    for kind in ("base-*", "overlay-*", "ranges-*"):
        for part in (lists / name).glob(kind):
            if part in needed:
                continue
            if part.is_dir():
                shutil.rmtree(part, ignore_errors=True)
            else:
                part.unlink(missing_ok=True)
