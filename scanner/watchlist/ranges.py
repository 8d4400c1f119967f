"""The ranges of stolen blanks: one encrypted file a version, held in memory, searched by bisection.

A range says that every number from one to another, both included and all as long as its ends, is
listed. Hashing would lose that order, so ranges are kept in clear inside one file that is encrypted
whole under the list's key: AES-256-GCM, with a nonce that follows from the content, so equal ranges
give equal files.

    file:   magic "BPRANGE2" | key id 8 | nonce 12 | sealed
    clear:  group, group, ...            in the order of (issuer, length)
    group:  u8 i | issuer, i bytes | u8 length n | u32 count | count times: low n | high n |
            class u8 | day u16           in the order of (low, high, class, day)

Numbers are little-endian; magic and key id are the associated data. Numbers of documents are
compared byte by byte, unfolded: blanks are numbered by a machine, and a range of look-alikes would
cover half a country. What a camera may have misread is asked as a number of its own.
"""

import os
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from itertools import groupby
from pathlib import Path

from scanner.durable import replace_durably
from scanner.mrz.document import Kind
from scanner.said import said
from scanner.watchlist.contract import CHANGED, ListStatus, damaged
from scanner.watchlist.listkey import ID_BYTES, ListKey
from scanner.watchlist.records import class_of, date_of, day_of, kind_of, status_of

MAGIC = b"BPRANGE2"
_NONCE = 12
_TAG = 16
"""What AES-GCM adds to the end, to know the content again by."""
_HEAD = len(MAGIC) + ID_BYTES + _NONCE
_REST = struct.Struct("<BH")
_COUNT = struct.Struct("<I")
_MOST_BYTES = 1 << 30


@dataclass(frozen=True)
class Span:
    """One range of numbers, all `length` characters long, both ends included."""

    issuer: str
    kind: Kind
    length: int
    low: str
    high: str
    status: ListStatus
    recorded: date


class _Group:
    """The ranges of one issuer and length: rows in the order of their lower ends, and over them a
    tree whose every node names the row with the highest upper end below it. So what one wide range
    or many nested ones cost a look-up grows with the ranges found and not with those that lie
    beside them."""

    def __init__(self, content: bytes, begin: int, count: int, length: int) -> None:
        """The rows stand in `content` from `begin` on. Raises ValueError where one is none."""
        self._content = content
        self._begin = begin
        self._count = count
        self._length = length
        self._size = 2 * length + _REST.size
        self._check()
        self._widest = array("I", bytes(4 * count))
        for node in range(count - 1, 0, -1):
            one, other = self._best(2 * node), self._best(2 * node + 1)
            self._widest[node] = one if self._high(one) >= self._high(other) else other

    def covering(self, number: bytes) -> Iterator[tuple[bytes, bytes, int, int]]:
        """Lower end, upper end, class and day of each range that has this number."""
        for at in sorted(self._reaching(number, self._first_above(number))):
            rest = _REST.unpack_from(self._content, self._place(at) + 2 * self._length)
            yield (self._low(at), self._high(at), *rest)

    def _reaching(self, number: bytes, end: int) -> Iterator[int]:
        """The rows before `end` whose upper end is at or above the number."""
        nodes: list[int] = []
        left, right = self._count, self._count + end
        while left < right:
            if left & 1:
                nodes.append(left)
                left += 1
            if right & 1:
                right -= 1
                nodes.append(right)
            left, right = left // 2, right // 2
        while nodes:
            node = nodes.pop()
            if self._high(self._best(node)) < number:
                continue
            if node >= self._count:
                yield node - self._count
            else:
                nodes += (2 * node, 2 * node + 1)

    def _first_above(self, number: bytes) -> int:
        """How many ranges begin at or before the number."""
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._low(middle) <= number:
                low = middle + 1
            else:
                high = middle
        return low

    def _best(self, node: int) -> int:
        """The row with the highest upper end below a node of the tree; its leaves are the rows."""
        return node - self._count if node >= self._count else self._widest[node]

    def _place(self, at: int) -> int:
        return self._begin + at * self._size

    def _low(self, at: int) -> bytes:
        place = self._place(at)
        return self._content[place : place + self._length]

    def _high(self, at: int) -> bytes:
        place = self._place(at) + self._length
        return self._content[place : place + self._length]

    def _check(self) -> None:
        """Raises ValueError for rows that no writer of ours writes: they would not be found."""
        before = b""
        for at in range(self._count):
            low, high = self._low(at), self._high(at)
            if not before <= low <= high or not low.isascii() or not high.isascii():
                raise ValueError(said("the ranges are out of order"))
            before = low
        first = self._begin + 2 * self._length
        for class_byte in set(self._content[first : self._place(self._count) : self._size]):
            kind_of(class_byte), status_of(class_byte)


