"""A table: every record is found, and damage is never an answer."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.page import PAGE, after_zeros, find
from scanner.watchlist.page_writer import MOST_RECORDS, decode, encode, how_many_fit
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.table import DETAILS, DIRECTORY, KEYS, Table, open_table
from scanner.watchlist.table_scan import scan
from scanner.watchlist.table_writer import TableWriter

KEY_ID = "0123456789abcdef"
LAST = 2**64 - 1

dense = st.integers(0, 40)
"""Keys that are often equal, and neighbours."""
anywhere = st.one_of(dense, st.integers(0, LAST), st.sampled_from([0, 1, LAST - 1, LAST]))


def records_of(keys: list[int]) -> Records:
    """Records of these keys, each with another rest."""
    return Records.of([(key, place % 2**38) for place, key in enumerate(keys)]).in_order()


def laid(folder: Path, records: Records, *, portion: int = 10_000) -> Table:
    with TableWriter(folder, KEY_ID) as writer:
        for begin in range(0, len(records), portion):
            writer.append(records[begin : begin + portion])
        root = writer.finish()
    return open_table(folder, root)


def listed(table: Table, key: int) -> Counter[int]:
    return Counter(table.record(key, one).rest for one in table.find(key))


@given(st.lists(anywhere, min_size=1, max_size=300), anywhere)
def test_a_page_finds_every_place_of_a_key_and_no_other(keys: list[int], other: int) -> None:
    keys.sort()
    page = encode(np.array(keys, np.uint64), np.zeros(len(keys), np.uint8))
    for key in {*keys, other}:
        places = [place for place, one in enumerate(keys) if one == key]
        assert list(find(page, keys[0], key)) == places
    assert decode(page, keys[0])[0].tolist() == keys


@given(st.integers(1, 2**200), st.data())
def test_the_place_after_so_many_zeros_is_right_behind_the_last_of_them(
    row: int, data: st.DataObject
) -> None:
    zeros = row.bit_length() - row.bit_count()
    wanted = data.draw(st.integers(0, zeros))
    bits = f"{row:b}"[::-1]
    place = after_zeros(row, wanted, zeros)
    assert bits[:place].count("0") == wanted
    assert not wanted or bits[place - 1] == "0"


@given(st.lists(anywhere, min_size=1, max_size=2000))
@settings(max_examples=30)
def test_a_page_takes_as_many_as_fit_and_one_more_would_not(keys: list[int]) -> None:
    array = np.array(sorted(keys * 3), np.uint64)
    fits = how_many_fit(array)
    assert len(encode(array[:fits], np.zeros(fits, np.uint8))) == PAGE
    if fits < min(len(array), MOST_RECORDS):
        assert len(encode(array[: fits + 1], np.zeros(fits + 1, np.uint8))) > PAGE


@given(keys=st.lists(anywhere, max_size=400), repeated=st.integers(1, 40), other=anywhere)
@settings(max_examples=40, deadline=None)
def test_a_table_finds_every_record_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, keys: list[int], repeated: int, other: int
) -> None:
    records = records_of(keys * repeated)
    table = laid(tmp_path_factory.mktemp("t") / "table", records)
    for key in {*keys, other}:
        expected = Counter(records.rest[records.keys == np.uint64(key)].tolist())
        assert listed(table, key) == expected
    table.close()


def test_equal_keys_are_all_found_where_they_run_over_pages(tmp_path: Path) -> None:
    keys = [7] * 10_000 + [9] * 3 + [11] * 9_000
    table = laid(tmp_path / "table", records_of(keys))
    assert table.directory.pages > 5
    assert [len(table.find(key)) for key in (6, 7, 8, 9, 10, 11, 12)] == [
        *(0, 10_000, 0, 3, 0, 9_000, 0)
    ]


def test_every_record_of_many_pages_is_found_the_first_and_last_of_each_page_too(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(3)
    keys = np.sort(rng.integers(0, 2**64, 20_000, dtype=np.uint64))
    records = Records(keys, rng.integers(0, 2**38, len(keys), dtype=np.uint64)).in_order()
    table = laid(tmp_path / "table", records)
    for key, rest in zip(records.keys.tolist(), records.rest.tolist(), strict=True):
        assert rest in listed(table, key)
    assert Records.together(scan(table)).rest.tolist() == records.rest.tolist()


def test_a_key_costs_one_page_and_a_match_one_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    keys = np.sort(rng.integers(0, 2**64, 20_000, dtype=np.uint64))
    table = laid(tmp_path / "table", Records(keys, keys >> np.uint64(26)))
    for key in keys[::100].tolist():
        table.find(key + 1)
    assert table.pages_read <= 1.01 * len(keys[::100])
    before = table.pages_read
    found = table.find(int(keys[5000]))
    assert len(found) == 1
    table.record(int(keys[5000]), found[0])
    assert table.pages_read == before + 2


def test_the_portions_in_which_records_come_change_nothing(tmp_path: Path) -> None:
    records = records_of(list(range(0, 3_000_000, 37)))
    whole = laid(tmp_path / "a", records, portion=len(records))
    pieces = laid(tmp_path / "b", records, portion=997)
    for name in (KEYS, DETAILS, DIRECTORY):
        assert (whole.folder / name).read_bytes() == (pieces.folder / name).read_bytes()


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    table = laid(tmp_path / "table", Records.none())
    assert (table.records, table.find(5), list(scan(table))) == (0, (), [])


@pytest.mark.parametrize(
    "records", [[(5, 1), (4, 1)], [(5, 2), (5, 1)]], ids=["keys fall", "equal keys, rest falls"]
)
def test_records_out_of_order_are_refused(tmp_path: Path, records: list[tuple[int, int]]) -> None:
    with TableWriter(tmp_path / "table", KEY_ID) as writer:
        with pytest.raises(ValueError, match="order"):
            writer.append(Records.of(records))
        writer.append(Records.of(records[:1]))
        with pytest.raises(ValueError, match="order"):
            writer.append(Records.of(records[1:]))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, Records]:
    """A table to be damaged: its folder, its root, and what it held."""
    folder = tmp_path_factory.mktemp("broken") / "table"
    records = records_of(list(range(0, 2**63, 2**54)))
    with TableWriter(folder, KEY_ID) as writer:
        writer.append(records)
        return folder, writer.finish(), records


@pytest.mark.parametrize("name", [KEYS, DETAILS, DIRECTORY])
def test_a_flipped_bit_anywhere_is_damage_and_never_an_answer(
    broken: tuple[Path, str, Records], name: str
) -> None:
    folder, root, records = broken
    whole = (folder / name).read_bytes()
    held = list(zip(records.keys.tolist(), records.rest.tolist(), strict=True))
    rng = np.random.default_rng(5)
    for place in rng.integers(0, len(whole), 25).tolist():
        flipped = bytes([whole[place] ^ (1 << place % 8)])
        (folder / name).write_bytes(whole[:place] + flipped + whole[place + 1 :])
        with pytest.raises(ListDamaged, match=name):
            table = open_table(folder, root)
            # A quarter of the records each time, of every page.
            wrong = [key for key, rest in held[place % 4 :: 4] if rest not in _answered(table, key)]
            assert wrong == []
            list(table.scrubbed())
    (folder / name).write_bytes(whole)
    assert open_table(folder, root).records == len(records)


def _answered(table: Table, key: int) -> Counter[int] | set[int]:
    """What the table answers, and everything where it says that it is damaged."""
    try:
        return listed(table, key)
    except ListDamaged:
        return set(range(2**14))


@pytest.mark.parametrize("name", [KEYS, DETAILS, DIRECTORY])
def test_a_file_cut_short_grown_or_gone_is_found_at_opening(
    broken: tuple[Path, str, Records], name: str
) -> None:
    folder, root, _ = broken
    whole = (folder / name).read_bytes()
    for content in (b"", whole[:1], whole[:PAGE], whole[:-1], whole + b"\0", whole + bytes(PAGE)):
        if content == whole:
            continue
        (folder / name).write_bytes(content)
        with pytest.raises(ListDamaged, match=name):
            open_table(folder, root)
    (folder / name).unlink()
    with pytest.raises(ListDamaged, match=name):
        open_table(folder, root)
    (folder / name).write_bytes(whole)


def test_the_directory_of_another_table_is_refused(tmp_path: Path) -> None:
    one = laid(tmp_path / "one", records_of([1, 2, 3]))
    other = laid(tmp_path / "other", records_of([1, 2, 4]))
    content = (other.folder / DIRECTORY).read_bytes()
    root = "00" * 32
    (one.folder / DIRECTORY).write_bytes(content)
    with pytest.raises(ListDamaged, match="not what its manifest says"):
        open_table(one.folder, root)
