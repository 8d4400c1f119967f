"""Streams of records in order, walked side by side: merging them, and telling them apart.

Each step spans the same keys in every stream and never parts records of one key, so what is done
with a step needs to know nothing of the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.watchlist.record_arrays import U64, Records


def in_step(*streams: Iterator[Records]) -> Iterator[tuple[Records, ...]]:
    """Parts of the streams, one of each, that together span all their keys in order. Holds two
    portions of each stream at most, and what has the last of their keys."""
    walks = [_Walk(stream) for stream in streams]
    while True:
        for walk in walks:
            walk.fill()
        open_ends = [walk.last for walk in walks if not walk.ended]
        if not open_ends:
            break
        bound = min(open_ends)
        step = tuple(walk.below(bound) for walk in walks)
        if any(map(len, step)):
            yield step
        else:
            for walk in walks:
                walk.grow(bound)
    if any(len(walk.held) for walk in walks):
        yield tuple(walk.held for walk in walks)


class _Walk:
    """One stream and what was read of it ahead."""

    def __init__(self, stream: Iterator[Records]) -> None:
        self._stream = stream
        self.held = Records.none()
        self.ended = False

    @property
    def last(self) -> int:
        return int(self.held.keys[-1])

    def fill(self) -> None:
        while not self.ended and not len(self.held):
            self._read()

    def below(self, bound: int) -> Records:
        """Takes the records with smaller keys."""
        end = int(np.searchsorted(self.held.keys, np.uint64(bound), "left"))
        taken, self.held = self.held[:end], self.held[end:]
        return taken

    def grow(self, bound: int) -> None:
        """Reads on where what is held ends at the bound."""
        if not self.ended and self.last == bound:
            self._read()

    def _read(self) -> None:
        part = next(self._stream, None)
        if part is None:
            self.ended = True
        else:
            self.held = Records.together([self.held, part]) if len(self.held) else part


def merged(one: Records, other: Records) -> Records:
    """Both, in order."""
    if not len(one) or not len(other):
        return one if len(one) else other
    places = np.searchsorted(one.keys, other.keys, "left")
    both = Records(np.insert(one.keys, places, other.keys), np.insert(one.rest, places, other.rest))
    return both if both.are_in_order() else both.in_order()


def merge(one: Iterator[Records], other: Iterator[Records]) -> Iterator[Records]:
    """The records of both streams in order, in portions."""
    for first, second in in_step(one, other):
        yield merged(first, second)


@dataclass(frozen=True)
class Change:
    """What is other in the new of two streams: `removed` are ranks in the old one."""

    removed: U64
    added: Records


def changes(old: Iterator[Records], new: Iterator[Records]) -> Iterator[Change]:
    """How the new stream differs from the old, in order. Records are counted: of equal ones that
    became fewer, the first are the removed ones."""
    rank = 0
    for before, after in in_step(old, new):
        removed, added = _difference(before, after)
        if removed.any() or added.any():
            yield Change(np.flatnonzero(removed).astype(np.uint64) + np.uint64(rank), after[added])
        rank += len(before)


def _difference(old: Records, new: Records) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which of the old records are gone, and which of the new ones are more than there were.

    Nearly all keys stand once in each and with the same rest; only what is left is counted.
    """
    gone, more = np.ones(len(old), np.bool_), np.ones(len(new), np.bool_)
    if not len(old) or not len(new):
        return gone, more
    places = np.minimum(np.searchsorted(new.keys, old.keys), len(new) - 1)
    same = (new.keys[places] == old.keys) & (new.rest[places] == old.rest)
    same &= _alone(old.keys) & _alone(new.keys)[places]
    gone[same] = False
    more[places[same]] = False
    rest_old, rest_new = np.flatnonzero(gone), np.flatnonzero(more)
    counted_gone, counted_more = _counted(old[rest_old], new[rest_new])
    gone[rest_old], more[rest_new] = counted_gone, counted_more
    return gone, more


def _counted(old: Records, new: Records) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The same, of any records, by counting equal ones."""
    both = Records.together([old, new])
    if not len(both):
        return np.empty(0, np.bool_), np.empty(0, np.bool_)
    is_new = np.arange(len(both)) >= len(old)
    order = np.lexsort((is_new, both.rest, both.keys))
    ordered, side = both[order], is_new[order]
    begins = np.ones(len(both), np.bool_)
    begins[1:] = (ordered.keys[1:] != ordered.keys[:-1]) | (ordered.rest[1:] != ordered.rest[:-1])
    group = np.cumsum(begins) - 1
    old_count = np.bincount(group[~side], minlength=group[-1] + 1)
    new_count = np.bincount(group[side], minlength=group[-1] + 1)
    within = np.arange(len(both)) - np.flatnonzero(begins)[group]
    within[side] -= old_count[group][side]
    surplus = np.where(side, new_count[group] - old_count[group], (old_count - new_count)[group])
    marked = np.empty(len(both), np.bool_)
    marked[order] = within < surplus
    return marked[: len(old)], marked[len(old) :]


def _alone(keys: U64) -> NDArray[np.bool_]:
    """Which keys have no equal beside them."""
    alone = np.ones(len(keys), np.bool_)
    equal = keys[1:] == keys[:-1]
    alone[1:] &= ~equal
    alone[:-1] &= ~equal
    return alone
