"""The likeliest lines of a layout whose check digits all hold, found exactly.

Dynamic programming over the states of `sums`: a hundred where a field has a check digit of its own
and the composite covers it, ten where one sum runs. Of each class of characters only the likeliest
counts, so a step weighs ten candidates for each state. Every group gives its best score for each
remainder that it adds to the composite's sum; groups are joined by remainder, the composite's digit
last. Nothing is approximated: a form is left out only where its best case without any check digit
is no better than what its group has already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scanner.mrz.layouts import CHARACTERS
from scanner.vision.schemes import Group, Place, Scheme
from scanner.vision.sums import CLASSES, DIGITS_AT, Form, Indices, Scores, by_share


@dataclass(frozen=True)
class Best:
    """The likeliest lines under a scheme, and their log probability."""

    lines: tuple[str, ...]
    score: float


@dataclass(frozen=True)
class _Walk:
    """A form's best score for each remainder that it adds to the composite (`table`), and how to
    get it: the class that each state took at each step, and the digit by remainder. Places that no
    sum counts take their likeliest character."""

    form: Form
    table: Scores
    masked: Scores
    picks: tuple[Indices, ...]
    digits: Indices

    def characters(self, remainder: int) -> Indices:
        """The character of each place behind the best score of a remainder."""
        found: Indices = self.masked.argmax(axis=1)
        digit = int(self.digits[remainder])
        state = int(self.form.closing[remainder, digit])
        if self.form.digit is not None:
            found[self.form.digit] = DIGITS_AT[digit]
        for step, picks in zip(reversed(self.form.steps), reversed(self.picks), strict=True):
            pick = int(picks[state])
            members = [i for i in CLASSES[pick] if i < len(CHARACTERS)]
            found[step.at] = members[int(self.masked[step.at][members].argmax())]
            state = int(step.before[state, pick])
        return found


@dataclass(frozen=True)
class _Choice:
    """A group's best walk for each remainder."""

    group: Group
    walks: Sequence[_Walk]
    table: Scores
    which: Indices

    def characters(self, remainder: int) -> dict[Place, int]:
        walk = self.walks[int(self.which[remainder])]
        return dict(zip(self.group.places, walk.characters(remainder).tolist(), strict=True))


def best_lines(scheme: Scheme, scores: Scores) -> Best:
    """The likeliest lines under the scheme; `scores` are log probabilities, lines × positions ×
    characters."""
    choices = [_choose(group, scores) for group in scheme.groups]
    joined = [choices[0].table]
    for choice in choices[1:]:
        joined.append(np.add(*by_share(joined[-1], choice.table)).max(axis=1))
    last, remainder, found = joined[-1], 0, dict[Place, int]()
    if scheme.composite:
        last = last + scores[scheme.composite][DIGITS_AT]
        remainder = int(last.argmax())
        found[scheme.composite] = DIGITS_AT[remainder]
    score = float(last[remainder])
    for choice, before in zip(reversed(choices[1:]), reversed(joined[:-1]), strict=True):
        share = int(np.add(*by_share(before, choice.table))[remainder].argmax())
        found |= choice.characters((remainder - share) % 10)
        remainder = share
    found |= choices[0].characters(remainder)
    lines = tuple(
        "".join(CHARACTERS[found[line, at]] for at in range(scheme.layout.width))
        for line in range(scheme.layout.height)
    )
    return Best(lines, score)


def bound(scheme: Scheme, scores: Scores) -> float:
    """What no lines of the scheme can exceed: the best characters without any check digit."""
    digits = scores[scheme.composite][DIGITS_AT].max() if scheme.composite else 0.0
    return float(sum((_bounds(group, scores)[1].max() for group in scheme.groups), digits))


def _bounds(group: Group, scores: Scores) -> tuple[Scores, Scores]:
    """The scores of the characters that each form allows, and what none of its lines can exceed."""
    masked = np.where(group.allowed, scores[group.index], -np.inf)
    return masked, masked.max(axis=2).sum(axis=1)


def _choose(group: Group, scores: Scores) -> _Choice:
    masked, bounds = _bounds(group, scores)
    walks: list[_Walk] = []
    tables = np.full((1, 10), -np.inf)
    for i in np.argsort(-bounds, kind="stable"):
        if walks and bounds[i] <= tables.max(axis=0)[: group.forms[i].across].min():
            break
        walks.append(_walk(group.forms[i], masked[i]))
        tables = np.array([walk.table for walk in walks])
    return _Choice(group, walks, tables.max(axis=0), tables.argmax(axis=0))


def _walk(form: Form, masked: Scores) -> _Walk:
    """The best score of a form for each remainder, over all states."""
    padded = np.append(masked, np.full((len(masked), 1), -np.inf), axis=1)
    by_class = padded[:, CLASSES].max(axis=2)
    states = np.full(form.shape[0] * form.shape[1], -np.inf)
    states[0] = masked[form.loose].max(axis=1).sum()
    picks = []
    for step in form.steps:
        reached = states[step.before] + by_class[step.at]
        picks.append(reached.argmax(axis=1))
        states = reached.max(axis=1)
    closed = states[form.closing]
    if form.digit is not None:
        closed = closed + masked[form.digit][DIGITS_AT]
    table = np.full(10, -np.inf)
    table[: form.across] = closed.max(axis=1)
    return _Walk(form, table, masked, tuple(picks), closed.argmax(axis=1))
