"""Writes and unpacks runs of sorted numbers (`elias_fano` says what they are), with NumPy."""

import numpy as np

from scanner.said import said
from scanner.watchlist.elias_fano import HEADER, Run
from scanner.watchlist.page import MOST_LOW_BITS
from scanner.watchlist.page_writer import packed, unpacked, upper_row
from scanner.watchlist.record_arrays import U64

_LARGEST = 2**64 - 1


def encode(numbers: U64) -> bytes:
    """One run of these sorted numbers, one at least."""
    count = len(numbers)
    distances = numbers - numbers[0]
    low_bits = _split(count, int(distances[-1]))
    upper = upper_row(distances, low_bits)
    header = HEADER.pack(int(numbers[0]), count, len(upper), low_bits)
    return header + upper + packed(distances, low_bits)


def decode(content: bytes, run: Run) -> U64:
    """The numbers of a run, none below the one before it. Raises ValueError where it cannot be
    one."""
    row = np.frombuffer(content, np.uint8, run.lows - run.upper, run.upper)
    places = np.flatnonzero(np.unpackbits(row, bitorder="little"))
    if len(places) != run.count:
        raise ValueError(said("a run's upper parts are not as many as its numbers"))
    highs = places - np.arange(run.count)
    lows = unpacked(content[run.lows : run.end], run.low_bits, run.count)
    if run.first + (int(highs[-1]) << run.low_bits) + int(lows[-1]) > _LARGEST:
        raise ValueError(said("a run holds a number of more than 64 bits"))
    numbers = (highs.astype(np.uint64) << np.uint64(run.low_bits)) + lows + np.uint64(run.first)
    if run.count > 1 and bool((numbers[1:] < numbers[:-1]).any()):
        raise ValueError(said("a run's numbers are out of order"))
    return numbers


def _split(count: int, span: int) -> int:
    """How many of each number's bits are best kept apart."""
    near = max(0, (span // count).bit_length() - 1)
    return min(
        (count * bits + count + (span >> bits), bits)
        for bits in range(max(0, near - 1), min(MOST_LOW_BITS, near + 1) + 1)
    )[1]
