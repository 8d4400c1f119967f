"""From lines of print to the MRZ that they make: pure geometry, no network and no picture.

pieces of line (`lines`) -> pieces in one row joined -> parallel lines of like size and length
-> blocks of two or three, as long as one another
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scanner.vision.lines import LEAST_CAPS, Affine, Line, Maps, pieces

THRESHOLDS = (0.5, 0.8, 0.25)
"""Of the core, tried in turn."""
SURE = 0.88
LEAST_LINE_CAPS = 20.0
MOST_SLANT_CAPS = 2.2
"""Slanted, the ends of neighbouring lines are at most so far apart along them."""
LINE_GAP_CAPS = (1.45, 4.2)
"""How far apart the middles of neighbouring lines are."""


@dataclass(frozen=True)
class Block:
    """Two or three lines of one MRZ, the first line first."""

    lines: tuple[Line, ...]

    def turned(self) -> "Block":
        """The same print taken the other way up."""
        return Block(tuple(line.turned() for line in reversed(self.lines)))

    def led_on(self, caps: float) -> "Block":
        """The block, longer by so many capitals at either end."""
        return Block(tuple(_led_on(line, caps * line.cap, caps * line.cap) for line in self.lines))

    @property
    def is_sure(self) -> bool:
        """Whether the locator has little doubt that there are MRZ lines."""
        return sum(line.sureness for line in self.lines) > SURE * len(self.lines)

    @property
    def sureness(self) -> float:
        return sum(line.sureness * line.length for line in self.lines)


def blocks(maps: Maps, back: Affine) -> list[Block]:
    """Every block that the maps show, the surest first, in the frame: `back` (2, 3) leads there
    from the locator's input, where both count their pixels' edges from 0."""
    found: list[Block] = []
    for threshold in THRESHOLDS:
        lines = _joined(list(pieces(maps, threshold)))
        for block in _grouped(lines):
            if not any(_same(block, known) for known in found):
                found.append(block)
        if found:
            break
    found.sort(key=lambda block: -block.sureness)
    return [Block(tuple(line.led_back(back) for line in block.lines)) for block in found]


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
