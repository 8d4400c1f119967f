"""A fold: the same records in one base, the same to the byte as if it were built from scratch."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from scanner.watchlist import fold as fold_module
from scanner.watchlist.activation import Busy, alone, rolled_back
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.delta_header import DeltaRefused
from scanner.watchlist.fold import FoldRefused, fold
from scanner.watchlist.layout import base_folder
from scanner.watchlist.manifest import read_manifest, version_root
from scanner.watchlist.overlay import TOMBSTONES
from scanner.watchlist.table import DETAILS, DIRECTORY, KEYS
from scanner.watchlist.table_writer import TableWriter
from tests.list_versions import (
    DAY_ONE,
    KEY,
    NAME,
    Listed,
    Published,
    delta_between,
    listed_in,
    put_base,
    records_of,
    rests,
    span,
)

RNG = np.random.default_rng(21)
KEYS_DRAWN = RNG.integers(0, 2**64, 5000, np.uint64).tolist()
ALL = list(zip(KEYS_DRAWN, rests(5000, RNG), strict=True))
BEFORE: Listed = Counter(ALL[:4000])
AFTER: Listed = Counter(ALL[1000:])


@pytest.fixture(autouse=True, scope="module")
def unsynced() -> Iterator[None]:
    """What the disk costs is not what these tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        yield


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A list with an overlay."""
    published = Published(tmp_path, BEFORE, [span("A100", "A199")])
    published.day(AFTER)
    assert read_manifest(published.lists, NAME).overlay is not None
    return published.lists


@pytest.fixture
def scratch(tmp_path: Path) -> tuple[Path, str]:
    """The base that a build from scratch gives."""
    with TableWriter(tmp_path / "scratch", KEY.id) as writer:
        writer.append(records_of(AFTER))
        return tmp_path / "scratch", writer.finish()


def test_a_fold_gives_the_files_that_a_build_from_scratch_gives(
    lists: Path, scratch: tuple[Path, str]
) -> None:
    before = read_manifest(lists, NAME)
    folded = fold(lists, NAME, KEY)
    folder, root = scratch
    assert (folded.base, folded.overlay) == (root, None)
    for name in (KEYS, DETAILS, DIRECTORY):
        assert (base_folder(lists, NAME, root) / name).read_bytes() == (folder / name).read_bytes()
    kept = ("version", "as_of", "records", "ranges", "ranges_digest", "key_id")
    assert all(getattr(folded, one) == getattr(before, one) for one in kept)
    assert listed_in(lists) == AFTER


def test_progress_is_told_to_the_last_record(lists: Path) -> None:
    told: list[tuple[int, int]] = []
    fold(lists, NAME, KEY, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (len(AFTER), len(AFTER))


def test_the_version_before_the_fold_can_be_gone_back_to(lists: Path) -> None:
    before = read_manifest(lists, NAME)
    fold(lists, NAME, KEY)
    assert rolled_back(lists, NAME) == before
    assert listed_in(lists) == AFTER
    fold(lists, NAME, KEY)
    assert listed_in(lists) == AFTER


def test_a_root_that_the_publisher_signed_is_come_to(
    lists: Path, scratch: tuple[Path, str]
) -> None:
    signed = version_root(scratch[1], None, read_manifest(lists, NAME).ranges_digest)
    assert fold(lists, NAME, KEY, expected_root=signed).root() == signed
    assert fold(lists, NAME, KEY, expected_root=signed).root() == signed


def test_another_root_than_the_publisher_signed_changes_nothing(lists: Path) -> None:
    before = read_manifest(lists, NAME)
    for _ in range(2):
        with pytest.raises(FoldRefused, match="was expected; nothing was changed"):
            fold(lists, NAME, KEY, expected_root="00" * 32)
    assert read_manifest(lists, NAME) == before
    assert len(list((lists / NAME).glob("base-*"))) == 1
    fold(lists, NAME, KEY)
    with pytest.raises(FoldRefused, match="was expected"):
        fold(lists, NAME, KEY, expected_root="00" * 32)


def test_a_version_without_an_overlay_stays_as_it_is(tmp_path: Path) -> None:
    put_base(tmp_path, records_of(BEFORE))
    before = read_manifest(tmp_path, NAME)
    assert fold(tmp_path, NAME, KEY) == before


def test_deltas_go_on_from_a_folded_list(lists: Path, tmp_path: Path) -> None:
    later = AFTER - Counter(ALL[1000:1100]) + Counter(ALL[:50])
    put_base(tmp_path / "built", records_of(later), version=3)
    delta_between(lists, tmp_path / "built", tmp_path / "unfolded")
    fold(lists, NAME, KEY)
    with pytest.raises(DeltaRefused, match="starts from version 2"):
        apply_delta(lists, NAME, tmp_path / "unfolded", KEY)
    delta_between(lists, tmp_path / "built", tmp_path / "folded")
    apply_delta(lists, NAME, tmp_path / "folded", KEY)
    assert listed_in(lists) == later


def test_an_interrupted_fold_leaves_the_list_and_the_next_one_starts_anew(lists: Path) -> None:
    before = read_manifest(lists, NAME)

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fold(lists, NAME, KEY, progress=interrupt)
    assert read_manifest(lists, NAME) == before
    assert not (lists / NAME / ".building-update").exists()
    left = lists / NAME / ".building-update"
    (left / "base").mkdir(parents=True)
    (left / "base" / KEYS).write_bytes(b"half a page")
    assert fold(lists, NAME, KEY).overlay is None
    assert not left.exists()


@pytest.mark.parametrize("name", [KEYS, DETAILS])
def test_a_damaged_list_is_not_folded_into_a_whole_one(lists: Path, name: str) -> None:
    before = read_manifest(lists, NAME)
    for part in ("base", "overlay"):
        path = next((lists / NAME).glob(f"{part}-*/{name}"))
        content = path.read_bytes()
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        with pytest.raises(ListDamaged, match=str(path)):
            fold(lists, NAME, KEY)
        path.write_bytes(content)
    assert read_manifest(lists, NAME) == before
    assert len(list((lists / NAME).glob("base-*"))) == 1


def test_damaged_tombstones_are_not_folded(lists: Path) -> None:
    path = next((lists / NAME).glob(f"overlay-*/{TOMBSTONES}"))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ListDamaged, match=TOMBSTONES):
        fold(lists, NAME, KEY)


def test_a_damaged_base_in_the_place_of_the_folded_one_is_replaced(
    lists: Path, scratch: tuple[Path, str]
) -> None:
    target = base_folder(lists, NAME, scratch[1])
    target.mkdir()
    (target / KEYS).write_bytes(b"left by a cut")
    fold(lists, NAME, KEY)
    assert listed_in(lists) == AFTER
    assert [path.name for path in (lists / NAME).glob("*damaged*")] == []


def test_a_disk_that_is_full_changes_nothing(lists: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = read_manifest(lists, NAME)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(TableWriter, "finish", full)
    with pytest.raises(OSError, match="No space left"):
        fold(lists, NAME, KEY)
    assert read_manifest(lists, NAME) == before
    assert not (lists / NAME / ".building-update").exists()


def test_where_putting_in_force_fails_the_old_version_stays(
    lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_manifest(lists, NAME)

    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(fold_module, "activate", fail)
    with pytest.raises(OSError, match="Input/output"):
        fold(lists, NAME, KEY)
    assert read_manifest(lists, NAME) == before
    assert len(list((lists / NAME).glob("base-*"))) == 1
    assert listed_in(lists) == AFTER


def test_two_writers_of_a_list_do_not_meet(lists: Path, tmp_path: Path) -> None:
    with alone(lists, NAME), pytest.raises(Busy, match="another process"):
        fold(lists, NAME, KEY)
    put_base(tmp_path / "later", records_of(BEFORE), version=3, as_of=DAY_ONE + timedelta(days=3))
    delta_between(lists, tmp_path / "later", tmp_path / "delta")
    with alone(lists, NAME), pytest.raises(Busy, match="another process"):
        apply_delta(lists, NAME, tmp_path / "delta", KEY)


def test_a_list_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FoldRefused, match="there is no list sltd"):
        fold(tmp_path, NAME, KEY)
