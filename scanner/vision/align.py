"""From what the recogniser says of columns to what it says of characters.

How many characters there are and where each stands is found by dynamic programming: a place is good
where no blank is seen and blank is seen half-way to the next, and places follow one another at
about one pitch. Characters outside the places cost, so 36 places on 44 characters lose. What the
columns about a place say together is the character's probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scanner.vision.shapes import BLANK, CAP, EDGE, PITCH, STEP

Floats = NDArray[np.float32]

FINE = STEP // 2
"""Places are sought so many px apart: two a column."""
STRIDES = np.arange(6, 11)
"""A pitch in fine steps: 12 to 20 px."""
_STRIDE_COST = 0.25
_OUTSIDE_COST = 1.2
"""A character left outside, against what one that is found is worth."""
_FLOOR = 1e-4
_NEVER = -1e9
_ONE_MORE = 0.6
"""How clear a character must be that nobody asked for."""


@dataclass(frozen=True)
class Columns:
    """What the recogniser says of strips: `chances` (lines, columns, 38) sum to one, `geometry`
    (lines, columns, 3) is as `models.training.strips.Strip` has it."""

    chances: Floats
    geometry: Floats

    @cached_property
    def blank(self) -> Floats:
        """How probable it is that no character stands in a column: (lines, columns)."""
        return np.ascontiguousarray(self.chances[..., BLANK])

    @cached_property
    def clear(self) -> Floats:
        """How probable the likeliest character of a column is: (lines, columns)."""
        return np.asarray(self.chances[..., :BLANK].max(axis=2))


@dataclass(frozen=True)
class Alignment:
    """`places` (lines, characters), px along the strip; `score` is comparable among lengths."""

    places: NDArray[np.float64]
    score: float


def align(columns: Columns, expected: NDArray[np.float64], reach: float) -> Alignment:
    """The best places near the expected ones (px along the strip, one per character), each at most
    `reach` px from where it is expected."""
    lines, characters = len(columns.chances), len(expected)
    blank, clear = _finer(columns.blank), _finer(columns.clear)
    steps = blank.shape[1]
    band = np.arange(2 * round(reach / FINE) + 1)
    begins = np.round((expected - (FINE - 1) / 2) / FINE).astype(int) - len(band) // 2
    begins = np.clip(begins, 0, steps - len(band))
    gain, inked = _gains(blank, clear)
    outside = np.cumsum(clear, axis=1) * (_OUTSIDE_COST / (PITCH / FINE * 0.62))
    at = begins[0] + band
    best = inked[:, at] - outside[:, np.maximum(at - 1, 0)] * (at > 0)
    ahead, first = np.diff(begins).tolist(), begins.tolist()
    before = _Before(lines, len(band), ahead)
    before.best[:] = best
    paths = np.empty((characters, len(STRIDES), lines, len(band)), np.float32)
    for k in range(1, characters):
        here = gain[:, :, first[k] : first[k] + len(band)]
        np.add(before.a_stride_back[ahead[k - 1]], here, out=paths[k])
        np.maximum.reduce(paths[k], axis=0, out=before.best)
    at = first[-1] + band
    best = before.best - (outside[:, -1:] - outside[:, at])
    score = float(best.max(axis=1).sum()) / (lines * characters)
    last = first[-1] + best.argmax(axis=1)
    places = np.array(_back(paths, first, last.tolist()), np.float64)
    return Alignment(places * FINE + (FINE - 1) / 2, score)


def _back(paths: Floats, first: Sequence[int], last: Sequence[int]) -> list[list[int]]:
    """The steps of each line's characters, from where its last one stands back to its first."""
    strides, width = STRIDES.tolist(), paths.shape[-1]
    found = []
    for line, step in enumerate(last):
        row = [step]
        for k in range(len(first) - 1, 0, -1):
            at = min(max(row[-1] - first[k], 0), width - 1)
            row.append(row[-1] - strides[paths[k, :, line, at].argmax()])
        found.append(row[::-1])
    return found


class _Before:
    """What each place of a band can follow on: the best of the last band, seen a stride back. What
    lies outside of that band is no place."""

    def __init__(self, lines: int, width: int, ahead: Sequence[int]) -> None:
        margin = int(STRIDES[-1]) + max(map(abs, ahead), default=0)
        walls = np.full((lines, width + 2 * margin), _NEVER, np.float32)
        self.best = walls[:, margin : margin + width]
        """To be written to: (lines, width)."""
        windows = np.lib.stride_tricks.sliding_window_view(walls, width, axis=1).swapaxes(0, 1)
        first, last = int(STRIDES[0]), int(STRIDES[-1])
        self.a_stride_back = {
            step: windows[margin + step - last : margin + step - first + 1][::-1]
            for step in set(ahead)
        }
        """By how far one band starts ahead of the last: (strides, lines, width)."""


