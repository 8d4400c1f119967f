"""A run of sorted numbers in few more bits than they carry, searched where it lies.

An Elias-Fano code as in `page`, for numbers alone and of any length. The first number stands in the
header; the others are distances from it. In a run split at l bits, the upper part of distance i,
`high`, sets bit `high + i` of one row; the lower l bits stand one after another.

    | first | n   | u          | l  | 0       | upper row | lower parts |
      u64     u32   u32, bytes   u8   3 bytes   u bytes     n*l bits

Tombstones (`overlay`) and what a delta adds and removes (`delta_file`) are such runs.
"""

import struct
from dataclasses import dataclass
from typing import Final

from scanner.said import said
from scanner.watchlist.page import MOST_LOW_BITS, after_zeros, low_at

HEADER: Final = struct.Struct("<QIIB3x")


@dataclass(frozen=True)
class Run:
    """Where a run's parts begin in the bytes that hold it, and where it ends. Its header is known
    to fit them; nothing else is looked at yet."""

    first: int
    count: int
    low_bits: int
    upper: int
    lows: int
    end: int


def run_at(content: bytes, at: int, most: int) -> Run:
    """The run that begins there, of `most` numbers or fewer. Raises ValueError for what is none."""
    if len(content) - at < HEADER.size:
        raise ValueError(said("a run of numbers ends early"))
    first, count, upper_bytes, low_bits = HEADER.unpack_from(content, at)
    upper = at + HEADER.size
    lows = upper + upper_bytes
    if not 0 < count <= most or low_bits > MOST_LOW_BITS:
        raise ValueError(said("a run of numbers says that it holds more than it can"))
    end = lows + (count * low_bits + 7) // 8
    if end > len(content):
        raise ValueError(said("a run of numbers ends early"))
    return Run(first, count, low_bits, upper, lows, end)


def holds(content: bytes, run: Run, number: int) -> bool:
    """Whether a number is in the run. Raises ValueError where the run cannot be one."""
    distance = number - run.first
    if distance <= 0:
        return distance == 0
    row = int.from_bytes(content[run.upper : run.lows], "little")
    if row.bit_count() != run.count:
        raise ValueError(said("a run's upper parts are not as many as its numbers"))
    high = distance >> run.low_bits
    highest = row.bit_length() - run.count
    if high > highest:
        return False
    at = after_zeros(row, high, highest)
    low = distance & ((1 << run.low_bits) - 1)
    index, bucket = at - high, row >> at
    while bucket & 1:
        here = low_at(content, run.lows, run.low_bits, index)
        if here >= low:
            return here == low
        bucket >>= 1
        index += 1
    return False
