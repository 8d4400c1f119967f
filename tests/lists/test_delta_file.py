"""A delta's file: small, the same every time, and refused wherever it is not what it should be."""

import tracemalloc
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.delta import NoDelta
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.delta_blocks import additions_written, removals_written
from scanner.watchlist.delta_file import DIGEST, open_delta, write_delta
from scanner.watchlist.delta_header import HEADER, MOST_CHANGES, DeltaHeader, DeltaRefused
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.records import rest_of
from tests.list_versions import (
    DAY_ONE,
    KEY,
    NAME,
    Listed,
    delta_between,
    listed_in,
    opened,
    put_base,
    records_of,
    rests,
    span,
)

RNG = np.random.default_rng(11)
KEYS = RNG.integers(0, 2**64, 1500, np.uint64).tolist()
BEFORE: Listed = Counter(zip(KEYS[:1400], rests(1400, RNG), strict=True))
AFTER: Listed = Counter(dict(list(BEFORE.items())[5:])) + Counter(
    zip(KEYS[1400:1430], rests(30, RNG), strict=True)
)


@pytest.fixture(autouse=True, scope="module")
def unsynced() -> Iterator[None]:
    """What the disk costs is not what these tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", lambda handle: None)
        yield


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """The list that the delta is for."""
    put_base(tmp_path / "lists", records_of(BEFORE))
    return tmp_path / "lists"


@pytest.fixture
def delta(tmp_path: Path, lists: Path) -> Path:
    put_base(tmp_path / "new", records_of(AFTER), version=2, spans=[span("A100", "A199")])
    delta_between(lists, tmp_path / "new", tmp_path / "delta")
    return tmp_path / "delta"


def resealed(body: bytes) -> bytes:
    """A delta of any content with a digest that is true."""
    return body + blake2b(body, digest_size=DIGEST, person=b"bp list delta").digest()


def content_of(lists: Path) -> dict[str, bytes]:
    """Every file of the lists."""
    return {
        str(path.relative_to(lists)): path.read_bytes()
        for path in sorted(lists.rglob("*"))
        if path.is_file()
    }


def assert_refused(lists: Path, path: Path, *, why: str = "", key: ListKey = KEY) -> None:
    """The delta is refused in one line that says where and what to do, and changes nothing."""
    before = content_of(lists)
    with pytest.raises(DeltaRefused) as refusal:
        apply_delta(lists, NAME, path, key)
    told = str(refusal.value)
    assert str(path) in told and why in told and "\n" not in told and "fetch" in told
    after = content_of(lists)
    after.pop(f"{NAME}/.lock", None)
    before.pop(f"{NAME}/.lock", None)
    assert after == before
    assert not (lists / NAME / ".building-update").exists()


def test_a_delta_leads_to_the_new_records_and_ranges(lists: Path, delta: Path) -> None:
    manifest = apply_delta(lists, NAME, delta, KEY)
    assert (manifest.version, manifest.records, manifest.ranges) == (2, len(AFTER), 1)
    assert listed_in(lists) == AFTER
    with opened(lists) as version:
        assert list(version.ranges.covering("UTO", "A150"))


def test_a_delta_that_was_applied_changes_nothing_more(lists: Path, delta: Path) -> None:
    first = apply_delta(lists, NAME, delta, KEY)
    before = content_of(lists)
    assert apply_delta(lists, NAME, delta, KEY) == first
    assert content_of(lists) == before


def test_the_same_versions_give_the_same_delta(tmp_path: Path, lists: Path, delta: Path) -> None:
    content = delta.read_bytes()
    delta_between(lists, tmp_path / "new", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content


def test_ranges_that_stayed_are_not_in_the_delta(tmp_path: Path, lists: Path) -> None:
    put_base(tmp_path / "new", records_of(AFTER), version=2)
    assert delta_between(lists, tmp_path / "new", tmp_path / "delta").header.ranges_bytes == 0
    before = read_manifest(lists, NAME).ranges_digest
    assert apply_delta(lists, NAME, tmp_path / "delta", KEY).ranges_digest == before


def test_a_day_without_changes_renews_the_moment(tmp_path: Path, lists: Path) -> None:
    put_base(tmp_path / "new", records_of(BEFORE), version=7)
    made = delta_between(lists, tmp_path / "new", tmp_path / "delta")
    assert made.size == HEADER.size + DIGEST
    before, after = read_manifest(lists, NAME), apply_delta(lists, NAME, tmp_path / "delta", KEY)
    assert (after.root(), after.overlay, after.version) == (before.root(), None, 7)
    assert after.as_of > before.as_of


def test_a_day_of_many_changes_takes_little_more_than_it_carries(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    keys = np.sort(rng.integers(0, 2**64, 400_000, np.uint64))
    rest = np.array(rests(len(keys), rng), np.uint64)
    new = rng.permutation(len(keys)) < 100_000
    gone = rng.permutation(len(keys)) < 20_000
    put_base(tmp_path / "old", Records(keys, rest)[~new])
    put_base(tmp_path / "new", Records(keys, rest)[~gone | new], version=2)
    made = delta_between(tmp_path / "old", tmp_path / "new", tmp_path / "delta")
    header = made.header
    added, removed = header.additions, header.removals
    assert added == 100_000 and removed > 10_000
    class_and_day = np.log2(6) + np.log2(4000)
    bits = added * (64 - np.log2(added) + 1.44 + 16 + class_and_day)
    bits += removed * (np.log2(header.from_records / removed) + 1.44)
    assert made.size < 1.02 * bits / 8


def test_a_delta_that_is_cut_anywhere_is_refused(lists: Path, delta: Path, tmp_path: Path) -> None:
    content = delta.read_bytes()
    for size in range(len(content)):
        (tmp_path / "cut").write_bytes(content[:size])
        with pytest.raises(DeltaRefused, match="cannot be used"):
            apply_delta(lists, NAME, tmp_path / "cut", KEY)
    assert_refused(lists, tmp_path / "cut", why="digest")


def test_a_flipped_bit_anywhere_is_refused(lists: Path, delta: Path, tmp_path: Path) -> None:
    content = delta.read_bytes()
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        (tmp_path / "flipped").write_bytes(flipped)
        with pytest.raises(DeltaRefused, match="cannot be used"):
            apply_delta(lists, NAME, tmp_path / "flipped", KEY)
    assert_refused(lists, tmp_path / "flipped", why="digest")


@pytest.mark.parametrize("harm", ["cut", "flipped", "grown"])
def test_harm_under_a_true_digest_never_makes_another_list(
    lists: Path, delta: Path, tmp_path: Path, harm: str
) -> None:
    """Version and moment are in no root and so in a signature's keeping; all else is refused."""
    body = delta.read_bytes()[:-DIGEST]
    before, path = read_manifest(lists, NAME), tmp_path / "harmed"
    places = [*range(HEADER.size), *range(HEADER.size, len(body), 3)]
    for place in places:
        path.write_bytes(resealed(_harmed(body, place, harm)))
        try:
            after = apply_delta(lists, NAME, path, KEY)
        except DeltaRefused as refusal:
            assert "\n" not in str(refusal)
            assert read_manifest(lists, NAME) == before
        else:
            assert listed_in(lists) == AFTER
            assert replace(after, version=2, as_of=DAY_ONE + timedelta(days=2)).records == len(
                AFTER
            )
            put_base(lists, records_of(BEFORE))
    assert listed_in(lists) == BEFORE


