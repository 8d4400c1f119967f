"""The directory of a table: the only part of it that is held in memory.

For each page of keys it has the first key, the rank of its first record and the page's digest; for
each page of details its digest. The table's root is the digest of the whole directory, so whoever
vouches for the root vouches for every page.

    magic "BPTABLE2" | key id 8 | records u64 | pages u32 | detail pages u32 | first keys u64 each |
    ranks u32 each | page digests 16 each | detail page digests 16 each

All numbers are little-endian. A page's digest is BLAKE2b-128, the root BLAKE2b-256, each under a
personalisation of its own.
"""

import struct
from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from scanner.said import said

MAGIC: Final = b"BPTABLE2"
HEADER: Final = struct.Struct("<8s8sQII")
DIGEST: Final = 16
MOST_RECORDS: Final = 2**32 - 1

_PAGE = b"bp list page"
_ROOT = b"bp list table"


def page_digest(page: bytes) -> bytes:
    """The digest that a directory has of a page."""
    return blake2b(page, digest_size=DIGEST, person=_PAGE).digest()


def root_of(content: bytes) -> bytes:
    """The root of the table that this is the directory of: 32 bytes."""
    return blake2b(content, digest_size=32, person=_ROOT).digest()


@dataclass(frozen=True)
class Directory:
    """One table's directory. `firsts` and `ranks` have one number a page of keys."""

    key_id: str
    records: int
    firsts: "array[int]"
    ranks: "array[int]"
    page_digests: bytes
    detail_digests: bytes

    @property
    def pages(self) -> int:
        """Pages of keys."""
        return len(self.firsts)

    @property
    def detail_pages(self) -> int:
        return len(self.detail_digests) // DIGEST

    def pages_with(self, key: int) -> range:
        """The pages that may hold a key: one as a rule, two or more where it is a page's first."""
        return range(max(0, bisect_left(self.firsts, key) - 1), bisect_right(self.firsts, key))

    def page_digest(self, page: int) -> bytes:
        return self.page_digests[page * DIGEST : (page + 1) * DIGEST]

    def detail_digest(self, page: int) -> bytes:
        return self.detail_digests[page * DIGEST : (page + 1) * DIGEST]

    def written(self) -> bytes:
        """As it stands in its file."""
        head = HEADER.pack(
            MAGIC, bytes.fromhex(self.key_id), self.records, self.pages, self.detail_pages
        )
        numbers = (_little(self.firsts).tobytes(), _little(self.ranks).tobytes())
        return b"".join((head, *numbers, self.page_digests, self.detail_digests))


def parsed(content: bytes) -> Directory:
    """A directory from its file. Raises ValueError where it is none."""
    if len(content) < HEADER.size:
        raise ValueError(said("the directory ends early"))
    magic, key_id, records, pages, detail_pages = HEADER.unpack_from(content)
    if magic != MAGIC:
        raise ValueError(said("this is no table's directory, or one of another format"))
    ends = [HEADER.size]
    for size in (8 * pages, 4 * pages, DIGEST * pages, DIGEST * detail_pages):
        ends.append(ends[-1] + size)
    if ends[-1] != len(content):
        raise ValueError(said("the directory has another size than it says"))
    firsts, ranks = array("Q"), array("I")
    firsts.frombytes(content[ends[0] : ends[1]])
    ranks.frombytes(content[ends[1] : ends[2]])
    return Directory(
        key_id.hex(),
        records,
        _little(firsts),
        _little(ranks),
        content[ends[2] : ends[3]],
        content[ends[3] : ends[4]],
    )


def _little(numbers: "array[int]") -> "array[int]":
    """Between the machine's order of bytes and the file's."""
    if struct.pack("=H", 1) == struct.pack("<H", 1):
        return numbers
    turned = numbers[:]
    turned.byteswap()
    return turned
