"""Ranges of stolen blanks: every number of one is found, and none beside it; the file keeps a
secret and is never read where it is not whole."""

import re
import struct
import tracemalloc
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mrz.document import Kind
from scanner.watchlist.contract import ListDamaged, ListStatus
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.ranges import (
    Ranges,
    Span,
    clear_of,
    digest_of,
    open_ranges,
    opened,
    sealed,
    write_ranges,
)
from tests.listing import KEY, flip

OTHER_KEY = ListKey(bytes(range(1, 33)))
SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DAY = date(2026, 11, 2)


def span(low: str, high: str, *, issuer: str = "UTO", kind: Kind = Kind.PASSPORT) -> Span:
    return Span(issuer, kind, len(low), low, high, ListStatus.STOLEN_BLANK, DAY)


def asked(spans: Sequence[Span], number: str, issuer: str = "UTO") -> list[Span]:
    return list(Ranges(clear_of(spans)).covering(issuer, number))


def by_plain_scan(spans: Sequence[Span], issuer: str, number: str) -> set[Span]:
    return {
        one
        for one in spans
        if one.issuer == issuer and one.length == len(number) and one.low <= number <= one.high
    }


@st.composite
def span_of_few(draw: st.DrawFn) -> Span:
    """A range out of so small a world that ranges nest, overlap, touch and are equal."""
    length = draw(st.integers(1, 3))
    ends = sorted(draw(st.lists(st.text("09AZ", min_size=length, max_size=length), min_size=2)))
    return Span(
        draw(st.sampled_from(["UTO", "D", "UT"])),
        draw(st.sampled_from(Kind)),
        length,
        ends[0],
        ends[-1],
        draw(st.sampled_from(ListStatus)),
        DAY + timedelta(days=draw(st.integers(-20_000, 20_000))),
    )


@st.composite
def span_of_any(draw: st.DrawFn) -> Span:
    """A range of numbers as long as Doc 9303 allows, most of them beginning alike."""
    length = draw(st.integers(1, 30))
    begin = draw(st.text("A1", max_size=length - 1))
    left = length - len(begin)
    ends = sorted(begin + draw(st.text(SIGNS, min_size=left, max_size=left)) for _ in range(2))
    return span(ends[0], ends[1])


@given(st.lists(span_of_few(), max_size=40), st.data())
def test_a_number_is_in_just_those_ranges_that_a_plain_scan_finds(
    spans: list[Span], data: st.DataObject
) -> None:
    ranges = Ranges(clear_of(spans))
    assert ranges.count == len(set(spans))
    for issuer in ("UTO", "D", "UT", "XXX"):
        for length in (1, 2, 3, 4):
            number = data.draw(st.text("059AMZ", min_size=length, max_size=length))
            found = list(ranges.covering(issuer, number))
            assert len(found) == len(set(found))
            assert set(found) == by_plain_scan(spans, issuer, number)


@given(st.lists(span_of_any(), min_size=1, max_size=30), st.data())
def test_ends_and_their_neighbours_are_told_apart_at_every_length(
    spans: list[Span], data: st.DataObject
) -> None:
    ranges = Ranges(clear_of(spans))
    for one in data.draw(st.lists(st.sampled_from(spans), min_size=1, max_size=5)):
        for end in (one.low, one.high):
            for number in (end, *(end[:-1] + sign for sign in SIGNS), end[:-1], end + "0"):
                assert set(ranges.covering("UTO", number)) == by_plain_scan(spans, "UTO", number)


def test_both_ends_are_listed_and_the_numbers_next_to_them_are_not() -> None:
    one = span("A100", "A299")
    assert [bool(asked([one], number)) for number in ("A099", "A100", "A299", "A300")] == [
        False,
        True,
        True,
        False,
    ]


def test_letters_and_digits_stand_in_plain_string_order() -> None:
    one = span("A9", "B1")
    assert [bool(asked([one], number)) for number in ("A9", "AA", "AZ", "B0", "B1", "B2")] == [
        True,
        True,
        True,
        True,
        True,
        False,
    ]


