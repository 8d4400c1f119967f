"""From the locator's maps to the lines of an MRZ: pure geometry, no network and no picture.

The maps say of each pixel whether it lies in the thin core of an MRZ line, along which axis that line
runs, how tall its capitals are and where the line's middle is. So every pixel of a core votes for a
point *on* the line: even where two cores have grown together, their votes fall on two lines. Which
of its two ends an axis is read from is told apart from all that: small print does not always show it.

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
"""(height, width, 9): see `models.training.nets.MAPS`; probabilities and values, not logits."""
Point = tuple[float, float]

CORE, WITHIN, SIZE, TOWARDS_X, TOWARDS_Y, AXIS_COSINE, AXIS_SINE, COSINE, SINE = range(9)
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
MOST_SLANT_CAPS = 2.2
"""Slanted, the ends of neighbouring lines are at most so far apart along them."""
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
    along = _axis(values)
    if along is None:
        return
    caps = CAP_UNIT * np.exp(np.clip(values[:, SIZE], -2.0, 4.0))
    cap = float(np.median(caps))
    points = (np.stack([x, y], axis=1) + 0.5) * MAP_STEP
    points = points + values[:, TOWARDS_X : TOWARDS_Y + 1] * caps[:, None]
    # A second look along the votes themselves: they lie on the line better than its axis is known.
    for _ in range(2):
        down = np.array([-along[1], along[0]])
        u, v = points @ along, points @ down
        largest = max(_rows(v, cap), key=len)
        if np.ptp(u[largest]) < 3 * cap:
            break
        slope = float(np.polyfit(u[largest], v[largest], 1)[0])
        if abs(slope) > 0.3:
            break
        along = along + slope * down
        along /= np.hypot(*along)
    down = np.array([-along[1], along[0]])
    u, v = points @ along, points @ down
    for row in _rows(v, cap):
        line = _line(u[row], v[row], caps[row], weight[row], along, down)
        if line is not None:
            yield _scaled(line, scale)


def _axis(values: Maps) -> NDArray[np.float64] | None:
    """The reading direction of a core's pixels, or None where they do not agree on an axis."""
    weight = values[:, CORE]
    cosine, sine = float(weight @ values[:, AXIS_COSINE]), float(weight @ values[:, AXIS_SINE])
    if np.hypot(cosine, sine) < 0.3 * weight.sum():
        return None
    angle = np.arctan2(sine, cosine) / 2
    axis = np.array([np.cos(angle), np.sin(angle)])
    ahead = float(weight @ values[:, COSINE]) * axis[0] + float(weight @ values[:, SINE]) * axis[1]
    return axis if ahead >= 0 else -axis


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
            yield _squared(chain)
        else:
            for run in zip(chain, chain[1:], chain[2:], strict=False):
                yield _squared(run)
            for pair in pairwise(chain):
                yield _squared(pair)


def _squared(lines: Sequence[Line]) -> Block:
    """The lines of an MRZ are equally long: one whose end glare or a finger hid is led on to where
    the others end."""
    along = np.sum([line.direction * line.length for line in lines], axis=0)
    along /= np.hypot(*along)
    starts = [float(np.asarray(line.start) @ along) for line in lines]
    ends = [float(np.asarray(line.end) @ along) for line in lines]
    squared = []
    for line, start, end in zip(lines, starts, ends, strict=True):
        before, after = start - min(starts), max(ends) - end
        most = MOST_SLANT_CAPS * line.cap
        squared.append(
            _led_on(line, before if before > most else 0.0, after if after > most else 0.0)
        )
    return Block(tuple(squared))


def _led_on(line: Line, before: float, after: float) -> Line:
    """The line, longer by so many px at its ends."""
    if not before and not after:
        return line
    start = np.asarray(line.start) - before * line.direction
    end = np.asarray(line.end) + after * line.direction
    grow = (line.caps[1] - line.caps[0]) / line.length
    caps = (line.caps[0] - grow * before, line.caps[1] + grow * after)
    least = 0.5 * line.cap
    return Line(
        (float(start[0]), float(start[1])),
        (float(end[0]), float(end[1])),
        (max(least, caps[0]), max(least, caps[1])),
        line.sureness,
    )


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
