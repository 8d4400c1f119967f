"""Versions of a list out of plain counters of records, for tests of what changes a list."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from scanner.mrz.document import Kind
from scanner.watchlist.activation import activate
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.delta import Made, make_delta, ranges_of
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.layout import base_folder, ranges_path
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.overlay_scan import scan_version
from scanner.watchlist.ranges import Span, write_ranges
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.records import rest_of
from scanner.watchlist.table_writer import TableWriter
from scanner.watchlist.version import Version, open_version

KEY = ListKey(bytes(range(32)))
NAME = "sltd"
DAY_ONE = datetime(2026, 11, 1, 4, 0, tzinfo=UTC)

Listed = Counter[tuple[int, int]]
"""How often each pair of key and rest is listed."""


def records_of(listed: Listed) -> Records:
    return Records.of(sorted(listed.elements()))


def counted(records: Records) -> Listed:
    return Counter(zip(records.keys.tolist(), records.rest.tolist(), strict=True))


def span(low: str, high: str) -> Span:
    day = date(2026, 11, 2)
    return Span("UTO", Kind.PASSPORT, len(low), low, high, ListStatus.STOLEN_BLANK, day)


def put_base(
    lists: Path,
    records: Records,
    *,
    version: int = 1,
    spans: Sequence[Span] = (),
    key: ListKey = KEY,
    name: str = NAME,
    as_of: datetime | None = None,
) -> Manifest:
    """Puts a version in force that is a base alone, as a build from scratch makes it."""
    place = lists / name / ".building-test"
    with TableWriter(place, key.id) as writer:
        writer.append(records)
        root = writer.finish()
    target = base_folder(lists, name, root)
    if not target.exists():
        place.rename(target)
    digest = write_ranges(lambda digest: ranges_path(lists, name, digest), spans, key)
    as_of = as_of or DAY_ONE + timedelta(days=version)
    manifest = Manifest(name, version, as_of, key.id, len(records), len(spans), root, None, digest)
    activate(lists, manifest)
    return manifest


@contextmanager
def opened(lists: Path, *, key: ListKey = KEY, name: str = NAME) -> Iterator[Version]:
    """The version in force."""
    with closing(open_version(lists, read_manifest(lists, name), key)) as version:
        yield version


def delta_between(old: Path, new: Path, out: Path) -> Made:
    """Makes the delta from the version in force in one folder to that in another."""
    with opened(old) as before, opened(new) as after:
        return make_delta(before, after, ranges_of(new, after), out)


def listed_in(lists: Path) -> Listed:
    """All live records, by the walk that folds and deltas make."""
    with opened(lists) as version:
        return counted(Records.together(scan_version(version)))


def found_in(lists: Path, keys: Sequence[int]) -> Listed:
    """All live records of some keys, by the lookup that a device makes."""
    with opened(lists) as version:
        return Counter((key, one.rest) for key in set(keys) for one in version.find(key))


class Published:
    """A list as a publisher and a device have it: `lists` is kept up by deltas alone."""

    def __init__(self, folder: Path, listed: Listed, spans: Sequence[Span] = ()) -> None:
        self.lists, self._folder = folder / "lists", folder
        self.version = 1
        self.spans = spans
        put_base(self.lists, records_of(listed), spans=spans)

    def day(self, listed: Listed, spans: Sequence[Span] | None = None) -> Made:
        """Comes to these records by a delta."""
        self.version += 1
        self.spans = self.spans if spans is None else spans
        built = self._folder / "built"
        put_base(built, records_of(listed), version=self.version, spans=self.spans)
        made = delta_between(self.lists, built, self._folder / "delta")
        apply_delta(self.lists, NAME, self._folder / "delta", KEY)
        return made


def rests(count: int, rng: np.random.Generator, *, different: int = 2**16) -> list[int]:
    """Rests that a list may have, of so many tags."""
    tags = rng.integers(0, different, count).tolist()
    kinds = rng.integers(0, 6, count).tolist()
    days = rng.integers(20_000, 20_000 + min(different, 4000), count).tolist()
    return [rest_of(kind, tag, day) for kind, tag, day in zip(kinds, tags, days, strict=True)]
