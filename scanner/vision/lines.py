"""From the locator's maps to single lines of print: every pixel of a core votes.

The maps say of each pixel whether it lies in the thin core of an MRZ line, along which axis that
line runs, how tall its capitals are and where the line's middle is. So every pixel of a core votes
for a point *on* the line: even where two cores have grown together, their votes fall on two lines.
Which of its two ends an axis is read from is told apart from all that: small print does not always
show it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]
"""(pixels, 9): see `models.training.nets.MAPS`; of the core probabilities, not logits."""
Point = tuple[float, float]
Floats = NDArray[np.float64]
Reals = NDArray[np.floating[Any]]
Affine = Floats
"""(2, 3), of one scale in all directions, turning but not mirroring."""

CORE, WITHIN, SIZE, TOWARDS_X, TOWARDS_Y, AXIS_COSINE, AXIS_SINE, COSINE, SINE = range(9)
LINE_CAPS = 2.45
"""Capitals from one line's middle to the next one's (Doc 9303-3 §4.3)."""
CAP_UNIT = 4.0
"""The capital's height, in px of the locator's input, whose logarithm counts as 0."""
MAP_STEP = 2
"""Pixels of the locator's input a pixel of its maps."""

LEAST_PIXELS = 12
LEAST_CAPS = 9.0
"""A piece of line shorter than so many capitals is no part of an MRZ."""


@dataclass(frozen=True)
class Maps:
    """What the locator says of a frame. Most pixels lie in no core, and nothing else is asked of
    them: so all other maps stay folded as the network gives them."""

    core: NDArray[np.float32]
    """(height, width), probabilities."""
    folded: NDArray[np.float32]
    """(height / 2, width / 2, 9, 4): of each map the pixels two by two, in rows."""

    @classmethod
    def of(cls, out: NDArray[np.float32], height: int, width: int) -> "Maps":
        """From what the network gives, (…, …, 36), for a picture whose own part is so large."""
        rows, columns, _ = out.shape
        cells = out.reshape(rows, columns, -1, 4)
        core = cells[:, :, CORE].reshape(rows, columns, 2, 2).swapaxes(1, 2)
        core = core.reshape(2 * rows, 2 * columns)[: _half(height), : _half(width)]
        return cls(np.asarray(1 / (1 + np.exp(-core)), np.float32), cells)

    def at(self, x: NDArray[np.intp], y: NDArray[np.intp]) -> Values:
        """All maps at some pixels."""
        values = self.folded[y >> 1, x >> 1, :, 2 * (y & 1) + (x & 1)]
        values[:, CORE] = self.core[y, x]
        return values


def _half(side: int) -> int:
    return -(-side // MAP_STEP)


@dataclass(frozen=True)
class Line:
    """One MRZ line in px of the frame: middles of its first and last cell's outer edges, in
    reading order, the height of its capitals at both ends, and how sure the locator is."""

    start: Point
    end: Point
    caps: tuple[float, float]
    sureness: float

    def turned(self) -> "Line":
        """The line taken the other way up."""
        return Line(self.end, self.start, self.caps[::-1], self.sureness)

    def led_back(self, back: Affine) -> "Line":
        """The line in the frame. Frames count their pixels' middles from 0, maps their edges."""
        scale = float(np.sqrt(abs(np.linalg.det(back[:, :2]))))
        (x0, y0), (x1, y1) = (back[:, :2] @ point + back[:, 2] - 0.5 for point in self._ends)
        caps = (self.caps[0] * scale, self.caps[1] * scale)
        return Line((float(x0), float(y0)), (float(x1), float(y1)), caps, self.sureness)

    @property
    def _ends(self) -> tuple[Point, Point]:
        return self.start, self.end

    @property
    def length(self) -> float:
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))

    @property
    def cap(self) -> float:
        return (self.caps[0] + self.caps[1]) / 2

    @property
    def direction(self) -> Floats:
        return np.asarray(np.subtract(self.end, self.start) / max(self.length, 1e-6), np.float64)

    @property
    def middle(self) -> Floats:
        return np.asarray((np.asarray(self.start) + np.asarray(self.end)) / 2, np.float64)


def pieces(maps: Maps, threshold: float) -> Iterator[Line]:
    """The lines that the pixels of each core vote for."""
    mask = (maps.core > threshold).view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for i in range(1, count):
        left, top, width, height, area = stats[i]
        if area < LEAST_PIXELS:
            continue
        cut = (slice(top, top + height), slice(left, left + width))
        y, x = np.nonzero(labels[cut] == i)
        x, y = x + left, y + top
        yield from _lines_of(x, y, maps.at(x, y))


