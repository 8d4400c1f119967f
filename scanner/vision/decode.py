"""Probabilities in, lines out: what an MRZ says, how surely, and where the doubt is.

Two readings of the same probabilities are set side by side. *As seen*: at each position the
likeliest character, every position for itself. *As it should be*: the likeliest lines of the
layout whose check digits all hold (`trellis`). Where the two are the same, the check digits bear
the picture out. Where they differ, either a character was misread or a check digit is wrong in
print, and only how clear the picture is can tell.

- **read**: the two agree and every position is clear enough; or they differ, and all that speaks
  for the difference is very clear: then the lines are as seen, as printed.
- **doubtful**: all else. The lines are as they should be where the picture allows that nearly as
  well, else as seen. Lines that a check digit repaired are never *read*.

The layout is the one that parsing the lines would choose (`scanner.mrz.choose`); every one that it
might choose is tried where the first letter, or the French card's first five, are not clear.

What a layout does not allow at a place (a digit in a name) is printed now and then all the same, so
*as seen* is not limited to the layout's alphabets: it gives characters out of place a small share
of the benefit of the doubt (`OUT_OF_PLACE`), which settles O against 0 in a name but not a clear 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.choose import candidates, choose, read_checks
from scanner.mrz.document import Format
from scanner.mrz.document_codes import is_known
from scanner.mrz.document_numbers import read_number
from scanner.mrz.layouts import CHARACTERS, LETTERS, WIDTHS, Layout
from scanner.mrz.reading import UNKNOWN, Status, Uncertain
from scanner.vision.schemes import Mask, Scheme, covered, scheme_of
from scanner.vision.trellis import Scores, best_lines

LogP = NDArray[np.float32]

_T = TypeVar("_T", bound=np.generic)

OUT_OF_PLACE = 0.01
"""The prior weight of a character that its layout does not allow where it stands, and of a first
letter that Doc 9303 does not know."""

FLOOR = -16.0
"""The least log probability that is believed: no network can exclude a character."""

CANDIDATES = 4
LEAST_CANDIDATE = 0.005
"""Of a doubtful position so many characters are told at most, and none less probable."""


@dataclass(frozen=True)
class Thresholds:
    """How clear the picture must be. The first three are least probabilities of a character; see
    `Evidence` for what each is held against."""

    checked: float = 0.8
    """At a place that a check digit covers, where all of them hold."""
    unchecked: float = 0.9
    """At a place that no check digit covers: names, State, code, sex."""
    misprinted: float = 0.95
    """At a place under a check digit that is called wrong as printed, and for a character that is
    called out of place as printed."""
    gap: float = 7.0
    """By how much, in nats, the lines as seen must be likelier than the best ones whose check
    digits hold, for calling a check digit wrong as printed."""
    repair: float = 4.0
    """Below this gap the lines of a doubtful reading are those whose check digits hold."""


DEFAULT = Thresholds()


@dataclass(frozen=True)
class Evidence:
    """What the decision rests on, so that thresholds can be chosen without decoding again.

    The reading is *read* where `agree`, `least_checked` and `least_unchecked` reach their
    thresholds; or where not `agree` and `least_checked`, `least_unchecked`, `least_misprinted` and
    `gap` do. All are of the lines as seen.
    """

    agree: bool
    """Whether the lines as seen are the best ones whose check digits hold."""
    least_checked: float
    least_unchecked: float
    least_misprinted: float
    """The least probability of a character under a failing check digit or out of place; 1.0 where
    there is none. These characters count here and not in the two above."""
    gap: float
    """Log probability of the lines as seen less that of the best whose check digits hold."""
    held: tuple[str, ...]
    """The check digits that hold, by name; an empty one neither holds nor fails."""
    failed: tuple[str, ...]
    misfits: int
    """How many characters the layout does not allow where they stand."""
    known_code: bool
    """Whether the first letter is one that Doc 9303 gives the layout."""
    mean_log_p: float
    """The mean log probability of the characters as the network gave it, before any prior."""


@dataclass(frozen=True)
class Decoded:
    """The lines, how surely they are right, and why. `misprinted` names the check digits that are
    wrong as printed; it is empty unless the lines are as seen."""

    lines: tuple[str, ...]
    format: Format
    status: Status
    confidence: float
    uncertain: tuple[Uncertain, ...]
    misprinted: tuple[str, ...]
    evidence: Evidence


def decode(log_p: LogP, thresholds: Thresholds = DEFAULT) -> Decoded:
    """What log probabilities, lines × positions × characters, say. ValueError on other shapes."""
    rows, width, characters = log_p.shape
    if WIDTHS.get(width) != rows or characters != len(CHARACTERS):
        raise ValueError(f"no MRZ has {rows} lines of {width} characters out of {characters}")
    raw = _normalised(np.maximum(log_p.astype(np.float64), FLOOR))
    options = [_option(scheme_of(format_), raw) for format_ in _formats(raw)]
    return max(options, key=lambda option: option.worth).decoded(thresholds, raw)


@dataclass(frozen=True)
class _Option:
    """Both readings under one layout, and the log probabilities with the layout's priors."""

    scheme: Scheme
    scores: Scores
    seen: tuple[str, ...]
    best: tuple[str, ...]
    gap: float
    score: float

    @property
    def worth(self) -> float:
        """How well the layout explains the picture: a layout with more check digits has fewer
        lines that satisfy them, so each is worth the tenth that would do so by chance."""
        return self.score + len(self.scheme.layout.checks) * float(np.log(10))

    def decoded(self, thresholds: Thresholds, raw: Scores) -> Decoded:
        probabilities = np.exp(self.scores)
        suspect, evidence = self._evidence(probabilities, raw)
        sure = _is_read(evidence, thresholds)
        as_seen = evidence.agree or sure or evidence.gap >= thresholds.repair
        lines = self.seen if as_seen else self.best
        chosen = _of(probabilities, lines)
        limits = self._limits(suspect, thresholds)
        doubtful = (chosen < limits) | (_indices(self.seen) != _indices(self.best))
        return Decoded(
            lines=lines,
            format=choose(lines).format,
            status=Status.READ if sure else Status.DOUBTFUL,
            confidence=float(chosen.prod()),
            uncertain=() if sure else _uncertain(probabilities, doubtful, lines),
            misprinted=evidence.failed if as_seen else (),
            evidence=evidence,
        )

    def _evidence(self, probabilities: Scores, raw: Scores) -> tuple[Mask, Evidence]:
        """Which places are under a failing check digit or out of place, and the evidence."""
        layout = self.scheme.layout
        held, failed = _checks(layout, self.seen)
        out = ~_of(self.scheme.allowed, self.seen)
        suspect = out.copy()
        for name in failed:
            suspect |= covered(layout, name, self.seen)
        clear = _of(probabilities, self.seen)
        checked = self.scheme.checked
        return suspect, Evidence(
            agree=self.seen == self.best,
            least_checked=_least(clear[checked & ~suspect]),
            least_unchecked=_least(clear[~checked & ~suspect]),
            least_misprinted=_least(clear[suspect]),
            gap=self.gap,
            held=held,
            failed=failed,
            misfits=int(out.sum()),
            known_code=is_known(self.seen[0][0], layout.format),
            mean_log_p=float(_of(raw, self.seen).mean()),
        )

    def _limits(self, suspect: Mask, thresholds: Thresholds) -> Scores:
        limits = np.where(self.scheme.checked, thresholds.checked, thresholds.unchecked)
        return np.where(suspect, thresholds.misprinted, limits)