def _gains(blank: Floats, clear: Floats) -> tuple[Floats, Floats]:
    """What a place is worth whose predecessor lies a stride before, (strides, lines, steps), and
    what one is worth that has none, (lines, steps)."""
    inked = np.log(np.maximum(np.sqrt((1 - blank) * clear), _FLOOR))
    between = np.log(np.maximum(blank, _FLOOR))
    half = np.maximum(np.arange(blank.shape[1])[None] - STRIDES[:, None] // 2, 0)
    gain = inked + between.take(half, axis=1).swapaxes(0, 1)
    gain -= (_STRIDE_COST * np.abs(STRIDES - PITCH / FINE))[:, None, None].astype(np.float32)
    return np.asarray(gain, np.float32), np.asarray(inked, np.float32)


def pitch_of(columns: Columns) -> float:
    """The pitch that blanks between characters repeat at, in px along the strip."""
    blank = np.ascontiguousarray(_finer(columns.blank).T)
    wave = blank - blank.mean(axis=0)
    lags = np.arange(4, 15)
    like = np.array([float((wave[lag:] * wave[:-lag]).mean()) for lag in lags])
    tops = (like[1:-1] >= like[:-2]) & (like[1:-1] >= like[2:]) & (like[1:-1] > 0)
    peaks = np.flatnonzero(tops) + 1
    if not len(peaks):
        return float(PITCH)
    # Twice the pitch fits as well: the shortest of the good ones is meant.
    peak = int(peaks[like[peaks] >= 0.75 * like[peaks].max()][0])
    left, top, right = like[peak - 1 : peak + 2]
    bend = left - 2 * top + right
    return float((lags[peak] + (0.5 * (left - right) / bend if bend < 0 else 0.0)) * FINE)


def expected(characters: int, guess: int) -> NDArray[np.float64]:
    """Where so many characters stand in a strip that was cut for `guess` of them."""
    return np.asarray(EDGE + (np.arange(characters) + 0.5) * (guess * PITCH / characters) - 0.5)


def slots(columns: Columns, places: NDArray[np.float64]) -> Floats:
    """Log probabilities (lines, characters, 37) at the places."""
    which, near = _near(columns, places, 0.3)
    near /= np.maximum(near.sum(axis=2, keepdims=True), 1e-6)
    there = _taken(columns.chances, which)
    told = (near.astype(np.float32)[:, :, None] @ there)[:, :, 0]
    # What falls on blank is said of no character: it is spread over all of them.
    told = told[..., :BLANK] + told[..., BLANK:] / BLANK
    told = np.maximum(told / told.sum(axis=2, keepdims=True), 1e-9)
    return np.asarray(np.log(told), np.float32)


def goes_on(columns: Columns, places: NDArray[np.float64]) -> bool:
    """Whether a line seems to go on beyond its first or last place: one more clear character a
    pitch further, parted from it by a blank."""
    blank, clear = columns.blank, columns.clear
    x = (np.arange(blank.shape[1]) + 0.5) * STEP - 0.5
    for i, line in enumerate(places):
        for end, inner in ((line[0], line[1]), (line[-1], line[-2])):
            step = end - inner
            parted = float(np.interp(end + step / 2, x, blank[i]))
            if float(np.interp(end + step, x, clear[i])) * parted > _ONE_MORE:
                return True
    return False


def seen_at(
    columns: Columns, places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where the characters near the places really are: centres along the strip and below its
    middle in px, heights against `CAP`, and how much each of these is worth."""
    which, weights = _near(columns, places, 0.4)
    weights *= 1 - _taken(columns.blank, which)
    total = np.maximum(weights.sum(axis=2), 1e-6)
    told = _taken(columns.geometry, which) * np.array((PITCH, CAP, 1.0))
    told[..., 0] += (which + 0.5) * STEP - 0.5
    means = (weights[:, :, None] @ told)[:, :, 0] / total[..., None]
    heights = np.exp(np.clip(means[..., 2], -1, 1))
    return means[..., 0], means[..., 1], heights, np.minimum(total, 1.0)


def _near(
    columns: Columns, places: NDArray[np.float64], reach: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The few columns about each place, (lines, characters, few), and how much each of them counts
    there: 1 at the place, nothing from `reach` pitches away nor where there is no column."""
    reach *= PITCH / STEP
    middles = (places[..., None] + 0.5) / STEP - 0.5
    which = np.floor(middles - reach).astype(int) + np.arange(1, int(2 * reach) + 2)
    count = columns.chances.shape[1]
    there = np.minimum(np.maximum(which, 0), count - 1)
    return there, np.maximum(0, 1 - np.abs(which - middles) / reach) * (there == which)


def _taken(values: Floats, which: NDArray[np.intp]) -> Floats:
    """Of each line's columns, (lines, columns, …), those of that line: (lines, characters, few,
    …)."""
    lines, count, *rest = values.shape
    begins = count * np.arange(lines)[:, None, None]
    return np.asarray(values.reshape(-1, *rest).take(begins + which, axis=0))


def _finer(values: Floats) -> Floats:
    """Columns at half their distance: value i stands at px i * FINE + (FINE - 1) / 2, a quarter of
    a column from the nearest one; before the first and behind the last column all is as there."""
    far, near = values * np.float32(0.25), values * np.float32(0.75)
    finer = np.empty((len(values), 2 * values.shape[1]), np.float32)
    finer[:, 0], finer[:, -1] = values[:, 0], values[:, -1]
    np.add(far[:, :-1], near[:, 1:], out=finer[:, 2::2])
    np.add(near[:, :-1], far[:, 1:], out=finer[:, 1:-1:2])
    return finer