def _lines_of(x: NDArray[np.intp], y: NDArray[np.intp], values: Values) -> Iterator[Line]:
    """The lines in one core: as a rule one."""
    weight = values[:, CORE]
    along = _axis(values)
    if along is None:
        return
    caps = np.asarray(CAP_UNIT * np.exp(np.clip(values[:, SIZE], -2.0, 4.0)), np.float32)
    cap = float(median(caps))
    votes = (np.array([x, y]) + 0.5) * MAP_STEP
    votes += (values[:, TOWARDS_X : TOWARDS_Y + 1] * caps[:, None]).T
    # A second look along the votes themselves: they lie on the line better than its axis is known.
    for _ in range(2):
        down = np.array([-along[1], along[0]])
        u, v = along @ votes, down @ votes
        largest = max(_rows(v, cap), key=np.count_nonzero)
        if np.ptp(u[largest]) < 3 * cap:
            break
        slope, _ = _straight(u[largest], v[largest], np.ones(np.count_nonzero(largest)))
        if abs(slope) > 0.3:
            break
        along = along + slope * down
        along /= np.hypot(*along)
    down = np.array([-along[1], along[0]])
    u, v = along @ votes, down @ votes
    for row in _rows(v, cap):
        line = _line(u[row], v[row], caps[row], weight[row], along, down)
        if line is not None:
            yield line


def _axis(values: Values) -> Floats | None:
    """The reading direction of a core's pixels, or None where they do not agree on an axis."""
    weight = values[:, CORE]
    cosine, sine = float(weight @ values[:, AXIS_COSINE]), float(weight @ values[:, AXIS_SINE])
    if np.hypot(cosine, sine) < 0.3 * weight.sum():
        return None
    angle = np.arctan2(sine, cosine) / 2
    axis = np.array([np.cos(angle), np.sin(angle)])
    ahead = float(weight @ values[:, COSINE]) * axis[0] + float(weight @ values[:, SINE]) * axis[1]
    return axis if ahead >= 0 else -axis


def _rows(v: Floats, cap: float) -> list[NDArray[np.bool_]]:
    """Which votes fall on each line: they are parted where nobody voted for most of a cap."""
    ordered = np.sort(v)
    last = np.flatnonzero(ordered[1:] - ordered[:-1] > 0.45 * cap)
    if not last.size:  # as a rule
        return [np.ones(len(v), np.bool_)]
    row = np.searchsorted(ordered[last + 1], v, side="right")
    large = np.flatnonzero(np.bincount(row) >= LEAST_PIXELS)
    return [row == i for i in large] or [np.ones(len(v), np.bool_)]


def _straight(x: Floats, y: Reals, weights: Reals) -> tuple[float, float]:
    """The slope of the straight line through points, and its height at x = 0: of the least squares
    of what each is off, times its weight."""
    told = np.asarray(weights * y, np.float64)
    weights = weights.astype(np.float64)
    whole = max(float(weights @ weights), 1e-12)
    middle = float(weights**2 @ x) / whole
    away = weights * (x - middle)
    slope = float(away @ told) / max(float(away @ away), 1e-12)
    return slope, float(weights @ told) / whole - slope * middle


def _line(
    u: Floats,
    v: Floats,
    caps: NDArray[np.float32],
    weight: NDArray[np.float32],
    along: Floats,
    down: Floats,
) -> Line | None:
    reach = MAP_STEP / 2
    first, last = float(u.min()) - reach, float(u.max()) + reach
    cap = float(median(caps))
    if last - first < LEAST_CAPS * cap * 0.5:
        return None
    middle = (first + last) / 2
    far = (u - middle) / (last - first)
    keep = np.abs(v - median(v)) < 2 * cap
    slope, level = _straight(far[keep], v[keep], weight[keep])
    grow, size = _straight(far, caps, weight)
    grow = min(max(grow, -0.6 * size), 0.6 * size)
    ends = [
        along * (middle + side * (last - first)) + down * (level + side * slope)
        for side in (-0.5, 0.5)
    ]
    return Line(
        (float(ends[0][0]), float(ends[0][1])),
        (float(ends[1][0]), float(ends[1][1])),
        (float(size - grow / 2), float(size + grow / 2)),
        float(weight.mean()),
    )


def median(values: Reals) -> Reals:
    """The median along the last axis, which must not be empty: what NumPy's gives, which takes five
    times as long over the few numbers that it is asked for here."""
    half = values.shape[-1] // 2
    if values.shape[-1] % 2:
        return np.asarray(np.partition(values, half, axis=-1)[..., half])
    parted = np.partition(values, (half - 1, half), axis=-1)
    return np.asarray((parted[..., half - 1] + parted[..., half]) / 2)
