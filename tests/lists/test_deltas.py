"""Deltas against a plain counter: whatever is added and removed, the list is what it should be."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.fold import fold
from scanner.watchlist.layout import overlay_folder
from scanner.watchlist.manifest import read_manifest, write_manifest
from scanner.watchlist.overlay_scan import express, scan_version
from scanner.watchlist.records import rest_of
from scanner.watchlist.table_writer import TableWriter
from tests.list_versions import (
    KEY,
    NAME,
    Listed,
    Published,
    found_in,
    listed_in,
    opened,
    records_of,
    rests,
)

LAST = 2**64 - 1


@pytest.fixture(autouse=True, scope="module")
def unsynced() -> Iterator[None]:
    """What the disk costs is not what these tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        yield


def drawn(count: int, keys: int, rng: np.random.Generator) -> Listed:
    """So many records of so many different keys; where they are few, records are often equal."""
    if keys > 10_000:
        drawn_keys = rng.integers(0, 2**64, count, np.uint64).tolist()
    else:
        pool = [0, LAST, *np.sort(rng.integers(0, 2**64, keys, np.uint64)).tolist()]
        drawn_keys = [pool[place] for place in rng.integers(0, len(pool), count)]
    different = 2 if keys < 100 else 2**16
    return Counter(zip(drawn_keys, rests(count, rng, different=different), strict=True))


def changed(listed: Listed, seen: Listed, keys: int, rng: np.random.Generator) -> Listed:
    """The next day: some removed, some added, some of those that ever were listed added again."""
    elements = list(listed.elements())
    removed = rng.integers(0, max(1, len(elements)), int(rng.integers(0, 60)))
    after = listed.copy()
    if elements:
        for place in set(removed.tolist()):
            after[elements[place]] -= 1
    again = list(seen)
    for place in rng.integers(0, max(1, len(again)), int(rng.integers(0, 30))).tolist():
        if again:
            after[again[place]] += 1
    after += drawn(int(rng.integers(0, 60)), keys, rng)
    return +after


def assert_is(lists: Path, listed: Listed, ever: Listed) -> None:
    """The list has these records and no others, by every way to see them."""
    assert listed_in(lists) == listed
    asked = [key for key, _ in (*list(listed)[:300], *list(ever)[-300:])]
    wanted = set(asked)
    assert found_in(lists, asked) == Counter(
        {record: count for record, count in listed.items() if record[0] in wanted}
    )


def assert_canonical(lists: Path, folder: Path) -> None:
    """The overlay is the one that base and records alone give."""
    shutil.rmtree(folder, ignore_errors=True)
    with opened(lists) as version:
        root = express(scan_version(version), version.base, version.manifest.base, folder)
        assert root == version.manifest.overlay


def root_from_scratch(listed: Listed, folder: Path) -> str:
    with TableWriter(folder, KEY.id) as writer:
        writer.append(records_of(listed))
        return writer.finish()


@given(
    size=st.sampled_from([0, 1, 2, 60, 1500, 9000]),
    keys=st.sampled_from([1, 3, 40, 900, 2**20]),
    days=st.integers(1, 3),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=25, deadline=None)
def test_days_of_changes_lead_to_the_records_that_there_should_be(
    tmp_path_factory: pytest.TempPathFactory, size: int, keys: int, days: int, seed: int
) -> None:
    folder, rng = tmp_path_factory.mktemp("d"), np.random.default_rng(seed)
    listed = drawn(size, keys, rng)
    ever = listed.copy()
    published = Published(folder, listed)
    for _ in range(days):
        listed = changed(listed, ever, keys, rng)
        ever |= listed
        published.day(listed)
        assert_is(published.lists, listed, ever)
        assert_canonical(published.lists, folder / "expressed")
    folded = fold(published.lists, NAME, KEY)
    assert folded.overlay is None
    assert folded.base == root_from_scratch(listed, folder / "scratch")
    assert_is(published.lists, listed, ever)


def test_thirty_days_in_sequence_each_from_the_overlay_of_the_day_before(tmp_path: Path) -> None:
    rng = np.random.default_rng(30)
    listed = drawn(4000, 1500, rng)
    ever = listed.copy()
    published = Published(tmp_path, listed)
    for day in range(30):
        listed = changed(listed, ever, 1500, rng)
        ever |= listed
        published.day(listed)
        if day % 10 == 9:
            assert_is(published.lists, listed, ever)
            assert_canonical(published.lists, tmp_path / "expressed")
    assert fold(published.lists, NAME, KEY).base == root_from_scratch(listed, tmp_path / "s")