def _harmed(body: bytes, place: int, harm: str) -> bytes:
    if harm == "cut":
        return body[:place]
    if harm == "grown":
        return body[:place] + b"\x5a" + body[place:]
    return body[:place] + bytes([body[place] ^ 1 << place % 8]) + body[place + 1 :]


def header_of(delta: Path) -> DeltaHeader:
    with open_delta(delta) as opened_delta:
        return opened_delta.header


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("additions", 2**63),
        ("additions", MOST_CHANGES),
        ("removals", MOST_CHANGES),
        ("removals", 2**64 - 1),
        ("from_records", 2**64 - 1),
        ("to_records", 2**40),
        ("ranges_bytes", 2**63),
        ("ranges_bytes", 2**31),
        ("to_version", 0),
        ("to_version", 1),
        ("from_version", 2**32 - 1),
    ],
)
def test_a_count_that_cannot_be_is_refused_before_room_is_made(
    lists: Path, delta: Path, tmp_path: Path, field: str, value: int
) -> None:
    header = replace(header_of(delta), **{field: value})
    if field in ("additions", "removals") and value == MOST_CHANGES:
        header = replace(
            header,
            from_records=MOST_CHANGES,
            to_records=MOST_CHANGES - header.removals + header.additions,
        )
    body = delta.read_bytes()[HEADER.size : -DIGEST]
    (tmp_path / "absurd").write_bytes(resealed(header.written() + body))
    tracemalloc.start()
    try:
        assert_refused(lists, tmp_path / "absurd")
        assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    finally:
        tracemalloc.stop()


def test_a_moment_that_is_none_is_refused(lists: Path, delta: Path, tmp_path: Path) -> None:
    content = bytearray(delta.read_bytes()[:-DIGEST])
    at = HEADER.size - 8 - 32 - 5 * 8 - 8
    content[at : at + 8] = (2**63 - 1).to_bytes(8, "little")
    (tmp_path / "absurd").write_bytes(resealed(bytes(content)))
    assert_refused(lists, tmp_path / "absurd", why="moment")


Parts = Callable[[], list[bytes]]

RANKS = np.arange(5, dtype=np.uint64)
ADDED = Records.of(sorted((5 * i, rest_of(1, i, 20_000)) for i in range(30)))


def blocks(**parts: bytes) -> list[bytes]:
    """What additions of ADDED are written as, with other parts in place of some."""
    names = ("keys", "classes", "day", "high", "low", "tags")
    written = dict(zip(names, additions_written(ADDED), strict=True))
    return [*removals_written(RANKS), *{**written, **parts}.values()]


