"""Deltas and overlays as docs/lists.md has them: this file reads both from the page alone, with
none of the engine's code."""

import json
import struct
import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np

from tests.list_versions import Listed, Published, delta_between, put_base, records_of, rests, span
from tests.lists.test_list_format import bits_of, keyed, records_in

Row = tuple[int, int, int, int]
"""Key, class, tag and day."""


def run_at(content: bytes, at: int) -> tuple[list[int], int]:
    """A run's numbers, and where it ends."""
    first, count, upper, split, zeros = struct.unpack_from("<QIIB3s", content, at)
    assert zeros == bytes(3)
    row = bits_of(content[at + 20 : at + 20 + upper])
    places = [place for place, bit in enumerate(row) if bit == "1"]
    assert len(places) == count and upper == (places[-1] + 8) // 8
    end = at + 20 + upper + (count * split + 7) // 8
    lows = bits_of(content[at + 20 + upper : end])
    numbers = []
    for index, place in enumerate(places):
        low = lows[index * split : (index + 1) * split][::-1]
        numbers.append(first + ((place - index) << split | int(low or "0", 2)))
    assert split == split_of(count, numbers[-1] - first)
    return numbers, end


def split_of(count: int, distance: int) -> int:
    middle = max(0, (distance // count).bit_length() - 1)
    splits = range(max(0, middle - 1), min(63, middle + 1) + 1)
    return min(splits, key=lambda split: (count * split + count + (distance >> split), split))


def row_at(content: bytes, at: int, count: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from("<I", content, at)
    row = zlib.decompress(content[at + 4 : at + 4 + size], wbits=-15)
    assert len(row) == count
    return row, at + 4 + size


def delta_in(content: bytes) -> tuple[tuple[object, ...], list[int], list[Row], bytes]:
    """A delta's header, removals, additions and ranges."""
    body, digest = content[:-32], content[-32:]
    assert digest == blake2b(body, digest_size=32, person=b"bp list delta").digest()
    header = struct.unpack_from("<8s64s8s32s32sIIqQQQQQ32sQ", body)
    removals_said, additions_said = header[10:12]
    at, removals, additions = 240, list[int](), list[Row]()
    while len(removals) < removals_said:
        ranks, at = run_at(body, at)
        assert len(ranks) == min(65_536, removals_said - len(removals))
        removals += ranks
    while len(additions) < additions_said:
        block, at = block_at(body, at)
        assert len(block) == min(65_536, additions_said - len(additions))
        additions += block
    return header, removals, additions, body[at:]


def block_at(body: bytes, at: int) -> tuple[list[Row], int]:
    keys, at = run_at(body, at)
    classes, at = row_at(body, at, len(keys))
    (latest,) = struct.unpack_from("<H", body, at)
    high, at = row_at(body, at + 2, len(keys))
    low, at = row_at(body, at, len(keys))
    tags = struct.unpack_from(f"<{len(keys)}H", body, at)
    days = [latest - (one << 8 | other) for one, other in zip(high, low, strict=True)]
    return list(zip(keys, classes, tags, days, strict=True)), at + 2 * len(keys)


def version_in(lists: Path) -> tuple[list[Row], str, str]:
    """The records that are listed, in order; the version's root, and its ranges' digest."""
    said = json.loads((lists / "sltd.json").read_text())
    base = records_in(lists / "sltd" / f"base-{said['base'][:16]}", said["base"])
    overlay = said["overlay"]
    parts = bytes.fromhex(said["base"]) + bytes.fromhex(overlay or "00" * 32)
    whole = parts + bytes.fromhex(said["ranges_digest"])
    root = blake2b(whole, digest_size=32, person=b"bp list version").hexdigest()
    if overlay is None:
        return base, root, said["ranges_digest"]
    folder = lists / "sltd" / f"overlay-{overlay[:16]}"
    tombstones = (folder / "tombstones").read_bytes()
    assert blake2b(tombstones, digest_size=32, person=b"bp list overlay").hexdigest() == overlay
    magic, over, added, count, said_removals = struct.unpack_from("<8s32s32sQQ", tombstones)
    assert (magic, over.hex(), count) == (b"BPTOMBS2", said["base"], len(base))
    at, removed = 88, list[int]()
    while at < len(tombstones):
        ranks, at = run_at(tombstones, at)
        assert len(ranks) == min(1024, said_removals - len(removed))
        removed += ranks
    gone = set(removed)
    left = [row for rank, row in enumerate(base) if rank not in gone]
    adds = records_in(folder, added.hex())
    assert not Counter(adds) & Counter(base[rank] for rank in gone)
    return sorted(left + adds), root, said["ranges_digest"]


def test_a_delta_and_what_it_leads_to_can_be_read_from_the_page_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    keys = rng.integers(0, 2**64, 80_000, np.uint64).tolist()
    everything = list(zip(keys, rests(len(keys), rng), strict=True))
    start: Listed = Counter(everything[:6000])
    start[everything[7]] = 3
    published = Published(tmp_path, start)
    days = (
        Counter(everything[2000:76_000]),
        Counter(everything[1000:4000]) + Counter(everything[50_000:]),
    )
    for version, listed in enumerate(days, 2):
        before, from_root, _ = version_in(published.lists)
        put_base(tmp_path / "new", records_of(listed), version=version, spans=[span("A1", "A9")])
        delta_between(published.lists, tmp_path / "new", tmp_path / "out")
        published.day(listed, [span("A1", "A9")])
        assert (tmp_path / "out").read_bytes() == (tmp_path / "delta").read_bytes()
        header, removals, additions, ranges = delta_in((tmp_path / "out").read_bytes())
        after, to_root, ranges_digest = version_in(published.lists)
        gone = set(removals)
        left = [row for rank, row in enumerate(before) if rank not in gone]
        assert sorted(left + additions) == after
        assert not Counter(additions) & Counter(before[rank] for rank in gone)
        as_of = datetime(2026, 11, 1 + version, 4, tzinfo=UTC)
        assert header == (
            b"BPDELTA2",
            b"sltd".ljust(64, b"\0"),
            keyed(8, b"bp list id", b""),
            bytes.fromhex(from_root),
            bytes.fromhex(to_root),
            version - 1,
            version,
            (as_of - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
            *(len(before), len(after), len(removals), len(additions), 1),
            bytes.fromhex(ranges_digest),
            len(ranges),
        )
        assert bool(ranges) == (version == 2)
        if ranges:
            file = next((published.lists / "sltd").glob(f"ranges-{ranges_digest[:16]}"))
            assert ranges == file.read_bytes()
