"""From the locator's maps to the lines of an MRZ: pure geometry, no network and no picture.

The maps say of each pixel whether it lies in the thin core of an MRZ line, which way that line is
read, how tall its capitals are and how far the line's middle is. So every pixel of a core votes for
a point *on* the line: even where two cores have grown together, their votes fall on two lines.

    pixels of one core -> votes along and across the reading direction -> lines
    -> pieces in one row joined -> parallel lines of like size and length -> blocks of two or three
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

Maps = NDArray[np.float32]
"""(height, width, 6): see `models.training.nets.MAPS`; probabilities and values, not logits."""
Point = tuple[float, float]

CORE, WITHIN, COSINE, SINE, SIZE, ACROSS = range(6)
CAP_UNIT = 4.0
"""The capital's height, in px of the locator's input, whose logarithm counts as 0."""
MAP_STEP = 2
"""Pixels of the locator's input a pixel of its maps."""

THRESHOLDS = (0.5, 0.8, 0.25)
"""Of the core, tried in turn."""
LEAST_PIXELS = 12
LEAST_CAPS = 9.0
"""A piece of line shorter than so many capitals is no part of an MRZ."""
LEAST_LINE_CAPS = 20.0
MOST_LINE_CAPS = 66.0
LINE_GAP_CAPS = (1.45, 4.2)
"""How far apart the middles of neighbouring lines are."""


@dataclass(frozen=True)
class Line:
    """One MRZ line in px of the frame: middles of its first and last cell's outer edges, in
    reading order, the height of its capitals at both ends, and how sure the locator is."""

    start: Point
    end: Point
    caps: tuple[float, float]
    sureness: float

    @property
    def length(self) -> float:
        return float(np.hypot(self.end[0] - self.start[0], self.end[1] - self.start[1]))

    @property
    def cap(self) -> float:
        return (self.caps[0] + self.caps[1]) / 2

    @property
    def direction(self) -> NDArray[np.float64]:
        return np.subtract(self.end, self.start) / max(self.length, 1e-6)

    @property
    def middle(self) -> NDArray[np.float64]:
        return (np.asarray(self.start) + np.asarray(self.end)) / 2


@dataclass(frozen=True)
class Block:
    """Two or three lines of one MRZ, the first line first."""

    lines: tuple[Line, ...]

    @property
    def sureness(self) -> float:
        return sum(line.sureness * line.length for line in self.lines)


def blocks(maps: Maps, scale: float) -> list[Block]:
    """Every block that the maps show, the surest first. `scale` is px of the frame a px of the
    locator's input."""
    found: list[Block] = []
    for threshold in THRESHOLDS:
        lines = _joined(list(_pieces(maps, threshold, scale)))
        for block in _grouped(lines):
            if not any(_same(block, known) for known in found):
                found.append(block)
        if found:
            break
    return sorted(found, key=lambda block: -block.sureness)


def _pieces(maps: Maps, threshold: float, scale: float) -> Iterator[Line]:
    """The lines that the pixels of each core vote for."""
    mask = (maps[..., CORE] > threshold).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    for i in range(1, count):
        left, top, width, height, area = stats[i]
        if area < LEAST_PIXELS:
            continue
        cut = (slice(top, top + height), slice(left, left + width))
        y, x = np.nonzero(labels[cut] == i)
        values = maps[cut][y, x]
        yield from _lines_of(x + left, y + top, values, scale)


def _lines_of(
    x: NDArray[np.intp], y: NDArray[np.intp], values: Maps, scale: float
) -> Iterator[Line]:
    """The lines in one core: as a rule one."""
    weight = values[:, CORE]
    cosine, sine = float(weight @ values[:, COSINE]), float(weight @ values[:, SINE])
    length = np.hypot(cosine, sine)
    if length < 0.2 * weight.sum():
        return  # its pixels do not agree on a direction
    along = np.array([cosine, sine]) / length
    points = (np.stack([x, y], axis=1) + 0.5) * MAP_STEP
    caps = CAP_UNIT * np.exp(np.clip(values[:, SIZE], -2.0, 4.0))
    cap = float(np.median(caps))
    # A second look along the core itself: pixels agree on the direction less well than on the line.
    for _ in range(2):
        down = np.array([-along[1], along[0]])
        u, v = points @ along, points @ down + values[:, ACROSS] * caps
        rows = _rows(v, cap)
        largest = max(rows, key=len)
        if np.ptp(u[largest]) < 3 * cap:
            break
        slope = float(np.polyfit(u[largest], v[largest], 1)[0])
        if abs(slope) > 0.3:
            break
        along = along + slope * down
        along /= np.hypot(*along)
    down = np.array([-along[1], along[0]])
    u, v = points @ along, points @ down + values[:, ACROSS] * caps
    for row in _rows(v, cap):
        line = _line(u[row], v[row], caps[row], weight[row], along, down)
        if line is not None:
            yield _scaled(line, scale)


def _rows(v: NDArray[np.float64], cap: float) -> list[NDArray[np.intp]]:
    """The indices of votes that fall on one line, parted where nobody voted for most of a cap."""
    order = np.argsort(v)
    gaps = np.flatnonzero(np.diff(v[order]) > 0.45 * cap)
    return [part for part in np.split(order, gaps + 1) if len(part) >= LEAST_PIXELS] or [order]