class Ranges:
    """All ranges of a version. Safe to ask from several threads."""

    def __init__(self, clear: bytes) -> None:
        """Raises ValueError where this is not the content of such a file."""
        self._groups: dict[tuple[str, int], _Group] = {}
        self.count = 0
        for issuer, length, begin, count in _groups_in(clear):
            self._groups[issuer, length] = _Group(clear, begin, count, length)
            self.count += count

    def covering(self, issuer: str, number: str) -> Iterator[Span]:
        """Every range that has this number, of whatever kind, by lower and upper end."""
        group = self._groups.get((issuer, len(number)))
        if group is None or not number.isascii():
            return
        for low, high, class_byte, day in group.covering(number.encode()):
            yield Span(
                issuer,
                kind_of(class_byte),
                len(number),
                low.decode(),
                high.decode(),
                status_of(class_byte),
                date_of(day),
            )


def write_ranges(path_of: Callable[[str], Path], spans: Iterable[Span], key: ListKey) -> str:
    """Writes the file of these ranges, durably, to the path that follows from its digest, and gives
    the digest: 64 hexadecimal digits. Raises OSError."""
    content = sealed(clear_of(spans), key)
    digest = digest_of(content)
    replace_durably(path_of(digest), content, mode=0o644)
    return digest


def open_ranges(path: Path, digest: str, key: ListKey) -> Ranges:
    """The ranges in a file with this digest. Raises ListDamaged."""
    content = verified(path, digest)
    try:
        return Ranges(opened(content, key))
    except ValueError as error:
        raise damaged(path, error) from None


def verified(path: Path, digest: str) -> bytes:
    """The content of a file with this digest, still encrypted. Raises ListDamaged."""
    try:
        with path.open("rb") as file:
            # What is asked for is taken of memory first, however little there is to read.
            content = file.read(min(_MOST_BYTES, os.fstat(file.fileno()).st_size))
    except OSError as error:
        raise damaged(path, error.strerror or error) from None
    if digest_of(content) != digest:
        raise damaged(path, CHANGED)
    return content


def digest_of(content: bytes) -> str:
    """What a manifest has of a file of ranges."""
    return blake2b(content, digest_size=32, person=b"bp list ranges").hexdigest()


def sealed(clear: bytes, key: ListKey) -> bytes:
    """A file of ranges with this content."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415  takes memory

    head = MAGIC + bytes.fromhex(key.id)
    nonce = key.ranges_nonce(clear)
    return head + nonce + AESGCM(key.ranges_key()).encrypt(nonce, clear, head)


def opened(content: bytes, key: ListKey) -> bytes:
    """The content of a file of ranges. Raises ValueError where it is none, or under another key."""
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    head = MAGIC + bytes.fromhex(key.id)
    if not content.startswith(MAGIC):
        raise ValueError(said("this is no file of ranges, or one of another format"))
    if not content.startswith(head):
        raise ValueError(said("the ranges are under another key"))
    if len(content) < _HEAD + _TAG:
        raise ValueError(said("the ranges end early"))
    sealed_part = memoryview(content)[_HEAD:]
    try:
        return AESGCM(key.ranges_key()).decrypt(content[len(head) : _HEAD], sealed_part, head)
    except InvalidTag:
        raise ValueError(said("the ranges cannot be decrypted")) from None


def clear_of(spans: Iterable[Span]) -> bytes:
    """The ranges as they stand in the file before it is encrypted."""
    ordered = sorted(
        {(s.issuer, s.length, s.low, s.high, _class(s), day_of(s.recorded)) for s in spans}
    )
    parts: list[bytes] = []
    for (issuer, length), group in groupby(ordered, key=lambda row: row[:2]):
        rows = [
            low.encode() + high.encode() + _REST.pack(*rest) for _, _, low, high, *rest in group
        ]
        name = issuer.encode()
        parts += [bytes([len(name)]), name, bytes([length]), _COUNT.pack(len(rows)), *rows]
    return b"".join(parts)


def _class(span: Span) -> int:
    return class_of(span.kind, span.status)


def _groups_in(clear: bytes) -> Iterator[tuple[str, int, int, int]]:
    """Issuer, length, place of the first row and count of each group. Raises ValueError."""
    at = 0
    before = ("", 0)
    try:
        while at < len(clear):
            name_end = at + 1 + clear[at]
            issuer, length = clear[at + 1 : name_end].decode(), clear[name_end]
            (count,) = _COUNT.unpack_from(clear, name_end + 1)
            begin = name_end + 1 + _COUNT.size
            at = begin + count * (2 * length + _REST.size)
            if not length or not count or at > len(clear):
                raise ValueError(said("a group of ranges is empty, or longer than the file"))
            if (issuer, length) <= before:
                raise ValueError(said("the ranges are out of order"))
            before = (issuer, length)
            yield issuer, length, begin, count
    except (IndexError, struct.error):
        raise ValueError(said("the ranges end early")) from None
