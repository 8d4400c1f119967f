"""From what the recogniser says of columns to what it says of characters.

How many characters there are and where each stands is found by dynamic programming: a place is good
where no blank is seen and blank is seen half-way to the next, and places follow one another at
about one pitch. Characters outside the places cost, so 36 places on 44 characters lose. What the
columns about a place say together is the character's probability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scanner.vision.shapes import BLANK, CAP, EDGE, PITCH, STEP

Floats = NDArray[np.float32]

FINE = STEP // 2
"""Places are sought so many px apart."""
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


@dataclass(frozen=True)
class Alignment:
    """`places` (lines, characters), px along the strip; `score` is comparable among lengths."""

    places: NDArray[np.float64]
    score: float


def align(columns: Columns, expected: NDArray[np.float64], reach: float) -> Alignment:
    """The best places near the expected ones (px along the strip, one per character), each at most
    `reach` px from where it is expected."""
    lines, characters = len(columns.chances), len(expected)
    blank = _finer(columns.chances[..., BLANK])
    clear = _finer(columns.chances[..., :BLANK].max(axis=2))
    steps = blank.shape[1]
    band = np.arange(2 * round(reach / FINE) + 1)
    first = np.round((expected - (FINE - 1) / 2) / FINE).astype(int) - len(band) // 2
    first = np.clip(first, 0, steps - len(band))
    gain, inked = _gains(blank, clear)
    outside = np.cumsum(clear, axis=1) * (_OUTSIDE_COST / (PITCH / FINE * 0.62))
    at = first[0] + band
    best = inked[:, at] - outside[:, np.maximum(at - 1, 0)] * (at > 0)
    ahead = np.diff(first).tolist()
    before, behind = _Before(lines, len(band), ahead), first.tolist()
    paths = np.empty((characters, lines, len(STRIDES), len(band)), np.float32)
    for k in range(1, characters):
        before.best[:] = best
        here = slice(behind[k], behind[k] + len(band))
        np.add(before.a_stride_back[ahead[k - 1]], gain[:, :, here], out=paths[k])
        best = np.maximum.reduce(paths[k], axis=1)
    at = first[-1] + band
    best = best - (outside[:, -1:] - outside[:, at])
    last = first[-1] + best.argmax(axis=1)
    score = float(best.max(axis=1).sum()) / (lines * characters)
    places = np.empty((lines, characters))
    rows = np.arange(lines)
    for k in range(characters - 1, 0, -1):
        places[:, k] = last
        at = np.minimum(np.maximum(last - first[k], 0), len(band) - 1)
        last = last - STRIDES[paths[k, rows, :, at].argmax(axis=1)]
    places[:, 0] = last
    return Alignment(places * FINE + (FINE - 1) / 2, score)


class _Before:
    """What each place of a band can follow on: the best of the last band, seen a stride back. What
    lies outside of that band is no place."""

    def __init__(self, lines: int, width: int, ahead: Sequence[int]) -> None:
        margin = int(STRIDES[-1]) + max(map(abs, ahead), default=0)
        walls = np.full((lines, width + 2 * margin), _NEVER, np.float32)
        self.best = walls[:, margin : margin + width]
        """To be written to: (lines, width)."""
        windows = np.lib.stride_tricks.sliding_window_view(walls, width, axis=1)
        first, last = int(STRIDES[0]), int(STRIDES[-1])
        self.a_stride_back = {
            step: windows[:, margin + step - last : margin + step - first + 1][:, ::-1]
            for step in set(ahead)
        }
        """By how far one band starts ahead of the last: (lines, strides, width)."""


def _gains(blank: Floats, clear: Floats) -> tuple[Floats, Floats]:
    """What a place is worth whose predecessor lies a stride before, (lines, strides, steps), and
    what one is worth that has none, (lines, steps)."""
    inked = np.log(np.maximum(np.sqrt((1 - blank) * clear), _FLOOR))
    between = np.log(np.maximum(blank, _FLOOR))
    half = np.maximum(np.arange(blank.shape[1])[None] - STRIDES[:, None] // 2, 0)
    gain = inked[:, None] + between[:, half]
    gain -= (_STRIDE_COST * np.abs(STRIDES - PITCH / FINE))[None, :, None].astype(np.float32)
    return np.asarray(gain, np.float32), np.asarray(inked, np.float32)


def pitch_of(columns: Columns) -> float:
    """The pitch that blanks between characters repeat at, in px along the strip."""
    blank = _finer(columns.chances[..., BLANK])
    wave = blank - blank.mean(axis=1, keepdims=True)
    lags = np.arange(4, 15)
    like = np.array([float((wave[:, lag:] * wave[:, :-lag]).mean()) for lag in lags])
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
    chances = columns.chances
    near = _near(_middles(chances), places, 0.3)
    near /= np.maximum(near.sum(axis=2, keepdims=True), 1e-6)
    told = near.astype(np.float32) @ chances
    # What falls on blank is said of no character: it is spread over all of them.
    told = told[..., :BLANK] + told[..., BLANK:] / BLANK
    told = np.maximum(told / told.sum(axis=2, keepdims=True), 1e-9)
    return np.asarray(np.log(told), np.float32)


def goes_on(columns: Columns, places: NDArray[np.float64]) -> bool:
    """Whether a line seems to go on beyond its first or last place: one more clear character a
    pitch further, parted from it by a blank."""
    blank, clearest = columns.chances[..., BLANK], columns.chances[..., :BLANK].max(axis=2)
    x = _middles(columns.chances)
    for i, line in enumerate(places):
        for end, inner in ((line[0], line[1]), (line[-1], line[-2])):
            step = end - inner
            parted = float(np.interp(end + step / 2, x, blank[i]))
            if float(np.interp(end + step, x, clearest[i])) * parted > _ONE_MORE:
                return True
    return False


def seen_at(
    columns: Columns, places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Where the characters near the places really are: centres along the strip and below its
    middle in px, heights against `CAP`, and how much each of these is worth."""
    chances, geometry = columns.chances, columns.geometry
    x = _middles(chances)
    weights = _near(x, places, 0.4) * (1 - chances[..., BLANK])[:, None]
    total = np.maximum(weights.sum(axis=2), 1e-6)
    told = geometry.astype(np.float64) * (PITCH, CAP, 1.0)
    told[..., 0] += x
    means = (weights @ told) / total[..., None]
    heights = np.exp(np.clip(means[..., 2], -1, 1))
    return means[..., 0], means[..., 1], heights, np.minimum(total, 1.0)


def _middles(chances: Floats) -> NDArray[np.float64]:
    """Where the middle of each column is, px along the strip."""
    return np.asarray((np.arange(chances.shape[1]) + 0.5) * STEP - 0.5, np.float64)


def _near(x: NDArray[np.float64], places: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """How much each column counts for each place: 1 at it, nothing from `reach` pitches away."""
    away = np.abs(x - places[..., None])
    return np.asarray(np.maximum(0, 1 - away / (reach * PITCH)), np.float64)


def _finer(values: Floats) -> Floats:
    """Columns at half their distance: value i stands at px i * FINE + (FINE - 1) / 2."""
    left, share = _between(values.shape[1])
    return np.asarray(values[:, left] * (1 - share) + values[:, left + 1] * share, np.float32)


@lru_cache(maxsize=32)
def _between(columns: int) -> tuple[NDArray[np.intp], Floats]:
    """Which column each finer value follows on, and how much the next one counts."""
    x = (np.arange(columns * STEP // FINE) * FINE + (FINE - 1) / 2 + 0.5) / STEP - 0.5
    left = np.clip(np.floor(x).astype(int), 0, columns - 2)
    return left, np.clip(x - left, 0, 1).astype(np.float32)
