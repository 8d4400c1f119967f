"""Where a delta's changes fall in base and overlay.

A removal is a rank in the order of the version that the delta starts from, which nothing on disk
has. How many live records stand before each page of the base follows from the directory, the
tombstones and one walk over the overlay's additions; so a removal is known to a page, and only that
page is read to find it. Of records that are equal in all, those of the overlay count as the first:
then an addition is taken back before a record of the base is removed, as a canonical overlay has
it.

An addition that is equal to a record under a tombstone brings that record back instead. Only a page
with a tombstone is read for it.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scanner.watchlist.overlay_scan import removed_ranks
from scanner.watchlist.page import class_at
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.table import Table
from scanner.watchlist.table_scan import scan, unpacked
from scanner.watchlist.version import Version

I64 = NDArray[np.int64]

_NONE = np.empty(0, np.int64)


class Places:
    """A version as a delta sees it. Reads its overlay's additions once when made. Raises
    ListDamaged."""

    def __init__(self, version: Version) -> None:
        self._version = version
        self._base = version.base
        self._adds = version.overlay.adds if version.overlay else None
        directory = version.base.directory
        self._firsts = np.array(directory.firsts, np.uint64)
        ranks = np.array(directory.ranks, np.int64)
        self._ranks = np.append(ranks, version.base.records)
        self.tombstones = removed_ranks(version.overlay)
        self._buried = np.searchsorted(self.tombstones, self._ranks.astype(np.uint32))
        self._added = self._added_before()
        self._live = self._ranks - self._buried + self._added

    def removed(self, blocks: Iterator[U64]) -> tuple[I64, I64]:
        """Splits ranks in the version's order, which rise, into ranks in the base and places among
        the overlay's additions, each in order."""
        additions = _Additions(self._adds)
        of_base, of_adds = [_NONE], [_NONE]
        for block in blocks:
            wanted = block.astype(np.int64)
            is_base, at = np.empty(len(wanted), np.bool_), np.empty(len(wanted), np.int64)
            pages = np.searchsorted(self._live[:-1], wanted, "right") - 1
            begins = np.flatnonzero(np.diff(pages, prepend=-2)).tolist()
            for begin, end in pairwise([*begins, len(pages)]):
                here = slice(begin, end)
                is_base[here], at[here] = self._found(int(pages[begin]), wanted[here], additions)
            of_base.append(at[is_base])
            of_adds.append(at[~is_base])
        return np.concatenate(of_base), np.concatenate(of_adds)

    def brought_back(self, added: Records, already: set[int]) -> NDArray[np.bool_]:
        """Which of these additions equal a record under a tombstone. The ranks of those records
        are put into `already`, which has those that earlier additions brought back."""
        is_back = np.zeros(len(added), np.bool_)
        last, buried = (-1, -1), list[int]()
        for place in np.flatnonzero(self._near_tombstones(added.keys)).tolist():
            record = int(added.keys[place]), int(added.rest[place])
            if record != last:
                buried = [rank for rank in self._buried_equal(*record) if rank not in already]
                last = record
            if buried:
                # Of equal records the first are the removed ones: the last of them comes back.
                already.add(buried.pop())
                is_back[place] = True
        return is_back

    def _buried_equal(self, key: int, rest: int) -> list[int]:
        """Ranks of removed records that are equal to this one."""
        overlay = self._version.overlay
        return [
            found[0]
            for found in self._base.find(key)
            if overlay is not None
            and overlay.is_removed(found[0])
            and self._base.record(key, found).rest == rest
        ]

    def _near_tombstones(self, keys: U64) -> NDArray[np.bool_]:
        """Which keys fall in a page that has a tombstone."""
        low = np.maximum(np.searchsorted(self._firsts, keys, "left") - 1, 0)
        high = np.searchsorted(self._firsts, keys, "right")
        near: NDArray[np.bool_] = self._buried[high] > self._buried[low]
        return near

    def _added_before(self) -> I64:
        """How many of the overlay's additions stand before the first record of each page, and at
        last how many there are."""
        pages = len(self._firsts)
        before = np.zeros(pages + 1, np.int64)
        for portion in scan(self._adds) if self._adds is not None else ():
            low = int(np.searchsorted(self._firsts, portion.keys[0], "left"))
            high = int(np.searchsorted(self._firsts, portion.keys[-1], "right"))
            firsts = self._firsts[low:high]
            at = np.searchsorted(portion.keys, firsts)
            before[low:high] += at
            before[high:] += len(portion)
            for tied in np.flatnonzero(portion.keys[np.minimum(at, len(portion) - 1)] == firsts):
                before[low + tied] += self._not_behind(portion, low + int(tied))
        return before

    def _not_behind(self, added: Records, page: int) -> int:
        """How many additions have the key of the page's first record and stand before it."""
        key = self._firsts[page]
        low, high = np.searchsorted(added.keys, key), np.searchsorted(added.keys, key, "right")
        first = (int(self._ranks[page]), class_at(self._base.key_page(page), 0))
        rest = np.uint64(self._base.record(int(key), first).rest)
        return int(np.searchsorted(added.rest[low:high], rest, "right"))

    def _found(
        self, page: int, wanted: I64, additions: "_Additions"
    ) -> tuple[NDArray[np.bool_], I64]:
        """Of ranks that all fall between a page's first record and the next page's: whether each is
        the base's, and its rank there or its place among the additions."""
        low, live = (int(self._added[page]), int(self._live[page])) if page >= 0 else (0, 0)
        is_base, places = self._in_order(page, additions.between(low, int(self._added[page + 1])))
        is_base, places = is_base[wanted - live], places[wanted - live]
        return is_base, np.where(is_base, places, places + low)

    def _in_order(self, page: int, added: Records) -> tuple[NDArray[np.bool_], I64]:
        """The live records from a page's first to the next page's, in order: whether each is the
        base's, and its rank there or its place in `added`. Page -1 is what stands before all."""
        places = np.arange(len(added), dtype=np.int64)
        if page < 0:
            return np.zeros(len(added), np.bool_), places
        keys, classes = unpacked(self._base, page)
        rank = int(self._ranks[page])
        live = np.ones(len(keys), np.bool_)
        buried = self.tombstones[self._buried[page] : self._buried[page + 1]]
        live[buried.astype(np.int64) - rank] = False
        at = np.flatnonzero(live)
        rest = np.zeros(len(at), np.uint64)
        for tied in np.flatnonzero(np.isin(keys[at], added.keys)):
            found = (rank + int(at[tied]), int(classes[at[tied]]))
            rest[tied] = self._base.record(int(keys[at[tied]]), found).rest
        both = Records.together([added, Records(keys[at], rest)])
        is_base = np.arange(len(both)) >= len(added)
        order = np.lexsort((is_base, both.rest, both.keys))
        return is_base[order], np.concatenate([places, rank + at])[order]


class _Additions:
    """The overlay's additions, walked once from the first to the last."""

    def __init__(self, adds: Table | None) -> None:
        self._portions: Iterator[Records] = iter(()) if adds is None else scan(adds)
        self._held = Records.none()
        self._begin = 0

    def between(self, low: int, high: int) -> Records:
        """Those from the place `low` to before `high`, neither lower than asked before."""
        while self._begin + len(self._held) < high:
            past = min(len(self._held), max(0, low - self._begin))
            self._held, self._begin = self._held[past:], self._begin + past
            self._held = Records.together([self._held, next(self._portions)])
        return self._held[low - self._begin : high - self._begin]
