"""Cuts MRZ lines out of a frame as straight strips, each character upright and as wide as the next.

Where a strip's px come from is a *ruling*: for each place along the line a point of the frame on
the line's middle and a vector down across it. The first ruling of a line is the homography of its
located quadrilateral; the next follows where the recogniser saw the characters (`refined`), so a
curled page, a slanted print or an error of the locator straightens itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.vision.blocks import Block
from scanner.vision.lines import Line, median
from scanner.vision.shapes import CAP, EDGE, HEIGHT, PITCH

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]

_SHARPEST_SHEAR = 0.35
_ROWS = (np.arange(HEIGHT, dtype=np.float32) - (HEIGHT - 1) / 2)[:, None]


@dataclass(frozen=True)
class Ruling:
    """One strip's place in the frame: for every px along it the middle (width, 2) and the step
    down (width, 2), both in px of the frame."""

    middle: Floats
    down: Floats

    @property
    def width(self) -> int:
        return len(self.middle)

    def place(self, x: Floats, y: Floats) -> Floats:
        """Where points of the strip lie in the frame: (…, 2)."""
        along = np.arange(self.width)
        parts = [
            np.interp(x, along, self.middle[:, i])
            + (y - (HEIGHT - 1) / 2) * np.interp(x, along, self.down[:, i])
            for i in range(2)
        ]
        return np.stack(parts, axis=-1)


class Pyramid:
    """A grey frame and its halves, quarters …, so that print much larger than a strip's is not
    undersampled."""

    def __init__(self, frame: Grey) -> None:
        self._levels = [frame]

    def level(self, i: int) -> Grey:
        while len(self._levels) <= i:
            self._levels.append(np.asarray(cv2.pyrDown(self._levels[-1]), np.uint8))
        return self._levels[i]

    def strips(self, rulings: Sequence[Ruling]) -> Grey:
        """The strips, (lines, HEIGHT, width)."""
        return np.stack([self._strip(ruling) for ruling in rulings])

    def _strip(self, ruling: Ruling) -> Grey:
        coarse = float(np.hypot(*ruling.down[ruling.width // 2]))
        i = 0
        while coarse > 2.2 and i < 5:
            coarse, i = coarse / 2, i + 1
        # pyrDown puts px (x, y) at (x / 2, y / 2).
        middle = ruling.middle.T.astype(np.float32) * np.float32(0.5**i)
        down = ruling.down.T.astype(np.float32) * np.float32(0.5**i)
        x, y = middle[:, None] + _ROWS * down[:, None]
        cut = cv2.remap(self.level(i), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)


def first_rulings(block: Block, characters: int) -> list[Ruling]:
    """Rulings of a block's lines as located, for so many characters a line."""
    shear = _shear(block)
    return [_of_line(line, characters, shear) for line in block.lines]


def _of_line(line: Line, characters: int, shear: float) -> Ruling:
    across = line.direction
    perpendicular = np.array([-across[1], across[0]])
    lean = perpendicular + shear * across
    last = EDGE + characters * PITCH
    quad, targets = [], []
    for x, point, cap in ((EDGE, line.start, line.caps[0]), (last, line.end, line.caps[1])):
        for side in (-0.5, 0.5):
            quad.append((x - 0.5, side * CAP))
            targets.append(np.asarray(point) + side * cap * lean)
    matrix = np.asarray(
        cv2.getPerspectiveTransform(np.asarray(quad, np.float32), np.asarray(targets, np.float32)),
        np.float64,
    )
    along = np.arange(last + EDGE, dtype=np.float64)
    middle = _mapped(matrix, along, np.zeros_like(along))
    below = _mapped(matrix, along, np.full_like(along, CAP / 2))
    return Ruling(middle, (below - middle) / (CAP / 2))


def _mapped(matrix: Floats, x: Floats, y: Floats) -> Floats:
    points = matrix @ np.stack([x, y, np.ones_like(x)])
    # Far outside the line's quadrilateral a homography may turn over: the margins are kept sane.
    depth = np.maximum(points[2], 0.2 * median(points[2]))
    return np.asarray((points[:2] / depth).T)


