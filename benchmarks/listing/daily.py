"""Stages about a list that changes day by day: the deltas, applying them, and folding them.

A day's changes are known (`days`), so the versions that a publisher would sign are written
straight: the overlay over the base that holds them. The first day's delta is made as a publisher
makes it, out of two whole versions (`delta.make_delta`); it must be to the byte the one that is
written here from what is known, as the others are. Applying each holds its root against the header.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import chain
from math import lgamma, log, log2
from pathlib import Path

import numpy as np

from benchmarks.listing import peers
from benchmarks.listing.building import in_force, secret_of, table_folder
from benchmarks.listing.days import (
    Day,
    adds_of,
    after,
    days,
    keys_at,
    lateness_bits,
    ranks_below,
    total,
)
from benchmarks.listing.measure import memory_mb, spent
from benchmarks.listing.settings import LIST, Json, Settings
from benchmarks.listing.shares import entropy_bits
from scanner.watchlist.delta import make_delta, ranges_of
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.delta_blocks import additions_written, removals_written
from scanner.watchlist.delta_file import write_delta
from scanner.watchlist.delta_header import DeltaHeader
from scanner.watchlist.fold import fold
from scanner.watchlist.layout import base_folder, overlay_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.overlay_writer import OverlayWriter
from scanner.watchlist.ranges import write_ranges
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.table_writer import TableWriter
from scanner.watchlist.version import open_version


@dataclass(frozen=True)
class Published:
    """One day's version as its publisher has it: the manifest, ranks that it removes in the order
    of the version before, and what it adds."""

    manifest: Manifest
    removed: U64
    added: Records


def publish(settings: Settings) -> Json:
    """Writes every day's delta; the first by `make_delta` too."""
    folder = _deltas(settings)
    peers.removed(folder)
    folder.mkdir(parents=True)
    in_force(settings)
    before = read_manifest(settings.lists, LIST)
    sizes = []
    for number, day in enumerate(_published(settings, before)):
        sizes.append(_write(folder / f"{number + 1:03}.delta", before, day))
        before = day.manifest
    return {
        "sizes": sizes,
        "adds": adds_of(settings),
        "removals": [len(day.removed) + len(day.removed_adds) for day in days(settings)],
        "entropy": [entropy_bytes(settings, day) for day in days(settings)],
        "records_after": before.records,
        "root_after": before.root(),
    }


def make_first(settings: Settings) -> Json:
    """The first day's delta as a publisher makes it, from the old version and the new."""
    in_force(settings)
    old_manifest = read_manifest(settings.lists, LIST)
    lists = settings.work / "published"
    peers.removed(lists)
    (lists / LIST).mkdir(parents=True)
    base = table_folder(settings)[0].resolve()
    base_folder(lists, LIST, old_manifest.base).symlink_to(base, target_is_directory=True)
    key = ListKey(secret_of(settings))
    write_ranges(lambda one: ranges_path(lists, LIST, one), (), key)
    manifest = next(_published(settings, old_manifest, lists)).manifest
    made = settings.work / "made.delta"
    with (
        spent() as used,
        closing(open_version(settings.lists, old_manifest, key)) as old,
        closing(open_version(lists, manifest, key)) as new,
    ):
        make_delta(old, new, ranges_of(lists, new), made)
    same = made.read_bytes() == (_deltas(settings) / "001.delta").read_bytes()
    return {"make_cpu_s": used.cpu_s, "make_wall_s": used.wall_s, "same": same}


def apply_all(settings: Settings) -> Json:
    """Every day's delta, applied in turn as on a device."""
    in_force(settings)
    key = ListKey(secret_of(settings))
    told = []
    for path in sorted(_deltas(settings).glob("*.delta")):
        with spent() as used:
            manifest = apply_delta(settings.lists, LIST, path, key)
        told.append(
            {
                "cpu_s": used.cpu_s,
                "wall_s": used.wall_s,
                "written_bytes": used.written_bytes,
                "read_bytes": used.read_bytes,
            }
        )
    return {"days": told, "root": manifest.root(), "most_mb": memory_mb("VmHWM")}


