"""Running sums modulo 10: the states that a form of printing goes through, place by place.

All that the places before tell those behind is where the open sums stand: the field's own, which
its check digit must equal, and the composite's. Characters of one value modulo 10 move both sums
alike, so a step knows ten classes of characters. Sums do not mind their order: the own digit is
taken last, wherever it stands in the line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.check_digits import VALUES
from scanner.mrz.layouts import CHARACTERS

Mask = NDArray[np.bool_]
Scores = NDArray[np.float64]
Indices = NDArray[np.intp]

DIGITS_AT = [CHARACTERS.index(str(digit)) for digit in range(10)]
"""Where the digits 0 to 9 stand in `CHARACTERS`."""

CLASS_OF: Indices = np.array([VALUES[character] % 10 for character in CHARACTERS])


def _classes() -> Indices:
    members = [np.flatnonzero(remainder == CLASS_OF) for remainder in range(10)]
    most = max(map(len, members))
    return np.array(
        [np.pad(m, (0, most - len(m)), constant_values=len(CHARACTERS)) for m in members]
    )


CLASSES = _classes()
"""For each remainder the indices of its characters, padded with one past the last."""


@dataclass(frozen=True)
class Step:
    """A place that a sum counts. `before` and `after` give, for each state and class of
    characters, the state that led to it with that class and the one that it leads to."""

    at: int
    before: Indices
    after: Indices


@dataclass(frozen=True)
class Form:
    """One way of printing a group of places: what each may show (places × characters), its weight
    in the group's own sum and in the composite's, and which place is the digit that must equal the
    own sum (None: no such digit).

    A state is own sum × `across` + composite's sum, where each is 0 alone if nothing counts it.
    """

    allowed: Mask
    weights: tuple[int, ...]
    whole: tuple[int, ...]
    digit: int | None

    @cached_property
    def across(self) -> int:
        """How many remainders the group can add to the composite's sum."""
        return 10 if any(self.whole) else 1

    @cached_property
    def shape(self) -> tuple[int, int]:
        return 10 if self.digit is not None else 1, self.across

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return tuple(self._steps())

    @cached_property
    def loose(self) -> list[int]:
        """The places that no sum counts."""
        counted = {step.at for step in self.steps} | {self.digit}
        return [at for at in range(len(self.whole)) if at not in counted]

    def holds(self, characters: Indices) -> bool:
        """Whether the digit is right where these characters, one a place, are printed."""
        if self.digit is None:
            return True
        total = int(np.dot(self.weights, CLASS_OF[characters]))
        return bool(characters[self.digit] == DIGITS_AT[total % 10])

    def _steps(self) -> Iterator[Step]:
        for at, (own, whole) in enumerate(zip(self.weights, self.whole, strict=True)):
            if at != self.digit and (own or whole):
                yield Step(
                    at,
                    _moved(*self.shape, -own, -whole),
                    _moved(*self.shape, own, whole),
                )

    @cached_property
    def closing(self) -> Indices:
        """For each remainder added to the composite and each value of the digit, the state before
        the digit is taken."""
        weight = self.whole[self.digit] if self.digit is not None else 0
        digit = np.arange(self.shape[0])
        share = (np.arange(self.across)[:, None] - weight * digit[None, :]) % self.across
        return np.asarray(digit[None, :] * self.across + share, np.intp)


@cache
def _moved(own: int, across: int, weight: int, whole: int) -> Indices:
    state, value = np.arange(own * across)[:, None], np.arange(10)[None, :]
    moved_own = (state // across + weight * value) % own
    moved_whole = (state % across + whole * value) % across
    return np.asarray(moved_own * across + moved_whole, np.intp)


_REST = (np.arange(10)[:, None] - np.arange(10)[None, :]) % 10
"""What is left of each remainder (rows) beside each share (columns)."""


def by_share(one: Scores, other: Scores) -> tuple[Scores, Scores]:
    """What two groups give for each remainder of their sum (rows) and each share that the first
    has in it (columns): the first's part and the second's."""
    return one[None, :], other[_REST]