def _shear(block: Block) -> float:
    """How much the print leans in the frame, as the ends of its lines say where they agree."""
    if len(block.lines) < 2:
        return 0.0
    top, bottom = block.lines[0], block.lines[-1]
    across = top.direction + bottom.direction
    across /= np.hypot(*across)
    perpendicular = np.array([-across[1], across[0]])
    leans = []
    for one, other in ((top.start, bottom.start), (top.end, bottom.end)):
        step = np.subtract(other, one)
        leans.append(float(step @ across) / max(float(step @ perpendicular), 1e-6))
    if abs(leans[0] - leans[1]) > 0.5:
        return 0.0
    return float(np.clip(np.mean(leans), -_SHARPEST_SHEAR, _SHARPEST_SHEAR))


def refined(
    rulings: Sequence[Ruling], places: Floats, weights: Floats, rises: Floats, sizes: Floats
) -> list[Ruling]:
    """Rulings that follow the characters.

    `places` (lines, characters) are their centres along each strip, `weights` how sure each is,
    `rises` how far below the strip's middle they stand in px, `sizes` their height against `CAP`.
    """
    xs = _fitted(places, weights, 3)
    ys = _fitted(rises, weights, 2) + (HEIGHT - 1) / 2
    tall = np.exp(_fitted(np.log(sizes), weights, 1)).clip(0.5, 2.0)
    middles, heights = [], []
    for ruling, x, y, times in zip(rulings, xs, ys, tall, strict=True):
        middle = ruling.place(x, y)
        down = ruling.place(x, y + 1) - middle
        middles.append(middle)
        heights.append(_across(middle, down) * times)
    return [
        Ruling(middle, _down(middles, i) * height[:, None])
        for i, (middle, height) in enumerate(zip(middles, heights, strict=True))
    ]


def _fitted(values: Floats, weights: Floats, degree: int) -> Floats:
    """A polynomial for each row, through what most of its characters' values say, at every px of a
    strip of so many: (rows, px)."""
    count = values.shape[1]
    weights = weights + 1e-3
    straight, _ = _powers(count, 1)
    at_characters, at_px = _powers(count, degree)
    fitted = straight @ _least_squares(straight, values, weights)
    for powers in (at_characters, at_px):
        away = np.abs(values - fitted[..., 0])
        usual = median(away)[:, None]
        trust = weights / (1 + (away / (2 * usual + 1e-3)) ** 2)
        fitted = powers @ _least_squares(at_characters, values, trust)
    return np.asarray(fitted[..., 0], np.float64)


@lru_cache(maxsize=32)
def _powers(count: int, degree: int) -> tuple[Floats, Floats]:
    """The powers that a polynomial is made of, at so many characters and at every px of their
    strip; the first character counts as -1, the last as 1."""
    px = (np.arange(2 * EDGE + count * PITCH) + 0.5 - EDGE) / PITCH - 0.5  # in characters
    at = (np.linspace(-1, 1, count), px / (count - 1) * 2 - 1)
    return np.vander(at[0], degree + 1), np.vander(at[1], degree + 1)


def _least_squares(powers: Floats, values: Floats, weights: Floats) -> Floats:
    """For each row the coefficients of the polynomial of least weighted squares: (rows, powers,
    1)."""
    weighted = powers * (weights**2)[:, :, None]
    normal = weighted.transpose(0, 2, 1) @ powers
    told = np.einsum("lkp,lk->lp", weighted, values)
    return np.asarray(np.linalg.solve(normal, told[..., None]), np.float64)


def _normals(middle: Floats) -> Floats:
    along = np.gradient(middle, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    return np.stack([-along[:, 1], along[:, 0]], axis=1)


def _across(middle: Floats, down: Floats) -> Floats:
    """How far a step down leads across the line."""
    return np.asarray(np.abs(np.sum(_normals(middle) * down, axis=1)))


def _down(middles: Sequence[Floats], i: int) -> Floats:
    """Which way down is, along line i, one px across it: towards the same character of the line
    below or from the one above."""
    normal = _normals(middles[i])
    if len(middles) < 2:
        return normal
    step = middles[-1] - middles[0]
    deep = np.sum(normal * step, axis=1)
    side = step - normal * deep[:, None]
    lean = side / np.maximum(deep, 1e-6)[:, None]
    steep = np.hypot(*lean.T)
    if median(steep) > 0.8:
        return normal
    return np.asarray(normal + lean)
