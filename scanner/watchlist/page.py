"""One page of a table: some 690 sorted keys in 4 KiB, searched without unpacking it.

A page is an Elias-Fano code (Elias 1974, Fano 1971) of its keys less its first one, which the
directory holds, and an inline byte a record. In a page with n records and a split at l bits, the
upper part of key i, `high`, sets bit `high + i` of one row of bits; the lower l bits stand one
after another. A lookup needs the place after so many zeros in the upper row and, mostly, one lower
part.

    0      2     3      4            6     8        8+n            8+n+u
    | n    | l   | 0    | u          | 0   | classes | upper row  | lower parts | zeros
      u16    u8    u8     u16, bytes   u16   n bytes   u bytes      n*l bits

All numbers are little-endian, and bits go from the lowest. The rest of the page is zero.
"""

import struct
from typing import Final

from scanner.said import said

PAGE: Final = 4096
HEADER: Final = struct.Struct("<HBBHH")
ROOM: Final = PAGE - HEADER.size
MOST_LOW_BITS: Final = 63


def find(page: bytes, first: int, key: int) -> range:
    """The indexes of the records with this key, in the page that starts with `first`.

    Raises ValueError where the page cannot be one.
    """
    count, low_bits, _, upper_bytes, _ = HEADER.unpack_from(page)
    start = HEADER.size + count
    lows = start + upper_bytes
    if lows + (count * low_bits + 7) // 8 > PAGE or low_bits > MOST_LOW_BITS:
        raise ValueError(said("a page says that it holds more than it can"))
    distance = key - first
    if distance < 0:
        return range(0)
    upper = int.from_bytes(page[start:lows], "little")
    if upper.bit_count() != count:
        raise ValueError(said("a page's upper parts are not as many as its records"))
    high = distance >> low_bits
    highest = upper.bit_length() - count
    if high > highest:
        return range(0)
    at = after_zeros(upper, high, highest)
    low = distance & ((1 << low_bits) - 1)
    index = at - high
    bucket = upper >> at
    while bucket & 1 and low_at(page, lows, low_bits, index) < low:
        bucket >>= 1
        index += 1
    begin = index
    while bucket & 1 and low_at(page, lows, low_bits, index) == low:
        bucket >>= 1
        index += 1
    return range(begin, index)


def class_at(page: bytes, index: int) -> int:
    """The inline byte of a record."""
    return page[HEADER.size + index]


def after_zeros(row: int, zeros: int, all_zeros: int) -> int:
    """The place in a row of bits right after so many of its zeros, counted from the lowest bit.

    A guess by even spread is some places off; each step then moves by as many places as zeros are
    missing or too many, which never oversteps.
    """
    if not zeros:
        return 0
    at = zeros * row.bit_length() // max(1, all_zeros)
    while missing := zeros - at + (row & ((1 << at) - 1)).bit_count():
        at += missing
    below = row & ((1 << at) - 1)
    # Ones that stand right below belong to the same bucket: back to the zero under them.
    return (below ^ ((1 << at) - 1)).bit_length()


def low_at(content: bytes, lows: int, low_bits: int, index: int) -> int:
    """The lower part of one number; they begin at the byte `lows`, `low_bits` each."""
    bit = index * low_bits
    begin = lows + (bit >> 3)
    value = int.from_bytes(content[begin : begin + 9], "little") >> (bit & 7)
    return value & ((1 << low_bits) - 1)
