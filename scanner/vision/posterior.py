"""What the check digits make of a picture: how probable each character is, given that all hold.

The same states as the trellis goes through (`sums`), with sums of probabilities in place of the
best score: forward, then backward from what the other groups and the composite leave open. So a
digit that the picture leaves between 3 and 8 is as certain as its check digits make it, and a
character that two slips together could explain stays in doubt.

Forms count each for itself: a long number whose digit holds under both rules of counting counts
once a rule, and a name without digits twice where its issuer might have used some.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scanner.vision.schemes import Group, Scheme
from scanner.vision.sums import CLASS_OF, CLASSES, DIGITS_AT, Form, Indices, Scores, by_share

NEGLIGIBLE = 25.0
"""A form so many nats below another is left out, even if all its lines satisfied its digits."""


_OPEN = (np.arange(10)[None, :] - np.arange(10)[:, None]) % 10
"""What the others must add, for each remainder of one group and of the whole."""


@dataclass(frozen=True)
class _Flow:
    """A form walked forward: the weight of each state before each step and after the last, and the
    weight of each remainder that it adds to the composite."""

    form: Form
    chances: Scores
    states: tuple[Scores, ...]
    table: Scores


@dataclass(frozen=True)
class _Stream:
    group: Group
    flows: Sequence[_Flow]
    table: Scores
    scale: float
    """The logarithm of what the weights were divided by."""


class Posterior:
    """The lines whose check digits hold, weighed by their probabilities."""

    def __init__(self, scheme: Scheme, scores: Scores) -> None:
        """`scores` are log probabilities, lines × positions × characters."""
        self._scheme = scheme
        self._scores = scores
        self._streams = [_stream(group, scores) for group in scheme.groups]
        self._last = np.eye(1, 10)[0]
        if scheme.composite:
            self._last = np.exp(scores[scheme.composite][DIGITS_AT])

    def log_total(self, *, checked_alone: bool = False) -> float:
        """The logarithm of the probability that lines drawn place by place satisfy every check
        digit and stand where they may; of the places that check digits cover alone, or of all."""
        streams = [s for s in self._streams if s.group.is_checked or not checked_alone]
        joined = _joined([stream.table for stream in streams])
        total = float(joined @ self._last)
        scale = sum(stream.scale for stream in streams)
        return scale + float(np.log(total)) if total > 0 else -np.inf

    def share(self, characters: Indices, *, checked_alone: bool = False) -> float:
        """The probability of lines (characters by index) whose check digits hold, among all such;
        of the places that check digits cover alone, or of all."""
        score = 0.0
        for group in (s.group for s in self._streams if s.group.is_checked or not checked_alone):
            printed = characters[group.index]
            score += float(self._scores[(*group.index, printed)].sum())
            score += float(np.log(group.ways(printed)))
        if self._scheme.composite:
            score += float(self._scores[self._scheme.composite][characters[self._scheme.composite]])
        return min(1.0, float(np.exp(score - self.log_total(checked_alone=checked_alone))))

    def chances(self) -> Scores:
        """The probability of each character at each place, lines × positions × characters."""
        found = np.zeros(self._scores.shape)
        for i, stream in enumerate(self._streams):
            tables = [other.table for k, other in enumerate(self._streams) if k != i]
            others = _joined(tables)
            # What is open once this group adds a remainder: the others add up to the digit.
            rest = others[_OPEN] @ self._last
            found[stream.group.index] = sum(_marginals(flow, rest) for flow in stream.flows)
        if self._scheme.composite:
            joined = _joined([stream.table for stream in self._streams])
            found[self._scheme.composite][DIGITS_AT] = joined * self._last
        sums = found.sum(axis=2, keepdims=True)
        return np.asarray(np.divide(found, sums, out=found, where=sums > 0))


def _joined(tables: Sequence[Scores]) -> Scores:
    """The weight of each remainder that groups add together."""
    joined: Scores = np.eye(1, 10)[0]
    for table in tables:
        joined = np.multiply(*by_share(joined, table)).sum(axis=1)
    return joined


def _stream(group: Group, scores: Scores) -> _Stream:
    rows = scores[group.index]
    masked = np.where(group.allowed, rows, -np.inf)
    top = masked.max(axis=(0, 2))
    bounds = (masked.max(axis=2) - top).sum(axis=1)
    flows = [
        _flow(form, np.exp(masked[i] - top[:, None]))
        for i, form in enumerate(group.forms)
        if bounds[i] >= bounds.max() - NEGLIGIBLE
    ]
    table = np.sum([flow.table for flow in flows], axis=0)
    return _Stream(group, flows, table, float(top.sum()))


def _flow(form: Form, chances: Scores) -> _Flow:
    padded = np.append(chances, np.zeros((len(chances), 1)), axis=1)
    by_class = padded[:, CLASSES].sum(axis=2)
    states = [np.zeros(form.shape[0] * form.shape[1])]
    states[0][0] = chances[form.loose].sum(axis=1).prod()
    for step in form.steps:
        states.append(states[-1].take(step.before) @ by_class[step.at])
    table = np.zeros(10)
    table[: form.across] = (states[-1][form.closing] * _digits(form, chances)).sum(axis=1)
    return _Flow(form, chances, tuple(states), table)


def _digits(form: Form, chances: Scores) -> Scores:
    """The weights of the own digit's values; 1 where there is no such digit."""
    return chances[form.digit][DIGITS_AT] if form.digit is not None else np.ones(1)


def _marginals(flow: _Flow, rest: Scores) -> Scores:
    """The weight of each character at each place of a form, given what is open behind it."""
    form, chances = flow.form, flow.chances
    found = np.zeros_like(chances)
    found[form.loose] = (
        chances[form.loose]
        / chances[form.loose].sum(axis=1, keepdims=True)
        * float(flow.table @ rest)
    )
    open_ = rest[: form.across, None]
    if form.digit is not None:
        ended = flow.states[-1][form.closing] * _digits(form, chances) * open_
        found[form.digit][DIGITS_AT] = ended.sum(axis=0)
    behind = np.zeros_like(flow.states[-1])
    np.add.at(behind, form.closing, _digits(form, chances) * open_)
    for at, weights, behind_each in _backward(flow, behind):
        found[at] = (weights @ behind_each)[CLASS_OF] * chances[at]
    return found


def _backward(flow: _Flow, behind: Scores) -> Iterator[tuple[int, Scores, Scores]]:
    """Each step's place, the weights of the states before it, and what is open behind it for each
    of them and each class of characters; from the last step to the first."""
    padded = np.append(flow.chances, np.zeros((len(flow.chances), 1)), axis=1)
    by_class = padded[:, CLASSES].sum(axis=2)
    for step, states in zip(reversed(flow.form.steps), reversed(flow.states[:-1]), strict=True):
        behind_each = behind[step.after]
        yield step.at, states, behind_each
        behind = behind_each @ by_class[step.at]