def _line(
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    caps: NDArray[np.float32],
    weight: NDArray[np.float32],
    along: NDArray[np.float64],
    down: NDArray[np.float64],
) -> Line | None:
    reach = MAP_STEP / 2
    first, last = float(u.min()) - reach, float(u.max()) + reach
    cap = float(np.median(caps))
    if last - first < LEAST_CAPS * cap * 0.5:
        return None
    middle = (first + last) / 2
    far = (u - middle) / (last - first)
    keep = np.abs(v - np.median(v)) < 2 * cap
    slope, level = np.polyfit(far[keep], v[keep], 1, w=weight[keep])
    grow, size = np.polyfit(far, caps, 1, w=weight)
    grow = float(np.clip(grow, -0.6 * size, 0.6 * size))
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


def _scaled(line: Line, scale: float) -> Line:
    # The map's px i is centred on (i + 0.5) steps of the input; frames count px centres from 0.
    def place(point: Point) -> Point:
        return point[0] * scale - 0.5, point[1] * scale - 0.5

    caps = (line.caps[0] * scale, line.caps[1] * scale)
    return Line(place(line.start), place(line.end), caps, line.sureness)


def _joined(pieces: list[Line]) -> list[Line]:
    """Pieces that follow one another in one row, made one line."""
    lines = sorted(pieces, key=lambda line: -line.length)
    changed = True
    while changed:
        changed = False
        for i, one in enumerate(lines):
            for k in range(i + 1, len(lines)):
                if _follow(one, lines[k]):
                    lines[i] = _one_of(one, lines.pop(k))
                    changed = True
                    break
            if changed:
                break
    return [line for line in lines if line.length >= LEAST_CAPS * line.cap]


def _follow(one: Line, other: Line) -> bool:
    cap = max(one.cap, other.cap)
    longer, shorter = (one, other) if one.length >= other.length else (other, one)
    if min(one.cap, other.cap) < 0.6 * cap or float(longer.direction @ shorter.direction) < 0.85:
        return False
    first, second = _in_order(one, other, longer)
    gap = np.subtract(second.start, first.end)
    ahead = float(gap @ longer.direction)
    if not -2 * cap < ahead < 8 * cap:
        return False
    down = np.array([-longer.direction[1], longer.direction[0]])
    aside = [abs(float(np.subtract(p, longer.middle) @ down)) for p in (shorter.start, shorter.end)]
    return max(aside) < 0.6 * cap + 0.03 * abs(ahead)


def _in_order(one: Line, other: Line, guide: Line) -> tuple[Line, Line]:
    ahead = float((other.middle - one.middle) @ guide.direction)
    return (one, other) if ahead > 0 else (other, one)


def _one_of(one: Line, other: Line) -> Line:
    longer = one if one.length >= other.length else other
    first, second = _in_order(one, other, longer)
    whole = one.length + other.length
    sureness = (one.sureness * one.length + other.sureness * other.length) / whole
    return Line(first.start, second.end, (first.caps[0], second.caps[1]), sureness)


def _grouped(lines: Sequence[Line]) -> Iterator[Block]:
    """Runs of two or three parallel lines; four in a row are three twice."""
    left = [line for line in lines if line.length >= LEAST_LINE_CAPS * line.cap * 0.6]
    while left:
        seed = max(left, key=lambda line: line.length * line.sureness)
        down = np.array([-seed.direction[1], seed.direction[0]])
        row = [line for line in left if line is seed or _beside(seed, line)]
        row.sort(key=lambda line: float((line.middle - seed.middle) @ down))
        chain = [seed]
        at = row.index(seed)
        for line in reversed(row[:at]):
            if _next_to(line, chain[0], down):
                chain.insert(0, line)
        for line in row[at + 1 :]:
            if _next_to(chain[-1], line, down):
                chain.append(line)
        left = [line for line in left if all(line is not member for member in chain)]
        if len(chain) <= 3:
            yield Block(tuple(chain))
        else:
            for run in zip(chain, chain[1:], chain[2:], strict=False):
                yield Block(run)
            for pair in pairwise(chain):
                yield Block(pair)


def _beside(seed: Line, line: Line) -> bool:
    """Parallel, of like size, and side by side for most of the shorter one's length."""
    if min(seed.cap, line.cap) < 0.6 * max(seed.cap, line.cap):
        return False
    if float(seed.direction @ line.direction) < 0.96:
        return False
    spans = [
        sorted(float(np.subtract(p, seed.start) @ seed.direction) for p in (one.start, one.end))
        for one in (seed, line)
    ]
    shared = min(spans[0][1], spans[1][1]) - max(spans[0][0], spans[1][0])
    return shared > 0.6 * min(seed.length, line.length)


def _next_to(above: Line, below: Line, down: NDArray[np.float64]) -> bool:
    apart = float((below.middle - above.middle) @ down)
    cap = (above.cap + below.cap) / 2
    return LINE_GAP_CAPS[0] * cap < apart < LINE_GAP_CAPS[1] * cap


def _same(one: Block, other: Block) -> bool:
    return any(
        np.hypot(*(a.middle - b.middle)) < 0.7 * a.cap and len(one.lines) <= len(other.lines)
        for a in one.lines
        for b in other.lines
    )