def row(content: bytes, *, size: int | None = None) -> bytes:
    """A row of bytes as a delta has it, of whatever length."""
    written = zlib.compress(content, wbits=-15)
    return (len(written) if size is None else size).to_bytes(4, "little") + written


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (lambda: blocks(classes=row(bytes([7] * 30))), "kind or status"),
        (lambda: blocks(classes=row(bytes([255] * 30))), "kind or status"),
        (lambda: blocks(classes=row(bytes(31))), "as long"),
        (lambda: blocks(classes=row(bytes(29))), "as long"),
        (lambda: blocks(classes=row(bytes(20_000))), "as long"),
        (lambda: blocks(classes=row(bytes(50_000_000))), "longer"),
        (lambda: blocks(classes=row(bytes(30), size=2**31)), "longer"),
        (lambda: blocks(classes=b"\4\0\0\0\xff\xff\xff\xff"), "unpacked"),
        (lambda: blocks(high=row(bytes([255] * 30))), "day"),
        (lambda: blocks(keys=next(removals_written(RANKS))), "as long"),
        (lambda: [*removals_written(RANKS[[0] * 5]), *blocks()[1:]], "do not rise"),
        (lambda: [*removals_written(RANKS + np.uint64(2000)), *blocks()[1:]], "there are not"),
        (lambda: [*blocks(), b"\0"], "goes on"),
        (lambda: blocks()[:-1], "ends early"),
        (blocks, "not what it says"),
    ],
)
def test_parts_that_are_none_are_refused(
    lists: Path, delta: Path, tmp_path: Path, body: Parts, why: str
) -> None:
    header = replace(header_of(delta), ranges_bytes=0)
    header = replace(header, ranges_digest=read_manifest(lists, NAME).ranges_digest)
    write_delta(tmp_path / "made", header, body(), None)
    assert_refused(lists, tmp_path / "made", why=why)


def test_ranges_of_another_key_or_none_are_refused(
    lists: Path, delta: Path, tmp_path: Path
) -> None:
    content = delta.read_bytes()[:-DIGEST]
    for ranges in (b"", bytes(header_of(delta).ranges_bytes)):
        body = content[: -header_of(delta).ranges_bytes] + ranges
        (tmp_path / "made").write_bytes(resealed(body))
        assert_refused(lists, tmp_path / "made")


def test_a_delta_for_another_list_key_base_or_version_is_refused(
    lists: Path, delta: Path, tmp_path: Path
) -> None:
    assert_refused(lists, delta, key=ListKey(bytes(32)), why="under key")
    put_base(tmp_path / "other", records_of(BEFORE), name="stops")
    (tmp_path / "other" / NAME).mkdir()
    with pytest.raises(DeltaRefused, match="it is for list sltd, and this is stops"):
        apply_delta(tmp_path / "other", "stops", delta, KEY)
    with pytest.raises(DeltaRefused, match="has no list sltd"):
        apply_delta(tmp_path / "other", NAME, delta, KEY)
    put_base(lists, records_of(BEFORE), version=3)
    assert_refused(lists, delta, why="starts from version 1")
    put_base(lists, records_of(BEFORE + Counter({(3, 4): 1})), version=1)
    assert_refused(lists, delta, why="starts from version 1")
    put_base(lists, records_of(BEFORE), as_of=DAY_ONE + timedelta(days=9))
    assert_refused(lists, delta, why="earlier moment")


def test_a_damaged_list_is_told_and_left(lists: Path, delta: Path) -> None:
    keys = next((lists / NAME).glob("base-*/keys"))
    content = keys.read_bytes()
    keys.write_bytes(b"\xff" * len(content))
    with pytest.raises(ListDamaged, match="fetch or build"):
        apply_delta(lists, NAME, delta, KEY)
    keys.write_bytes(content)
    assert listed_in(lists) == BEFORE
    assert not (lists / NAME / ".building-update").exists()


def test_a_delta_that_cannot_be_read_is_refused(lists: Path, tmp_path: Path) -> None:
    assert_refused(lists, tmp_path / "none", why="No such file")


def test_versions_that_no_delta_leads_between_are_told(tmp_path: Path, lists: Path) -> None:
    new, out = tmp_path / "new", tmp_path / "delta"
    put_base(new, records_of(AFTER), as_of=DAY_ONE - timedelta(days=9))
    with pytest.raises(NoDelta, match="before the old one"):
        delta_between(lists, new, out)
    other = ListKey(bytes(32))
    put_base(new, records_of(AFTER), key=other)
    with opened(lists) as before, opened(new, key=other) as after:
        from scanner.watchlist.delta import make_delta, ranges_of

        with pytest.raises(NoDelta, match="under a new key"):
            make_delta(before, after, ranges_of(new, after), out)
    assert sorted(tmp_path.iterdir()) == [lists, new]
