"""Puts a version in force whose files came one by one, and makes a version in force younger.

Files that were fetched are linked into the list's workshop, so that nothing has to be fetched again
where this is cut short; the parts are read whole against their roots before they get their names.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from scanner.watchlist.activation import activate, alone, clear
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.layout import base_folder, overlay_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import IN_FORCE, Manifest, read_manifest, write_manifest
from scanner.watchlist.parts import BASE, OVERLAY, RANGES, files_of, parts_in
from scanner.watchlist.placing import check_overlay, check_table, put_in_place, workshop
from scanner.watchlist.version import open_version


class WholeRefused(Exception):
    """The files are not the version that they should be; the message says why in one line, and the
    list is what it was."""


def places_of(manifest: Manifest) -> Mapping[str, str]:
    """Where the files of a version stand, by the places that a publication names: the part and the
    file in it. The values are the part's kind."""
    kinds = [BASE, *([OVERLAY] if manifest.overlay else [])]
    found = {f"{kind}/{name}": kind for kind in kinds for name in files_of(kind)}
    return {**found, RANGES: RANGES}


def put_whole(lists: Path, manifest: Manifest, files: Mapping[str, Path], key: ListKey) -> Manifest:
    """Puts `manifest` in force with `files`, by their places. Raises WholeRefused, Busy, OSError,
    and then the list is what it was."""
    name = manifest.name
    missing = set(places_of(manifest)) ^ set(files)
    if missing:
        raise WholeRefused(
            f"list {name}: {min(missing)} is missing or too much in what was fetched"
        )
    with alone(lists, name) as folder, workshop(folder) as place:
        for where, file in files.items():
            _link(file, place.joinpath(*PurePosixPath(where).parts))
        kinds = set(places_of(manifest).values())
        _put_in_force(lists, {kind: place / kind for kind in kinds}, manifest, key, verify=True)
    return manifest


def link_version(source: Path, lists: Path, manifest: Manifest) -> None:
    """Puts in force in the folder `lists` a version that lies in the folder `source`, without
    copying where both are on one disk. Raises Busy, OSError."""
    with alone(lists, manifest.name):
        pairs = zip(parts_in(source, manifest), parts_in(lists, manifest), strict=True)
        for part, target in pairs:
            if not target.path.exists():
                _link_all(part.path, target.path)
        activate(lists, manifest)


def adopt(lists: Path, stage: Path, name: str, key: ListKey) -> Manifest:
    """Puts in force in `lists` the version that is in force in the folder `stage`, on the same
    disk. Raises WholeRefused, Busy, OSError, and then the list is what it was."""
    with alone(lists, name):
        manifest = read_manifest(stage, name)
        there = {part.kind: part.path for part in parts_in(lists, manifest)}
        laid_out = {part.kind: part.path for part in parts_in(stage, manifest)}
        # What came from `lists` by links is still there, and was never read for it.
        new = {kind: path for kind, path in laid_out.items() if not _is_same(path, there[kind])}
        _put_in_force(lists, new, manifest, key, verify=False)
    return manifest


def renew(lists: Path, name: str, root: str, as_of: datetime) -> Manifest:
    """Says of the version in force, which has this root, that it is right up to `as_of`; an earlier
    moment changes nothing. What an update left that was cut when it had put the version in force is
    removed. Raises FileNotFoundError, ListDamaged, Busy, OSError."""
    with alone(lists, name):
        now = read_manifest(lists, name)
        if now.root() == root and now.as_of < as_of:
            now = replace(now, as_of=as_of)
            write_manifest(lists, now, IN_FORCE)
        clear(lists, name)
    return now


def _put_in_force(
    lists: Path, new: Mapping[str, Path], manifest: Manifest, key: ListKey, *, verify: bool
) -> None:
    """Moves the parts that are new, by their kind, to where their content says, and activates the
    version; with `verify` they are read whole first. Raises WholeRefused, OSError."""
    try:
        _take_places(lists, new, manifest, verify=verify)
        open_version(lists, manifest, key).close()
        activate(lists, manifest)
    except ListDamaged as damage:
        clear(lists, manifest.name)
        told = f"list {manifest.name}: what was fetched is not whole: {damage}"
        raise WholeRefused(told) from None
    except BaseException:
        clear(lists, manifest.name)
        raise


def _take_places(lists: Path, new: Mapping[str, Path], manifest: Manifest, *, verify: bool) -> None:
    name, base, overlay = manifest.name, manifest.base, manifest.overlay
    moves: list[tuple[str, Path, Callable[[Path], None]]] = [
        (BASE, base_folder(lists, name, base), lambda folder: check_table(folder, base))
    ]
    if overlay is not None:
        target = overlay_folder(lists, name, overlay)
        moves.append((OVERLAY, target, lambda folder: check_overlay(folder, overlay)))
    for kind, target, check in moves:
        if kind in new:
            if verify:
                check(new[kind])
            put_in_place(new[kind], target, check)
    if RANGES in new:
        new[RANGES].replace(ranges_path(lists, name, manifest.ranges_digest))


def _is_same(one: Path, other: Path) -> bool:
    """Whether two files are one, or every file of two folders is."""
    if not other.exists():
        return False
    if one.is_dir():
        return all(_is_same(file, other / file.name) for file in one.iterdir())
    return one.samefile(other)


def _link_all(source: Path, target: Path) -> None:
    """Links a file, or every file of a folder, whole or not at all."""
    made = target.with_name(f".{target.name}.new")
    if made.is_dir():
        shutil.rmtree(made)
    made.unlink(missing_ok=True)
    if source.is_dir():
        made.mkdir()
        for file in source.iterdir():
            _link(file, made / file.name)
    else:
        _link(source, made)
    made.rename(target)


def _link(file: Path, target: Path) -> None:
    """The file under another name; a copy where the disk knows no links."""
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(file, target)
    except OSError:
        shutil.copyfile(file, target)