def test_look_alikes_are_not_folded() -> None:
    assert not asked([span("O100", "O199")], "0150")


def test_nested_overlapping_equal_and_touching_ranges_are_each_found() -> None:
    wide, inner, across = span("100", "900"), span("300", "400"), span("350", "500")
    equal = span("300", "400", kind=Kind.IDENTITY)
    touching = span("401", "401")
    spans = [wide, inner, across, equal, touching]
    assert set(asked(spans, "400")) == {wide, inner, across, equal}
    assert set(asked(spans, "401")) == {wide, across, touching}
    assert asked(spans, "900") == [wide]
    assert asked(spans, "901") == []


def test_one_range_over_all_others_does_not_make_every_question_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[int] = []
    narrow = [span(f"{n:06}", f"{n + 3:06}") for n in range(0, 200_000, 10)]
    wide = span("000000", "999999")
    ranges = Ranges(clear_of([*narrow, wide]))
    (group,) = ranges._groups.values()
    high = group._high
    monkeypatch.setattr(group, "_high", lambda at: compared.append(at) or high(at))
    assert list(ranges.covering("UTO", "150005")) == [wide]
    assert set(ranges.covering("UTO", "150003")) == {wide, span("150000", "150003")}
    assert len(compared) < 250


def test_a_number_that_no_document_has_is_in_no_range() -> None:
    for number in ("", "É00", "1" * 31, "\udcff00"):
        assert asked([span("000", "999")], number) == []


def test_no_ranges_are_a_file_like_any_other(tmp_path: Path) -> None:
    digest = write_ranges(lambda digest: tmp_path / digest[:16], [], KEY)
    ranges = open_ranges(tmp_path / digest[:16], digest, KEY)
    assert ranges.count == 0
    assert list(ranges.covering("UTO", "L898902C3")) == []


def test_a_small_file_is_opened_in_a_small_memory(tmp_path: Path) -> None:
    digest = write_ranges(lambda digest: tmp_path / digest[:16], [span("100", "200")], KEY)
    tracemalloc.start()
    try:
        open_ranges(tmp_path / digest[:16], digest, KEY)
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_equal_ranges_give_equal_files_in_whatever_order_they_come(tmp_path: Path) -> None:
    spans = [span("A1", "A9"), span("B1", "B9"), span("A1", "A9"), span("1", "2", issuer="D")]
    one, other = tmp_path / "one", tmp_path / "other"
    assert write_ranges(lambda _: one, spans, KEY) == write_ranges(
        lambda _: other, reversed(spans), KEY
    )
    assert one.read_bytes() == other.read_bytes()
    assert one.stat().st_mode & 0o777 == 0o644


def test_other_ranges_have_another_nonce_and_the_file_shows_no_number() -> None:
    one, other = (sealed(clear_of([span("A100", high)]), KEY) for high in ("A199", "A198"))
    assert one[16:28] != other[16:28]
    assert b"A1" not in one
    assert b"UTO" not in one


def test_the_file_is_as_the_format_says() -> None:
    clear = clear_of([span("A1", "A9"), span("5", "7", kind=Kind.VISA)])
    assert clear == b"".join(
        (
            *(b"\x03UTO\x01", struct.pack("<I", 1), b"5", b"7", b"\x22", struct.pack("<H", 28064)),
            *(b"\x03UTO\x02", struct.pack("<I", 1), b"A1A9", b"\x20", struct.pack("<H", 28064)),
        )
    )
    content = sealed(clear, KEY)
    assert content[:8] == b"BPRANGE2"
    assert content[8:16].hex() == KEY.id
    assert len(content) == 28 + len(clear) + 16
    assert opened(content, KEY) == clear


def _whole(folder: Path) -> tuple[Path, str]:
    path = folder / "ranges"
    return path, write_ranges(lambda _: path, [span("A100", "A199"), span("B1", "B2")], KEY)


