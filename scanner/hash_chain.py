"""Rows that are only ever added, each bound to the one before it by a hash.

A row's hash is the SHA-256 of its words and of the previous row's hash, written as canonical JSON:
keys sorted, no blanks, UTF-8, whole numbers only. So a row that is changed, taken out, put in or
moved breaks the chain at that place, and whoever holds the rows can find it, with any program.

Old rows go by policy: before they do, a row is added that says up to where, and with which hash the
removed part ends. What is left is verified from there.

Whoever owns the rows could write the whole chain anew. Against that its head, number and hash, is
noted elsewhere from time to time: `verify` takes one that was noted.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

FIRST_PREVIOUS = "0" * 64
"""What stands for the hash before the first row's."""
_HASH_LENGTH = len(FIRST_PREVIOUS)
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


@dataclass(frozen=True)
class Head:
    """A place in the chain: a row's number, 0 before the first, and its hash."""

    n: int
    hash: str

    def __str__(self) -> str:
        return f"{self.n}:{self.hash}"


NOTHING = Head(0, FIRST_PREVIOUS)
"""The head of a chain without a row."""


@dataclass(frozen=True)
class Link:
    """One row: its number, the hash that it follows, its own, what that was made from, and, where
    it tells of a removal, the last row that was removed."""

    n: int
    previous: str
    hash: str
    words: Mapping[str, Any]
    removed: Head | None = None


@dataclass(frozen=True)
class Broken:
    """Where the chain does not hold, and why."""

    n: int
    why: str


def hash_of(words: Mapping[str, Any]) -> str:
    """The hash of a row: `words` hold its content, its number and the hash before it. Raises
    ValueError and TypeError for what canonical JSON cannot say."""
    return hashlib.sha256(_CANONICAL.encode(words).encode()).hexdigest()


def verify(
    links: Iterable[Link], noted: Head | None = None, *, after: Head | None = None
) -> Broken | None:
    """Where the chain breaks first, or None where it holds. `noted` is a head from earlier, which
    must still be in it, or removed by policy since; with `after`, `links` are what follows that
    row."""
    expected: Head | None = after
    begins: Head | None = None
    removals: set[Head] = set()
    for link in links:
        if expected is None:
            begins = expected = Head(link.n - 1, link.previous)
        if link.n != expected.n + 1:
            return Broken(expected.n + 1, "the row is missing")
        if link.previous != expected.hash:
            return Broken(link.n, "it does not follow the row before it")
        if not _says_what_was_written(link):
            return Broken(link.n, "its words are not those that were written")
        expected = Head(link.n, link.hash)
        if noted is not None and noted.n == link.n and noted != expected:
            return Broken(link.n, "it is another row than was noted")
        if link.removed is not None:
            removals.add(link.removed)
    return _ends_hold(begins, expected, removals, noted)


def head_of(text: str) -> Head:
    """A head as `str` writes it. Raises ValueError."""
    number, _, digest = text.strip().partition(":")
    digest = digest.lower()
    if not (number.isascii() and number.isdigit() and _is_hash(digest)):
        raise ValueError("what was noted has the form NUMBER:HASH, as `verify` prints it")
    return Head(int(number), digest)


def _says_what_was_written(link: Link) -> bool:
    try:
        return link.hash == hash_of(link.words)
    except (TypeError, ValueError):  # nor could it have been
        return False


def _is_hash(digest: str) -> bool:
    return len(digest) == _HASH_LENGTH and set(digest) <= set("0123456789abcdef")


def _ends_hold(
    begins: Head | None, ends: Head | None, removals: set[Head], noted: Head | None
) -> Broken | None:
    if begins is not None and begins.n == 0 and begins != NOTHING:
        return Broken(1, "it does not begin the chain")
    if begins is not None and begins.n > 0 and begins not in removals:
        return Broken(begins.n, "the rows up to here were removed, and no purge says so")
    if noted is not None and noted.n > (0 if ends is None else ends.n):
        return Broken(noted.n, "it was noted and is gone")
    return None
