"""The likeliest lines of a layout whose check digits all hold, found exactly.

A check digit is a weighted sum modulo 10, so all that the positions before tell those behind is
where each open sum stands. The states are therefore pairs: the sum of the field, ten values, and
the sum of the composite, ten more; a field's sum starts anew with the field, the composite's runs
on across fields and lines. Characters with one value modulo 10 move the sums alike, so that of each
such class only the likeliest counts, and a step is ten candidates for each of a hundred states.
Sums do not mind their order: each group (`schemes`) gives its best score for each remainder that
it adds to the composite's sum, and groups are joined by remainder, the composite's digit last.
Nothing is approximated, and no candidates are cut: a form is left out only where its best case
without any check digit is worse than what its group has already.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.check_digits import VALUES
from scanner.mrz.layouts import CHARACTERS
from scanner.vision.schemes import Form, Group, Place, Scheme

Scores = NDArray[np.float64]
"""Log probabilities; their last axis is over `CHARACTERS` or over remainders."""
Indices = NDArray[np.intp]

_DIGITS = [CHARACTERS.index(str(digit)) for digit in range(10)]


def _classes() -> Indices:
    """For each remainder the indices of its characters, padded with one past the last."""
    members = [[i for i, c in enumerate(CHARACTERS) if VALUES[c] % 10 == r] for r in range(10)]
    most = max(map(len, members))
    return np.array([m + [len(CHARACTERS)] * (most - len(m)) for m in members])


_CLASSES = _classes()


@dataclass(frozen=True)
class Best:
    """The likeliest lines under a scheme, and their log probability."""

    lines: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class _Walk:
    """A form's best score for each remainder that it adds to the composite (`table`), and how to
    get it: the places in the order in which they were taken, the class that each state took there,
    and the last state by remainder. Places that no sum counts take their likeliest character."""

    form: Form
    group: Group
    table: Scores
    masked: Scores
    order: tuple[int, ...]
    picks: tuple[Indices, ...]
    ends: Indices

    def characters(self, remainder: int) -> dict[Place, int]:
        """The characters behind the best score of a remainder, as indices."""
        likeliest = self.masked.argmax(axis=1)
        found = {place: int(likeliest[at]) for at, place in enumerate(self.group.places)}
        state = int(self.ends[remainder])
        digit = self.form.digit
        if digit is not None:
            found[self.group.places[digit]] = _DIGITS[state // _across(self.group)]
        for step in range(len(self.order) - 1, -1, -1):
            at = self.order[step]
            pick = int(self.picks[step][state])
            classes = _CLASSES[pick]
            padded = np.append(self.masked[at], -np.inf)
            found[self.group.places[at]] = int(classes[np.argmax(padded[classes])])
            shape = _shape(self.form, self.group)
            source = _sources(*shape, self.form.weights[at], self.group.whole[at])
            state = int(source[state, pick])
        return found


def best_lines(scheme: Scheme, scores: Scores) -> Best:
    """The likeliest lines under the scheme; `scores` are lines × positions × characters."""
    walks = [_best_of_group(group, scores) for group in scheme.groups]
    joined = [walks[0].table]
    for walk in walks[1:]:
        joined.append(_joined(joined[-1], walk.table).max(axis=1))
    last = joined[-1]
    characters: dict[Place, int] = {}
    remainder = 0
    if scheme.composite:
        last = last + scores[scheme.composite][_DIGITS]
        remainder = int(np.argmax(last))
        characters[scheme.composite] = _DIGITS[remainder]
    score = float(last[remainder])
    for i in range(len(walks) - 1, 0, -1):
        before = int(np.argmax(_joined(joined[i - 1], walks[i].table)[remainder]))
        characters |= walks[i].characters((remainder - before) % 10)
        remainder = before
    characters |= walks[0].characters(remainder)
    return Best(_as_lines(scheme, characters), score)


def bound(scheme: Scheme, scores: Scores) -> float:
    """What no lines of the scheme can exceed: the best characters without any check digit."""
    return float(np.where(scheme.allowed, scores, -np.inf).max(axis=-1).sum())


def _as_lines(scheme: Scheme, characters: dict[Place, int]) -> tuple[str, ...]:
    layout = scheme.layout
    return tuple(
        "".join(CHARACTERS[characters[line, at]] for at in range(layout.width))
        for line in range(layout.height)
    )


def _joined(one: Scores, other: Scores) -> Scores:
    """For each remainder of the sum, the score of each share that the first has in it."""
    share = np.arange(10)
    return np.asarray(one[None, :] + other[(share[:, None] - share[None, :]) % 10])


class _Choice:
    """The best walk of a group for each remainder."""

    def __init__(self, walks: list[_Walk]) -> None:
        tables = np.array([walk.table for walk in walks])
        self._walks = walks
        self._which = tables.argmax(axis=0)
        self.table: Scores = tables.max(axis=0)

    def characters(self, remainder: int) -> dict[Place, int]:
        walk: _Walk = self._walks[self._which[remainder]]
        return walk.characters(remainder)


def _best_of_group(group: Group, scores: Scores) -> _Choice:
    rows = scores[group.index]
    masked = np.where(group.allowed, rows, -np.inf)
    bounds = masked.max(axis=2).sum(axis=1)
    walks: list[_Walk] = []
    worst = -np.inf
    for i in np.argsort(-bounds, kind="stable"):
        if bounds[i] <= worst or (walks and not np.isfinite(bounds[i])):
            break
        walks.append(_walk(group, group.forms[i], masked[i]))
        worst = float(np.max([walk.table for walk in walks], axis=0).min())
    return _Choice(walks)


def _walk(group: Group, form: Form, masked: Scores) -> _Walk:
    """The best score of a form for each remainder, over all states."""
    shape = _shape(form, group)
    by_class = np.append(masked, np.full((len(masked), 1), -np.inf), axis=1)[:, _CLASSES].max(2)
    counted = [bool(pair[0] or pair[1]) for pair in zip(form.weights, group.whole, strict=True)]
    order = tuple(at for at, counts in enumerate(counted) if counts and at != form.digit)
    loose = [at for at, counts in enumerate(counted) if not counts and at != form.digit]
    states = np.full(shape[0] * shape[1], -np.inf)
    states[0] = masked[loose].max(axis=1).sum()
    picks = []
    every = np.arange(states.size)
    for at in order:
        source = _sources(*shape, form.weights[at], group.whole[at])
        reached = states[source] + by_class[at]
        pick = reached.argmax(axis=1)
        picks.append(pick)
        states = reached[every, pick]
    table, ends = _closed(group, form, masked, states.reshape(shape))
    return _Walk(form, group, table, masked, order, tuple(picks), ends)


def _closed(group: Group, form: Form, masked: Scores, states: Scores) -> tuple[Scores, Indices]:
    """The states with the form's digit added, by remainder: scores and which state they are."""
    across = states.shape[1]
    if form.digit is None:
        table = np.full(10, -np.inf)
        table[:across] = states[0]
        return table, np.arange(10) % across
    digit = np.arange(10)
    weight = group.whole[form.digit] if across > 1 else 0
    share = (digit[:across, None] - weight * digit[None, :]) % across
    reached = states[digit[None, :], share] + masked[form.digit][_DIGITS]
    own = reached.argmax(axis=1)
    table = np.full(10, -np.inf)
    table[:across] = reached[digit[:across], own]
    ends = np.zeros(10, np.intp)
    ends[:across] = own * across + share[digit[:across], own]
    return table, ends


def _across(group: Group) -> int:
    """How many remainders the group can add to the composite's sum."""
    return 10 if any(group.whole) else 1


def _shape(form: Form, group: Group) -> tuple[int, int]:
    return 10 if form.digit is not None else 1, _across(group)


@cache
def _sources(own: int, across: int, weight: int, whole: int) -> Indices:
    """For each state and class of characters, the state before a character of that class."""
    state, taken = np.arange(own * across)[:, None], np.arange(10)[None, :]
    before_own = (state // across - weight * taken) % own
    before_whole = (state % across - whole * taken) % across
    return np.asarray(before_own * across + before_whole, np.intp)
