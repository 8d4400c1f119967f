"""Writes and unpacks pages (`page` says what they are), with NumPy.

How many records a page takes follows from the keys alone: the largest number that fits. So the
same records always give the same pages, whoever writes them.
"""

import numpy as np
from numpy.typing import NDArray

from scanner.said import said
from scanner.watchlist.page import HEADER, MOST_LOW_BITS, PAGE, ROOM
from scanner.watchlist.record_arrays import U64

MOST_RECORDS = 8 * ROOM // 9
"""What a page could hold if all its keys were equal: a byte and a bit each."""


def how_many_fit(keys: U64) -> int:
    """How many of these sorted keys go into one page; MOST_RECORDS of them are looked at."""
    first = int(keys[0])
    fits, too_many = 1, min(len(keys), MOST_RECORDS) + 1
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        if _split(middle, int(keys[middle - 1]) - first)[0] <= ROOM:
            fits = middle
        else:
            too_many = middle
    return fits


def encode(keys: U64, classes: NDArray[np.uint8]) -> bytes:
    """One page of sorted keys, as many as `how_many_fit` says at most."""
    count = len(keys)
    distances = keys - keys[0]
    _, low_bits = _split(count, int(distances[-1]))
    upper = upper_row(distances, low_bits)
    parts = (
        HEADER.pack(count, low_bits, 0, len(upper), 0),
        classes.tobytes(),
        upper,
        packed(distances, low_bits),
    )
    page = b"".join(parts)
    return page.ljust(PAGE, b"\0")


def decode(page: bytes, first: int) -> tuple[U64, NDArray[np.uint8]]:
    """The keys and classes of a page. Raises ValueError where it cannot be one."""
    count, low_bits, _, upper_bytes, _ = HEADER.unpack_from(page)
    start = HEADER.size + count
    lows = start + upper_bytes
    end = lows + (count * low_bits + 7) // 8
    if end > PAGE or low_bits > MOST_LOW_BITS:
        raise ValueError(said("a page says that it holds more than it can"))
    row = np.unpackbits(np.frombuffer(page, np.uint8, upper_bytes, start), bitorder="little")
    places = np.flatnonzero(row)
    if len(places) != count:
        raise ValueError(said("a page's upper parts are not as many as its records"))
    highs = (places - np.arange(count)).astype(np.uint64) << np.uint64(low_bits)
    keys = highs + unpacked(page[lows:end], low_bits, count) + np.uint64(first)
    return keys, np.frombuffer(page, np.uint8, count, HEADER.size)


def _split(count: int, span: int) -> tuple[int, int]:
    """The bytes that a page of so many keys needs when the last is `span` from the first, and how
    many of each key's bits are best kept apart."""
    near = max(0, (span // count).bit_length() - 1)
    return min(
        (count + (count + (span >> bits) + 7) // 8 + (count * bits + 7) // 8, bits)
        for bits in range(max(0, near - 1), min(MOST_LOW_BITS, near + 1) + 1)
    )


def upper_row(distances: U64, low_bits: int) -> bytes:
    """The upper parts of sorted distances: bit `high + i` is set for each."""
    highs = (distances >> np.uint64(low_bits)).astype(np.int64)
    row = np.zeros(len(highs) + int(highs[-1]), np.uint8)
    row[highs + np.arange(len(highs))] = 1
    return np.packbits(row, bitorder="little").tobytes()


def packed(numbers: U64, bits: int) -> bytes:
    """The lowest bits of each number, one after another."""
    if not bits:
        return b""
    octets = np.ascontiguousarray(numbers, "<u8").view(np.uint8).reshape(-1, 8)
    octets = octets[:, : (bits + 7) // 8]
    spread = np.unpackbits(octets, axis=1, bitorder="little")[:, :bits]
    return np.packbits(spread, bitorder="little").tobytes()


def unpacked(content: bytes, bits: int, count: int) -> U64:
    """The numbers that `packed` put one after another."""
    if not bits:
        return np.zeros(count, np.uint64)
    spread = np.unpackbits(np.frombuffer(content, np.uint8), bitorder="little")[: count * bits]
    octets = np.zeros((count, 8), np.uint8)
    octets[:, : (bits + 7) // 8] = np.packbits(
        spread.reshape(count, bits), axis=1, bitorder="little"
    )
    return octets.view("<u8").reshape(-1).astype(np.uint64)