def fold_all(settings: Settings) -> Json:
    """Base and overlay into a new base."""
    with spent() as used:
        manifest = fold(settings.lists, LIST, ListKey(secret_of(settings)))
    return {
        "fold_cpu_s": used.cpu_s,
        "fold_wall_s": used.wall_s,
        "written_bytes": used.written_bytes,
        "most_mb": memory_mb("VmHWM"),
        "base": manifest.base,
        "records": manifest.records,
    }


def scratch(settings: Settings) -> Json:
    """The same list built from scratch, from the columns; its root is that of the fold's base."""
    folder = settings.work / "scratch"
    peers.removed(folder)
    with spent() as used, TableWriter(folder, ListKey(secret_of(settings)).id) as writer:
        for records in after(settings, list(days(settings))):
            writer.append(records)
        root = writer.finish()
    peers.removed(folder)
    return {"base": root, "build_cpu_s": used.cpu_s}


def entropy_bytes(settings: Settings, day: Day) -> float:
    """The least that a day's changes can take: which keys, which ranks, and for each added record
    its class, its day and 16 bits of tag."""
    added, removed = len(day.added), len(day.removed) + len(day.removed_adds)
    keys = 64 * added - lgamma(added + 1) / log(2)
    ranks = sum(log2(settings.records - at) for at in range(removed)) - lgamma(removed + 1) / log(2)
    fields = entropy_bits()[0] + lateness_bits() + 16
    return (keys + ranks + added * fields) / 8


def _published(
    settings: Settings, first: Manifest, lists: Path | None = None
) -> Iterator[Published]:
    """Each day's version; with its overlay left in `lists` where that is given."""
    before = first
    known: list[Day] = []
    live, gone = Records.none(), np.empty(0, np.uint64)
    for day in days(settings):
        ranks = live_ranks(settings, day, live, gone)
        known.append(day)
        gone, live = total(known)
        records = first.records - len(gone) + len(live)
        overlay = _overlay(settings, first, gone, live, lists)
        before = replace(
            before,
            version=before.version + 1,
            as_of=before.as_of + timedelta(days=1),
            records=records,
            overlay=overlay,
        )
        yield Published(before, ranks, day.added)


def live_ranks(settings: Settings, day: Day, live: Records, gone: U64) -> U64:
    """Where what a day removes stands in the order of the version before it."""
    keys = keys_at(settings, day.removed)
    of_base = (
        day.removed.astype(np.int64)
        - np.searchsorted(gone, day.removed)
        + np.searchsorted(live.keys, keys)
    )
    if not len(day.removed_adds):
        return of_base.astype(np.uint64)
    again = day.removed_adds.keys
    below = ranks_below(settings, again)
    of_adds = (
        below.astype(np.int64) - np.searchsorted(gone, below) + np.searchsorted(live.keys, again)
    )
    return np.sort(np.concatenate([of_base, of_adds])).astype(np.uint64)


def _overlay(
    settings: Settings, first: Manifest, gone: U64, live: Records, lists: Path | None
) -> str:
    """Writes a version's overlay and gives its root."""
    folder = settings.work / "overlay"
    peers.removed(folder)
    with OverlayWriter(folder, first.key_id, first.base, first.records) as writer:
        writer.add(live)
        writer.remove(gone)
        root = writer.finish()
    if root is None:
        raise ValueError("a day changes nothing")
    if lists is None:
        peers.removed(folder)
    else:
        folder.rename(overlay_folder(lists, LIST, root))
    return root


def _write(path: Path, before: Manifest, day: Published) -> int:
    after_it = day.manifest
    header = DeltaHeader(
        name=before.name,
        key_id=before.key_id,
        from_root=before.root(),
        to_root=after_it.root(),
        from_version=before.version,
        to_version=after_it.version,
        as_of=after_it.as_of,
        from_records=before.records,
        to_records=after_it.records,
        removals=len(day.removed),
        additions=len(day.added),
        ranges=after_it.ranges,
        ranges_digest=after_it.ranges_digest,
        ranges_bytes=0,
    )
    body = chain(removals_written(day.removed), additions_written(day.added))
    return write_delta(path, header, body, None)


def _deltas(settings: Settings) -> Path:
    return settings.work / "deltas"