def _is_read(evidence: Evidence, thresholds: Thresholds) -> bool:
    clear = (
        evidence.least_checked >= thresholds.checked
        and evidence.least_unchecked >= thresholds.unchecked
    )
    if evidence.agree:
        return clear
    return (
        clear
        and evidence.least_misprinted >= thresholds.misprinted
        and evidence.gap >= thresholds.gap
    )


def _formats(raw: Scores) -> Sequence[Format]:
    """The layouts to try: those that parsing might choose, a character that is not the likelier
    half of its place's probability being unknown."""
    first = "".join(
        CHARACTERS[int(at.argmax())] if at.max() > np.log(0.5) else UNKNOWN for at in raw[0]
    )
    return candidates(raw.shape[1], first)


def _option(scheme: Scheme, raw: Scores) -> _Option:
    scores = _normalised(raw + _prior(scheme.layout.format))
    seen = _as_lines(scores.argmax(axis=2))
    best = best_lines(scheme, scores)
    gap = float(_of(scores, seen).sum()) - best.score
    return _Option(scheme, scores, seen, best.lines, max(0.0, gap), best.score)


@cache
def _prior(format_: Format) -> Scores:
    """The log prior of every character at every place of a layout."""
    scheme = scheme_of(format_)
    prior = np.where(scheme.allowed, 0.0, np.log(OUT_OF_PLACE))
    known = [letter in LETTERS and is_known(letter, format_) for letter in CHARACTERS]
    prior[0, 0] = np.where(known, 0.0, np.log(OUT_OF_PLACE))
    return prior


def _checks(layout: Layout, lines: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The check digits that hold, and those that fail."""
    checks = vars(read_checks(layout, lines, read_number(layout, lines)))
    return (
        tuple(name for name in layout.checks if checks[name] is True),
        tuple(name for name in layout.checks if checks[name] is False),
    )


def _uncertain(
    probabilities: Scores, doubtful: Mask, lines: Sequence[str]
) -> tuple[Uncertain, ...]:
    return tuple(
        Uncertain(int(line), int(at), _candidates(probabilities[line, at], lines[line][at]))
        for line, at in np.argwhere(doubtful)
    )


def _candidates(probabilities: Scores, chosen: str) -> tuple[tuple[str, float], ...]:
    """The likeliest characters of a place, and the one that the lines give."""
    likeliest = [int(i) for i in np.argsort(-probabilities, kind="stable")[:CANDIDATES]]
    return tuple(
        (CHARACTERS[i], round(float(probabilities[i]), 4))
        for i in likeliest
        if probabilities[i] >= LEAST_CANDIDATE or CHARACTERS[i] == chosen
    )


def _normalised(scores: Scores) -> Scores:
    top = scores.max(axis=2, keepdims=True)
    return np.asarray(scores - top - np.log(np.exp(scores - top).sum(axis=2, keepdims=True)))


def _as_lines(indices: NDArray[np.intp]) -> tuple[str, ...]:
    return tuple("".join(CHARACTERS[i] for i in row) for row in indices)


def _indices(lines: Sequence[str]) -> NDArray[np.intp]:
    return np.array([[CHARACTERS.index(character) for character in line] for line in lines])


def _of(values: NDArray[_T], lines: Sequence[str]) -> NDArray[_T]:
    """The value of the lines' character at each place."""
    return np.take_along_axis(values, _indices(lines)[:, :, None], axis=2)[:, :, 0]


def _least(probabilities: Scores) -> float:
    return float(probabilities.min()) if probabilities.size else 1.0