def _one_line(damage: pytest.ExceptionInfo[ListDamaged], path: Path) -> str:
    told = str(damage.value)
    assert "\n" not in told
    assert told.startswith(f"{path}: ")
    assert "fetch or build the list again" in told
    assert "A1" not in told.replace(str(path), "")
    return told


def test_a_flipped_bit_anywhere_is_damage(tmp_path: Path) -> None:
    path, digest = _whole(tmp_path)
    for place in range(path.stat().st_size):
        flip(path, place)
        with pytest.raises(ListDamaged) as damage:
            open_ranges(path, digest, KEY)
        _one_line(damage, path)
        flip(path, place)
    assert open_ranges(path, digest, KEY).count == 2


def test_a_flipped_bit_is_found_by_the_encryption_too(tmp_path: Path) -> None:
    path, _ = _whole(tmp_path)
    content = path.read_bytes()
    for place in range(len(content)):
        wrong = content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]
        with pytest.raises(ValueError, match=r"no file of ranges|another key|cannot be decrypted"):
            opened(wrong, KEY)


def test_a_file_cut_short_anywhere_or_made_longer_is_damage(tmp_path: Path) -> None:
    path, digest = _whole(tmp_path)
    content = path.read_bytes()
    for wrong in (*(content[:size] for size in range(len(content))), content + b"\0"):
        path.write_bytes(wrong)
        with pytest.raises(ListDamaged) as damage:
            open_ranges(path, digest, KEY)
        _one_line(damage, path)
        with pytest.raises(
            ValueError, match=r"no file of ranges|another key|end early|cannot be decrypted"
        ):
            opened(wrong, KEY)


def test_another_key_is_told_from_damage(tmp_path: Path) -> None:
    path, digest = _whole(tmp_path)
    with pytest.raises(ListDamaged) as damage:
        open_ranges(path, digest, OTHER_KEY)
    assert "under another key" in _one_line(damage, path)


def test_a_file_that_is_not_there_or_is_a_folder_is_damage(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none", "No such file"), (tmp_path, "directory")):
        with pytest.raises(ListDamaged, match=re.escape(str(path)) + f".*{why}"):
            open_ranges(path, "0" * 64, KEY)


@pytest.mark.parametrize(
    "clear",
    [
        b"\x03UTO\x02" + struct.pack("<I", 2) + b"B1B9\x20\x00\x00" + b"A1A9\x20\x00\x00",
        b"\x03UTO\x02" + struct.pack("<I", 1) + b"A9A1\x20\x00\x00",
        b"\x03UTO\x02" + struct.pack("<I", 1) + b"\xff1\xff9\x20\x00\x00",
        b"\x03UTO\x02" + struct.pack("<I", 1) + b"A1A9\x07\x00\x00",
        b"\x03UTO\x02" + struct.pack("<I", 1) + b"A1A9\x20\x00",
        b"\x03UTO\x02" + struct.pack("<I", 0xFFFFFFFF) + b"A1A9\x20\x00\x00",
        b"\x03UTO\x02" + struct.pack("<I", 0),
        b"\x03UTO\x00" + struct.pack("<I", 1) + b"\x20\x00\x00",
        b"\x03UTO\x02" + struct.pack("<I", 1) + b"A1A9\x20\x00\x00" + b"\x03UT",
        (b"\x03UTO\x02" + struct.pack("<I", 1) + b"A1A9\x20\x00\x00") * 2,
        b"\x03\xff\xff\xff\x02" + struct.pack("<I", 1) + b"A1A9\x20\x00\x00",
        b"\xff",
    ],
)
def test_a_file_that_its_publisher_wrote_wrongly_is_damage_and_no_list_with_gaps(
    tmp_path: Path, clear: bytes
) -> None:
    path = tmp_path / "ranges"
    path.write_bytes(sealed(clear, KEY))
    with pytest.raises(ListDamaged) as damage:
        open_ranges(path, digest_of(path.read_bytes()), KEY)
    _one_line(damage, path)
