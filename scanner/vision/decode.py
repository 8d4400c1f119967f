"""Probabilities in, lines out: what an MRZ says, how surely, and where the doubt is.

Two readings of the same probabilities are set side by side. *As seen*: at each place the likeliest
character, every place for itself. *As it should be*: the likeliest lines of the layout whose check
digits all hold (`trellis`). Where the two are the same, the check digits bear the picture out.
Where they differ, either a character was misread or a check digit is wrong in print, and only how
clear the picture is can tell.

- **read**: the two agree and every place is clear enough; or they differ, and all that speaks for
  the difference is very clear: then the lines are as seen, as printed (`evidence`).
- **doubtful**: all else. The lines are as they should be where the picture allows that nearly as
  well, else as seen. Lines that a check digit repaired are never *read*.

The layout is the one that parsing would choose (`scanner.mrz.choose`); where the characters that
this rests on are not clear, each that it might choose is tried.

What a layout does not allow at a place (a digit in a name) is printed now and then all the same. So
*as seen* is not limited to the layout's alphabets: characters out of place have a small prior
(`OUT_OF_PLACE`), which settles O against 0 in a name but leaves a clear 3 a 3.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.choose import candidates, choose, read_checks
from scanner.mrz.document import Format
from scanner.mrz.document_codes import is_known
from scanner.mrz.document_numbers import read_number
from scanner.mrz.findings import DIGITS_IN_NAMES_IN_USE
from scanner.mrz.layouts import CHARACTERS, DIGITS, LAYOUTS, LETTERS, WIDTHS, Layout
from scanner.mrz.reading import UNKNOWN, Status, Uncertain
from scanner.vision.characters import as_indices, as_lines, least, normalised, of
from scanner.vision.evidence import DEFAULT, Evidence, Thresholds
from scanner.vision.posterior import Posterior
from scanner.vision.schemes import Scheme, covered, scheme_of
from scanner.vision.sums import Mask, Scores
from scanner.vision.trellis import Best, best_lines, bound

__all__ = ["DEFAULT", "Decoded", "Evidence", "LogP", "Thresholds", "decode"]

LogP = NDArray[np.float32]

OUT_OF_PLACE = 0.01
"""The prior weight of a character that its layout does not allow where it stands, and of a first
letter that Doc 9303 does not know."""

FLOOR = -16.0
"""The least log probability that is believed: no network can exclude a character. What is no
number counts as that."""

LEAST_CANDIDATE = 0.005
MOST_CANDIDATES = 5
"""Of a doubtful place so many characters are told at most, and none less probable, save those that
the two readings give."""


@dataclass(frozen=True)
class Decoded:
    """The lines, how surely they are right, and why.

    `confidence` is the probability that every character is right: given that the check digits hold
    where they do, else of every place for itself. `misprinted` names the check digits that are
    wrong as printed, where the lines are as seen.
    """

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
    raw = normalised(np.fmax(log_p.astype(np.float64), FLOOR))
    return _likeliest([_Option(scheme_of(format_), raw) for format_ in _formats(raw)]).decoded(
        thresholds
    )


def _formats(raw: Scores) -> Sequence[Format]:
    """The layouts to try: those that parsing might choose, a character being unknown that has not
    half of its place's probability."""
    (first,) = as_lines(raw[:1].argmax(axis=2))
    clear = raw[0].max(axis=1) > np.log(0.5)
    return candidates(
        raw.shape[1], "".join(c if sure else UNKNOWN for c, sure in zip(first, clear, strict=True))
    )


def _likeliest(options: Sequence["_Option"]) -> "_Option":
    """The layout that explains the picture best; those that cannot are not decoded."""
    if len(options) == 1:
        return options[0]
    best, *others = sorted(options, key=lambda option: -option.most)
    for option in others:
        if option.most > best.worth and option.worth > best.worth:
            best = option
    return best


