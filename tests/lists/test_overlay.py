"""An overlay: what was added is found, what was removed is known, and damage is never an answer."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.elias_fano import HEADER, holds, run_at
from scanner.watchlist.elias_fano_arrays import decode, encode
from scanner.watchlist.overlay import RUN, TOMBSTONES, Overlay, open_overlay
from scanner.watchlist.overlay_writer import OverlayWriter
from scanner.watchlist.record_arrays import Records

KEY_ID = "0123456789abcdef"
BASE = "ab" * 32
LAST = 2**64 - 1

numbers = st.one_of(
    st.integers(0, 60), st.integers(0, LAST), st.sampled_from([0, 1, LAST - 1, LAST])
)


def laid(folder: Path, adds: Records, removed: list[int], *, base_records: int = 10**6) -> str:
    """The root of an overlay with these parts."""
    with OverlayWriter(folder, KEY_ID, BASE, base_records) as writer:
        writer.add(adds)
        for begin in range(0, len(removed), 700):
            writer.remove(np.array(removed[begin : begin + 700], np.uint64))
        root = writer.finish()
    assert root is not None
    return root


@given(st.lists(numbers, min_size=1, max_size=400), st.lists(numbers, max_size=20))
def test_a_run_holds_its_numbers_and_no_other(held: list[int], others: list[int]) -> None:
    held.sort()
    content = b"before" + encode(np.array(held, np.uint64)) + b"behind"
    run = run_at(content, 6, len(held))
    assert content[run.end :] == b"behind"
    assert decode(content, run).tolist() == held
    assert all(holds(content, run, number) == (number in held) for number in [*held, *others])


@given(st.binary(max_size=120), st.integers(0, 60))
def test_bytes_that_are_no_run_are_refused_or_give_sorted_numbers(tail: bytes, count: int) -> None:
    for content in (tail, HEADER.pack(2**63, count, len(tail) // 2, count % 64) + tail):
        try:
            run = run_at(content, 0, 50)
            unpacked = decode(content, run).tolist()
        except ValueError:
            continue
        assert len(unpacked) == run.count and unpacked == sorted(unpacked)


def test_a_run_of_more_numbers_than_may_be_is_refused_before_room_is_made() -> None:
    content = HEADER.pack(0, 2**32 - 1, 2**32 - 1, 0)
    with pytest.raises(ValueError, match="more than it can"):
        run_at(content, 0, 1000)
    with pytest.raises(ValueError, match="ends early"):
        run_at(content, 0, 2**32)


@given(removed=st.sets(st.integers(0, 4000), max_size=3000), asked=st.integers(0, 4001))
@settings(max_examples=40, deadline=None)
def test_a_rank_is_removed_where_it_was_put_down_and_nowhere_else(
    tmp_path_factory: pytest.TempPathFactory, removed: set[int], asked: int
) -> None:
    folder = tmp_path_factory.mktemp("o") / "overlay"
    root = laid(folder, Records.of([(5, 6)]), sorted(removed))
    overlay = open_overlay(folder, root)
    assert overlay.removals == len(removed)
    for rank in {asked, *list(removed)[:50], *(rank + 1 for rank in list(removed)[:50])}:
        assert overlay.is_removed(rank) == (rank in removed)
    overlay.close()


def test_what_was_added_is_found_in_the_overlay(tmp_path: Path) -> None:
    root = laid(tmp_path, Records.of([(3, 1), (5, 6), (5, 6), (9, 2)]), [1])
    overlay = open_overlay(tmp_path, root)
    assert [len(overlay.adds.find(key)) for key in (3, 4, 5, 9)] == [1, 0, 2, 1]
    assert (overlay.base, overlay.adds.records, overlay.removals) == (BASE, 4, 1)


def test_where_nothing_changed_there_is_no_overlay(tmp_path: Path) -> None:
    with OverlayWriter(tmp_path, KEY_ID, BASE, 10) as writer:
        assert writer.finish() is None


def test_the_root_covers_base_additions_and_removals(tmp_path: Path) -> None:
    one, other = Records.of([(3, 1)]), Records.of([(3, 2)])
    roots = {
        laid(tmp_path / "a", one, [1]),
        laid(tmp_path / "b", other, [1]),
        laid(tmp_path / "c", one, [2]),
        laid(tmp_path / "d", one, [1], base_records=10),
        laid(tmp_path / "e", Records.none(), [1]),
    }
    with OverlayWriter(tmp_path / "f", KEY_ID, "cd" * 32, 10**6) as writer:
        writer.add(one)
        writer.remove(np.array([1], np.uint64))
        roots.add(str(writer.finish()))
    assert len(roots) == 6


@pytest.mark.parametrize("ranks", [[3, 2], [2, 2], [10]], ids=["fall", "twice", "past the base"])
def test_removals_that_are_no_ranks_in_order_are_refused(tmp_path: Path, ranks: list[int]) -> None:
    with (
        OverlayWriter(tmp_path, KEY_ID, BASE, 10) as writer,
        pytest.raises(ValueError, match="each above"),
    ):
        writer.remove(np.array(ranks, np.uint64))


@pytest.fixture
def whole(tmp_path: Path) -> tuple[Path, str]:
    removed = list(range(0, 3 * RUN * 7, 7))
    return tmp_path, laid(tmp_path, Records.of([(3, 1), (5, 6)]), removed)


def opened(folder: Path, root: str) -> Overlay:
    overlay = open_overlay(folder, root)
    overlay.close()
    return overlay


def test_a_flipped_bit_anywhere_in_the_tombstones_is_damage(whole: tuple[Path, str]) -> None:
    folder, root = whole
    path = folder / TOMBSTONES
    content = path.read_bytes()
    for place in range(0, len(content), 37):
        path.write_bytes(
            content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]
        )
        with pytest.raises(ListDamaged, match="not what its manifest says") as damage:
            opened(folder, root)
        assert damage.value.part == folder


def test_tombstones_that_are_cut_or_gone_are_damage(whole: tuple[Path, str]) -> None:
    folder, root = whole
    path = folder / TOMBSTONES
    content = path.read_bytes()
    for size in (0, 1, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(ListDamaged, match=TOMBSTONES):
            opened(folder, root)
    path.unlink()
    with pytest.raises(ListDamaged, match="No such file"):
        opened(folder, root)