A, B, C = rest_of(1, 1, 20_000), rest_of(1, 2, 20_000), rest_of(1, 3, 20_000)


def test_a_record_removed_and_added_again_leaves_no_trace(tmp_path: Path) -> None:
    listed: Listed = Counter({(5, A): 1, (7, B): 1, (9, C): 1})
    published = Published(tmp_path, listed)
    root = read_manifest(published.lists, NAME).root()
    for changes in ({(5, A): -1}, {(5, A): 1}, {(9, C): -1, (9, B): 1}, {(9, C): 1, (9, B): -1}):
        listed = +Counter({key: listed[key] + changes.get(key, 0) for key in {*listed, *changes}})
        published.day(listed)
        assert_is(published.lists, listed, listed)
    manifest = read_manifest(published.lists, NAME)
    assert (manifest.root(), manifest.overlay) == (root, None)


def test_a_record_added_and_removed_and_added_again_is_found(tmp_path: Path) -> None:
    base: Listed = Counter({(5, A): 1, (9, C): 2})
    published = Published(tmp_path, base)
    for there in (True, False, True, False, True):
        listed = base + Counter({(7, B): 3 * there})
        published.day(listed)
        assert_is(published.lists, listed, Counter({(7, B): 1}))


@pytest.mark.parametrize("count", [1, 2, 7999, 8000])
def test_of_equal_records_over_many_pages_as_many_are_left_as_should_be(
    tmp_path: Path, count: int
) -> None:
    listed: Listed = Counter({(5, A): 8000, (5, B): 3, (6, C): 1})
    published = Published(tmp_path, listed)
    for left in (8000 - count, 8000 + count, 8000 - count, 8000):
        listed = +Counter({(5, A): left, (5, B): 3, (6, C): 1})
        published.day(listed)
        assert_is(published.lists, listed, listed)
        assert_canonical(published.lists, tmp_path / "expressed")
    assert read_manifest(published.lists, NAME).overlay is None


def test_the_first_and_last_record_of_every_page_may_go_and_come_back(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    listed = drawn(6000, 2**20, rng)
    published = Published(tmp_path, listed)
    with opened(published.lists) as version:
        ends = [*version.base.directory.ranks, version.base.records]
    records = sorted(listed)
    border = {records[place] for end in ends for place in (end - 1, end) if 0 <= place < 6000}
    without = listed - Counter(border)
    beside = Counter({(key, rest ^ 1 << 16): 1 for key, rest in border})
    for there in (without, without + beside, listed + beside, listed):
        published.day(there)
        assert_is(published.lists, there, Counter(border))
        assert_canonical(published.lists, tmp_path / "expressed")
    assert read_manifest(published.lists, NAME).overlay is None


def test_a_list_may_become_empty_and_full_again(tmp_path: Path) -> None:
    full = drawn(2000, 40, np.random.default_rng(8))
    published = Published(tmp_path, Counter())
    for listed in (full, Counter(), full, Counter()):
        published.day(listed)
        assert_is(published.lists, listed, full)
    assert read_manifest(published.lists, NAME).overlay is None


def test_an_overlay_over_another_base_is_damage(tmp_path: Path) -> None:
    for where, base in (("a", {(5, A): 1, (7, B): 1}), ("b", {(5, A): 1, (8, B): 1})):
        published = Published(tmp_path / where, Counter(base))
        published.day(Counter({(5, A): 1}))
    mine, other = (read_manifest(tmp_path / where / "lists", NAME) for where in "ab")
    assert mine.overlay is not None and other.overlay is not None
    there = overlay_folder(tmp_path / "b" / "lists", NAME, other.overlay)
    shutil.copytree(there, overlay_folder(tmp_path / "a" / "lists", NAME, other.overlay))
    write_manifest(tmp_path / "a" / "lists", replace(mine, overlay=other.overlay))
    with pytest.raises(ListDamaged, match="since another base"):
        listed_in(tmp_path / "a" / "lists")
