"""The blocks of a delta: removed ranks and added records, coded near what they carry.

Removals are ranks in runs (`elias_fano`) of BLOCK each. Additions come in blocks of BLOCK records
each: a run of keys, then classes, how many days before the block's latest day in two rows of bytes
(high, low), and the tags, which are hashes, as they are. The last run and the last block are
shorter.

    block:  run | row of classes | u16 latest day | row of high bytes | row of low bytes | tags u16
    row:    u32 bytes | raw deflate (RFC 1951), by the shortest of three strategies

What is read is trusted in nothing: a part is asked for when its length is known and within the
bounds of one block, and inflated no further than the block has records.
"""

import zlib
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from scanner.watchlist.elias_fano import HEADER as RUN_HEADER
from scanner.watchlist.elias_fano import run_at
from scanner.watchlist.elias_fano_arrays import decode, encode
from scanner.watchlist.record_arrays import U64, Records, rest_column
from scanner.watchlist.records import KINDS, STATUSES

BLOCK: Final = 1 << 16

Take = Callable[[int], bytes]
"""Gives the next so many bytes of a delta; raises ValueError where it has no more."""

_SIZE = Struct("<I")
_DAY = Struct("<H")
_STRATEGIES = (zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_DEFAULT_STRATEGY)
_CLASSES = np.zeros(256, np.bool_)
_CLASSES[[kind | status << 3 for kind in range(len(KINDS)) for status in range(len(STATUSES))]] = (
    True
)


def removals_written(ranks: U64) -> Iterator[bytes]:
    """Sorted ranks as they stand in a delta."""
    for begin in range(0, len(ranks), BLOCK):
        yield encode(ranks[begin : begin + BLOCK])


def removals_read(take: Take, count: int) -> Iterator[U64]:
    """So many ranks, each above the one before. Raises ValueError for what is none."""
    last = -1
    for begin in range(0, count, BLOCK):
        ranks = _run_read(take, min(BLOCK, count - begin))
        if int(ranks[0]) <= last or bool((ranks[1:] <= ranks[:-1]).any()):
            raise ValueError("its removals do not rise")
        last = int(ranks[-1])
        yield ranks


def additions_written(records: Records) -> Iterator[bytes]:
    """Sorted records as they stand in a delta."""
    for begin in range(0, len(records), BLOCK):
        block = records[begin : begin + BLOCK]
        latest = block.days.max()
        back = latest - block.days
        yield encode(block.keys)
        yield _row(block.classes)
        yield _DAY.pack(int(latest))
        yield _row((back >> np.uint16(8)).astype(np.uint8))
        yield _row(back.astype(np.uint8))
        yield block.tags.astype("<u2").tobytes()


def additions_read(take: Take, count: int) -> Iterator[Records]:
    """So many records in their order. Raises ValueError for what is none."""
    last = (-1, -1)
    for begin in range(0, count, BLOCK):
        records = _block_read(take, min(BLOCK, count - begin))
        first = (int(records.keys[0]), int(records.rest[0]))
        if first < last or not records.are_in_order():
            raise ValueError("its additions are out of order")
        last = (int(records.keys[-1]), int(records.rest[-1]))
        yield records


def _block_read(take: Take, count: int) -> Records:
    keys = _run_read(take, count)
    classes = _row_read(take, count)
    if not _CLASSES[classes].all():
        raise ValueError("an addition's kind or status is none")
    (latest,) = _DAY.unpack(take(_DAY.size))
    back = _row_read(take, count).astype(np.uint16) << np.uint16(8)
    back |= _row_read(take, count)
    if int(back.max()) > latest:
        raise ValueError("an addition's day is none")
    tags = np.frombuffer(take(2 * count), "<u2").astype(np.uint16)
    return Records(keys, rest_column(classes, tags, np.uint16(latest) - back))


def _run_read(take: Take, count: int) -> U64:
    """A run of exactly so many numbers."""
    head = take(RUN_HEADER.size)
    _, said, upper_bytes, low_bits = RUN_HEADER.unpack(head)
    # The split that takes least room leaves fewer than seven zeros a number in the upper row.
    if said != count or upper_bytes > count + 8 or low_bits > 64:
        raise ValueError("a run of numbers is not as long as it should be")
    content = head + take(upper_bytes + (count * low_bits + 7) // 8)
    return decode(content, run_at(content, 0, count))


def _row(numbers: NDArray[np.uint8]) -> bytes:
    content = numbers.tobytes()
    shortest = min((_deflated(content, strategy) for strategy in _STRATEGIES), key=len)
    return _SIZE.pack(len(shortest)) + shortest


def _deflated(content: bytes, strategy: int) -> bytes:
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15, 9, strategy)
    return deflate.compress(content) + deflate.flush()


def _row_read(take: Take, count: int) -> NDArray[np.uint8]:
    (size,) = _SIZE.unpack(take(_SIZE.size))
    # Deflate stores what it cannot shorten at five bytes a piece more.
    if size > 2 * count + 64:
        raise ValueError("a row of bytes is longer than it can be")
    inflate = zlib.decompressobj(-15)
    try:
        content = inflate.decompress(take(size), count + 1)
    except zlib.error:
        raise ValueError("a row of bytes cannot be unpacked") from None
    if len(content) != count or not inflate.eof or inflate.unused_data:
        raise ValueError("a row of bytes is not as long as it should be")
    return np.frombuffer(content, np.uint8)
