"""Deltas against a plain counter: whatever is added and removed, the list is what it should be."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.watchlist.fold import fold
from scanner.watchlist.overlay_scan import express, scan_version
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
@settings(max_examples=40, deadline=None)
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
