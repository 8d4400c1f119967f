"""Applies a delta on a device: the overlay of the next version, beside the base that stays.

The new overlay is written from the old one, the delta and single pages of the base, in order and in
little memory. Only when its root and those of the other parts come to the one that the delta names
is the new version put in force; otherwise, or when it is cut short, the list is what it was.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scanner.watchlist.activation import activate, alone, clear
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.delta_file import Delta, open_delta
from scanner.watchlist.delta_header import DeltaHeader, DeltaRefused
from scanner.watchlist.delta_places import I64, Places
from scanner.watchlist.in_step import merge
from scanner.watchlist.layout import overlay_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.overlay_scan import without
from scanner.watchlist.overlay_writer import OverlayWriter
from scanner.watchlist.placing import check_overlay, put_in_place, workshop
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.table_scan import scan
from scanner.watchlist.version import Version, open_version

_RANKS_AT_ONCE = 1 << 16


def apply_delta(lists: Path, name: str, delta: Path, key: ListKey) -> Manifest:
    """Brings a list to the version that a delta leads to, and puts it in force. A delta that was
    applied before changes nothing. Raises DeltaRefused, ListDamaged, Busy, OSError, and then the
    list is what it was."""
    with (
        open_delta(delta) as opened,
        alone(lists, name) as folder,
        workshop(folder) as place,
    ):
        before = _in_force(lists, name, delta)
        if _is_there(opened.header, before):
            clear(lists, name)
            return before
        _check_fit(opened, before, key)
        overlay = _built(lists, before, key, opened, place / "overlay")
        after = opened.header.result(before, overlay)
        if after.root() != opened.header.to_root:
            raise _refusal(opened, "what it makes of the list is not what it says it does")
        try:
            _put_in_force(lists, place, opened, after, key)
        except BaseException:
            clear(lists, name)
            raise
    return after


def next_overlay(version: Version, delta: Delta, folder: Path) -> str | None:
    """Writes the overlay of the version that a delta leads to and gives its root; None where that
    version is the base. Raises DeltaRefused, ListDamaged, OSError."""
    places = Places(version)
    of_base, of_adds = places.removed(delta.removals())
    back: set[int] = set()
    old = iter(()) if version.overlay is None else scan(version.overlay.adds)
    base = version.manifest.base
    with OverlayWriter(folder, version.manifest.key_id, base, version.base.records) as writer:
        for records in merge(_kept(old, of_adds), _new(places, delta, back)):
            writer.add(records)
        for ranks in _removed(places.tombstones, of_base, back):
            writer.remove(ranks)
        return writer.finish()


def _built(lists: Path, before: Manifest, key: ListKey, delta: Delta, folder: Path) -> str | None:
    """The same from a version on disk, which is let go of before another is opened."""
    with closing(open_version(lists, before, key)) as version:
        return next_overlay(version, delta, folder)


def _in_force(lists: Path, name: str, delta: Path) -> Manifest:
    try:
        return read_manifest(lists, name)
    except FileNotFoundError:
        raise DeltaRefused(
            f"{delta}: {lists} has no list {name} that it could change; fetch the list whole first"
        ) from None


def _is_there(header: DeltaHeader, now: Manifest) -> bool:
    """Whether the list is what the delta leads to, already."""
    said = (header.name, header.to_version, header.to_root, header.as_of)
    return said == (now.name, now.version, now.root(), now.as_of)


def _check_fit(delta: Delta, now: Manifest, key: ListKey) -> None:
    """Raises DeltaRefused where a delta is not for this list as it stands."""
    header = delta.header
    if header.name != now.name:
        raise _refusal(delta, f"it is for list {header.name}, and this is {now.name}")
    if not header.key_id == now.key_id == key.id:
        raise _refusal(
            delta,
            f"it is under key {header.key_id}, the list under {now.key_id} and the key at hand "
            f"is {key.id}",
        )
    if (header.from_version, header.from_root) != (now.version, now.root()):
        raise _refusal(
            delta,
            f"it starts from version {header.from_version}, {header.from_root[:16]}, and the list "
            f"is at version {now.version}, {now.root()[:16]}",
        )
    if header.from_records != now.records:
        raise _refusal(delta, "it counts other records than the list has")
    if header.as_of < now.as_of:
        raise _refusal(delta, "it is of an earlier moment than the list")
    if not header.ranges_bytes and header.ranges_digest != now.ranges_digest:
        raise _refusal(delta, "it brings no ranges and the list has others than it needs")


def _put_in_force(lists: Path, place: Path, delta: Delta, after: Manifest, key: ListKey) -> None:
    """Moves the new version's parts into their places, opens it whole and activates it."""
    if after.overlay is not None:
        root = after.overlay
        target = overlay_folder(lists, after.name, root)
        put_in_place(place / "overlay", target, lambda folder: check_overlay(folder, root))
    if delta.header.ranges_bytes:
        delta.copy_ranges(place / "ranges")
        (place / "ranges").replace(ranges_path(lists, after.name, after.ranges_digest))
    try:
        open_version(lists, after, key).close()
    except ListDamaged as damage:
        raise _refusal(delta, f"the list that it makes is not whole: {damage}") from None
    activate(lists, after)


def _refusal(delta: Delta, why: str) -> DeltaRefused:
    return DeltaRefused(
        f"{delta.path}: this delta was not applied: {why}; nothing was changed; fetch the deltas "
        "that follow the list's version, or the list whole"
    )


def _kept(old: Iterator[Records], taken_back: I64) -> Iterator[Records]:
    """The overlay's additions without those at these places, which rise."""
    begin = 0
    for portion in old:
        ends = np.searchsorted(taken_back, [begin, begin + len(portion)])
        yield without(portion, taken_back[slice(*ends)] - begin)
        begin += len(portion)


def _removed(before: NDArray[np.uint32], more: I64, back: set[int]) -> Iterator[U64]:
    """The tombstones of the next version, in portions."""
    returned = np.array(sorted(back), np.uint32)
    still = np.delete(before, np.searchsorted(before, returned))
    added = more.astype(np.uint32)
    ranks = np.insert(still, np.searchsorted(still, added), added)
    for begin in range(0, len(ranks), _RANKS_AT_ONCE):
        yield ranks[begin : begin + _RANKS_AT_ONCE].astype(np.uint64)


def _new(places: Places, delta: Delta, back: set[int]) -> Iterator[Records]:
    """A delta's additions without those that bring back a record of the base."""
    for block in delta.additions():
        yield block[~places.brought_back(block, back)]