class _Option:
    """Both readings of a picture under one layout."""

    def __init__(self, scheme: Scheme, raw: Scores) -> None:
        self.scheme = scheme
        self.raw = raw
        spelt = _issuer(scheme.layout, raw) in DIGITS_IN_NAMES_IN_USE
        weighed = raw + _prior(scheme.layout.format, digits_in_names=spelt)
        self.scores = normalised(weighed)
        self._out_of_prior = float((weighed - self.scores)[:, :, 0].sum())
        self.seen = as_lines(self.scores.argmax(axis=2))

    @cached_property
    def most(self) -> float:
        """What `worth` cannot exceed."""
        return bound(self.scheme, self.scores) + self._bonus

    @property
    def worth(self) -> float:
        """How well the layout explains the picture: one with more check digits has fewer lines that
        satisfy them, so each is worth the tenth that would do so by chance."""
        return self.best.score + self._bonus

    @property
    def _bonus(self) -> float:
        return self._out_of_prior + len(self.scheme.layout.checks) * float(np.log(10))

    @cached_property
    def checks(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The check digits that hold, and those that fail, as seen."""
        layout = self.scheme.layout
        checks = vars(read_checks(layout, self.seen, read_number(layout, self.seen)))
        return (
            tuple(name for name in layout.checks if checks[name] is True),
            tuple(name for name in layout.checks if checks[name] is False),
        )

    @cached_property
    def best(self) -> Best:
        """The best lines whose check digits hold: those as seen, where nothing is wrong with them,
        for nothing can be likelier."""
        held, failed = self.checks
        whole = "composite" not in self.scheme.layout.checks or "composite" in held
        if whole and not failed and of(self.scheme.allowed, self.seen).all():
            return Best(self.seen, float(of(self.scores, self.seen).sum()))
        return best_lines(self.scheme, self.scores)

    @cached_property
    def posterior(self) -> Posterior:
        return Posterior(self.scheme, self.scores)

    @cached_property
    def share(self) -> float:
        """The probability of the best lines among all whose check digits hold."""
        return self.posterior.share(as_indices(self.best.lines))

    @cached_property
    def differs(self) -> Mask:
        return np.asarray(as_indices(self.seen) != as_indices(self.best.lines))

    @cached_property
    def out_of_place(self) -> Mask:
        return np.asarray(~of(self.scheme.allowed, self.seen) & self.differs)

    @cached_property
    def suspect(self) -> Mask:
        """The places under a failing check digit, or out of place."""
        masks = [covered(self.scheme.layout, name, self.seen) for name in self.checks[1]]
        return np.asarray(np.logical_or.reduce([self.out_of_place, *masks]))

    @property
    def _may_be_misprinted(self) -> bool:
        """Whether a digit stands for each check digit that fails; that of a long number stands
        elsewhere."""
        layout = self.scheme.layout
        failing = [n for n in self.checks[1] if not (n == "number" and layout.long_numbers)]
        return all(layout.checks[name].printed(self.seen) in DIGITS for name in failing)

    @cached_property
    def evidence(self) -> Evidence:
        checked, suspect = self.scheme.checked, self.suspect
        clear = np.exp(of(self.scores, self.seen))
        held, failed = self.checks
        return Evidence(
            agree=self.seen == self.best.lines,
            least_checked=least(clear[checked & ~suspect]),
            least_unchecked=least(clear[~checked & ~suspect]),
            least_misprinted=least(clear[suspect]) if self._may_be_misprinted else 0.0,
            borne_out=self.posterior.share(as_indices(self.best.lines), checked_alone=True),
            confidence=self.share if self.seen == self.best.lines else float(clear.prod()),
            gap=max(0.0, float(of(self.scores, self.seen).sum()) - self.best.score),
            held=held,
            failed=failed,
            misfits=int(self.out_of_place.sum()),
            mean_log_p=float(of(self.raw, self.seen).mean()),
            odds=self.posterior.log_total()
            + self._bonus
            + float(np.log(len(CHARACTERS) / self.scheme.allowed.sum(axis=2)).sum()),
        )

    def decoded(self, thresholds: Thresholds) -> Decoded:
        evidence = self.evidence
        sure = evidence.is_read(thresholds)
        as_printed = not evidence.agree and (sure or evidence.gap >= thresholds.repair)
        lines = self.seen if as_printed else self.best.lines
        return Decoded(
            lines=lines,
            format=choose(lines).format,
            status=Status.READ if sure else Status.DOUBTFUL,
            confidence=evidence.confidence if as_printed else self.share,
            uncertain=() if sure else self._uncertain(lines, thresholds, as_printed=as_printed),
            misprinted=evidence.failed if as_printed else (),
            evidence=evidence,
        )

    def _uncertain(
        self, lines: Sequence[str], thresholds: Thresholds, *, as_printed: bool
    ) -> tuple[Uncertain, ...]:
        """The places that are not clear enough as seen, or less than that once the check digits
        are heeded, and those where the two readings differ."""
        limit = thresholds.unaided if as_printed else thresholds.checked
        limits = np.where(self.scheme.checked, limit, thresholds.unchecked)
        chances = clear = np.exp(self.scores)
        if as_printed:
            limits = np.where(self.suspect, thresholds.misprinted, limits)
        else:
            checked = self.scheme.checked[:, :, None]
            chances = np.where(checked, self.posterior.chances(), clear)
        doubtful = self.differs | (of(clear, lines) < limits) | (of(chances, lines) < limits)
        return tuple(
            Uncertain(int(line), int(at), self._candidates(int(line), int(at), chances))
            for line, at in np.argwhere(doubtful)
        )

    def _candidates(self, line: int, at: int, chances: Scores) -> tuple[tuple[str, float], ...]:
        here = chances[line, at]
        given = (self.seen[line][at], self.best.lines[line][at])
        likeliest = [int(i) for i in np.argsort(-here, kind="stable")]
        return tuple(
            (CHARACTERS[i], round(float(here[i]), 6))
            for rank, i in enumerate(likeliest)
            if CHARACTERS[i] in given or (rank < MOST_CANDIDATES and here[i] >= LEAST_CANDIDATE)
        )


def _issuer(layout: Layout, raw: Scores) -> str:
    span = layout.fields["issuer"].span
    return span.text(as_lines(raw.argmax(axis=2)))


@cache
def _prior(format_: Format, *, digits_in_names: bool) -> Scores:
    """The log prior of every character at every place of a layout."""
    scheme = scheme_of(format_)
    name = scheme.layout.fields.get("name")
    allowed = scheme.allowed.copy()
    if name and digits_in_names:
        allowed[name.span.line, name.span.start : name.span.start + name.span.length] = True
    weights = np.where(allowed, 1.0, OUT_OF_PLACE)
    weights[0, 0] = [
        1.0 if _begins(letter, scheme.layout) else OUT_OF_PLACE for letter in CHARACTERS
    ]
    return np.asarray(np.log(weights))


def _begins(letter: str, layout: Layout) -> bool:
    """Whether a document of the layout's size may begin with a letter: that a P is no V, only the
    picture may say."""
    return letter in LETTERS and any(
        is_known(letter, other.format) for other in LAYOUTS.values() if other.width == layout.width
    )
