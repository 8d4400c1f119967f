"""Cuts MRZ lines out of a frame as straight strips, each character upright and as wide as the next.

Where the strips' px come from is a *ruling*: for each line and place along it a point of the frame
on the line's middle and a vector down across it. The first ruling of a block is the homographies of
its located quadrilaterals; the next follows where the recogniser saw the characters (`refined`), so
a curled page, a slanted print or an error of the locator straightens itself.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.vision.blocks import Block
from scanner.vision.lines import Line, median
from scanner.vision.shapes import CAP, EDGE, HEIGHT, PITCH

Grey = NDArray[np.uint8]
Floats = NDArray[np.float64]
Points = NDArray[np.complex128]
"""Points of the frame, or steps in it, as x + iy: what turns them all is one product."""

_SHARPEST_SHEAR = 0.35
_MOST_LEAN = 1000.0
"""Far more than any print has; where more was found, one look after the other multiplied it."""
_MIDDLE = (HEIGHT - 1) / 2
_ROWS = (np.arange(HEIGHT, dtype=np.float32) - _MIDDLE)[:, None]


@dataclass(frozen=True)
class Ruling:
    """The place of a block's strips in the frame: for every line and every px along it the middle
    and the step down, (lines, width), both in px of the frame."""

    middle: Points
    down: Points

    @property
    def width(self) -> int:
        return len(self.middle[0])

    def at(self, x: Floats) -> tuple[Points, Points]:
        """The middle and the step down at points along the strips, (lines, points) or (points,):
        each (lines, points). Beyond a strip's ends the line leads straight on, as far again."""
        x = np.minimum(np.maximum(x, -self.width), 2 * self.width)
        left = np.minimum(np.maximum(x, 0), self.width - 2).astype(int)
        begins = self.width * np.arange(len(self.middle))[:, None]
        both = np.array([self.middle, self.down]).reshape(2, -1)
        first, second = both.take(begins + left, axis=1), both.take(begins + left + 1, axis=1)
        far = x - left
        middle = first[0] + (second[0] - first[0]) * far
        down = first[1] + (second[1] - first[1]) * np.minimum(np.maximum(far, 0), 1)
        return middle, down

    def place(self, x: Floats, y: Floats) -> Points:
        """Where points of the strips lie in the frame: (…, lines, points)."""
        middle, down = self.at(x)
        return np.asarray(middle + (y - _MIDDLE) * down)


class Pyramid:
    """A grey frame and its halves, quarters …, so that print much larger than a strip's is not
    undersampled."""

    def __init__(self, frame: Grey) -> None:
        self._levels = [frame]

    def level(self, i: int) -> Grey:
        while len(self._levels) <= i:
            self._levels.append(np.asarray(cv2.pyrDown(self._levels[-1]), np.uint8))
        return self._levels[i]

    def strips(self, ruling: Ruling) -> Grey:
        """The strips, (lines, HEIGHT, width)."""
        lines = zip(ruling.middle, ruling.down, strict=True)
        return np.array([self._strip(middle, down) for middle, down in lines])

    def _strip(self, middle: Points, down: Points) -> Grey:
        coarse = abs(down[len(down) // 2])
        i = 0
        while coarse > 2.2 and i < 5:
            coarse, i = coarse / 2, i + 1
        # pyrDown puts px (x, y) at (x / 2, y / 2).
        start, step = (a.astype(np.complex64) * np.float32(0.5**i) for a in (middle, down))
        x, y = _ROWS * step.real, _ROWS * step.imag
        x += start.real
        y += start.imag
        cut = cv2.remap(self.level(i), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cut, np.uint8)


def first_ruling(block: Block, characters: int) -> Ruling:
    """The ruling of a block's lines as located, for so many characters a line."""
    shear = _shear(block)
    matrices = np.array([_homography(line, characters, shear) for line in block.lines])
    along = np.arange(2 * EDGE + characters * PITCH, dtype=np.float64)
    middle = _mapped(matrices, along, 0.0)
    below = _mapped(matrices, along, CAP / 2)
    return Ruling(middle, (below - middle) / (CAP / 2))


def _homography(line: Line, characters: int, shear: float) -> Floats:
    """What leads from px along the strip and down from its middle to px of the frame."""
    across = line.direction
    lean = np.array([-across[1], across[0]]) + shear * across
    last = EDGE + characters * PITCH
    quad, targets = [], []
    for x, point, cap in ((EDGE, line.start, line.caps[0]), (last, line.end, line.caps[1])):
        for side in (-0.5, 0.5):
            quad.append((x - 0.5, side * CAP))
            targets.append(point + side * cap * lean)
    return np.asarray(
        cv2.getPerspectiveTransform(np.array(quad, np.float32), np.array(targets, np.float32)),
        np.float64,
    )


def _mapped(matrices: Floats, x: Floats, y: float) -> Points:
    """Where homographies put points of one height: (matrices, points)."""
    rows = (matrices[..., :1] * x + (matrices[..., 1:2] * y + matrices[..., 2:])).swapaxes(0, 1)
    # Far outside the line's quadrilateral a homography may turn over: the margins are kept sane.
    depth = np.maximum(rows[2], 0.2 * median(rows[2])[:, None])
    return np.asarray(rows[0] / depth + 1j * (rows[1] / depth))


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
    return min(max(sum(leans) / 2, -_SHARPEST_SHEAR), _SHARPEST_SHEAR)


def refined(
    ruling: Ruling, places: Floats, weights: Floats, rises: Floats, sizes: Floats
) -> Ruling:
    """The ruling that follows the characters.

    `places` (lines, characters) are their centres along each strip, `weights` how sure each is,
    `rises` how far below the strip's middle they stand in px, `sizes` their height against `CAP`.
    """
    x, rise, tall = _fitted(np.array([places, rises, np.log(sizes)]), weights)
    middle, below = ruling.place(x, rise + _MIDDLE + np.array([0.0, 1.0])[:, None, None])
    along = np.gradient(middle, axis=1)
    normal = 1j * along / np.maximum(np.abs(along), 1e-6)
    height = np.abs(_dot(normal, below - middle)) * np.exp(tall).clip(0.5, 2.0)
    return Ruling(middle, _down(middle, normal) * height)


class _Powers(NamedTuple):
    """What polynomials of a strip of so many characters are made of: the powers of each character's
    place and of each px's, the highest first, and the products of each two of the former."""

    characters: Floats
    px: Floats
    products: Floats


_DEGREES = (3, 2, 1)
"""Of the polynomials of places, rises and sizes."""
_USED = np.array([[degree >= power for power in (3, 2, 1, 0)] for degree in _DEGREES], np.float64)
"""Which powers each of them has."""


def _fitted(values: Floats, weights: Floats) -> Floats:
    """Of each line's places, rises and sizes, (3, lines, characters), polynomials through what most
    characters say, at every px of a strip of so many: (3, lines, px)."""
    powers = _powers(values.shape[2])
    weights = weights + 1e-3
    found = _least_squares(powers, values, weights, _USED[2:])  # a straight line
    for _ in range(2):
        away = np.abs(values - found @ powers.characters.T)
        usual = median(away)[..., None]
        trust = weights / (1 + (away / (2 * usual + 1e-3)) ** 2)
        found = _least_squares(powers, values, trust, _USED)
    return np.asarray(found @ powers.px.T)


@lru_cache(maxsize=32)
def _powers(count: int) -> _Powers:
    """The first character of so many counts as -1, the last as 1."""
    px = (np.arange(2 * EDGE + count * PITCH) + 0.5 - EDGE) / PITCH - 0.5  # in characters
    at_characters, at_px = (
        np.vander(np.linspace(-1, 1, count), 4),
        np.vander(px / (count - 1) * 2 - 1, 4),
    )
    products = at_characters[:, :, None] * at_characters[:, None, :]
    return _Powers(at_characters, at_px, products.reshape(count, -1))


def _least_squares(powers: _Powers, values: Floats, weights: Floats, used: Floats) -> Floats:
    """The coefficients of the polynomials of least weighted squares, (kinds, lines, powers): 0 for
    powers that a kind does not use, so that all are solved at once."""
    weighted = powers.characters * (weights**2)[..., None]
    used = used[:, None]
    normal = weighted.swapaxes(-1, -2) @ powers.characters
    normal = normal * (used[..., None] * used[..., None, :]) + np.eye(4) * (1 - used)[..., None]
    told = np.einsum("...kp,...k->...p", weighted, values) * used
    return np.asarray(np.linalg.solve(normal, told[..., None])[..., 0])


def _dot(one: Points, other: Points) -> Floats:
    return np.asarray(one.real * other.real + one.imag * other.imag)


def _down(middle: Points, normal: Points) -> Points:
    """Which way down is along the lines, one px across them: towards the same character of the line
    below or from the one above, unless that leads far aside. Where lines run into one another there
    is no such way: it stays finite."""
    if len(middle) < 2:
        return normal
    step = middle[-1] - middle[0]
    deep = _dot(normal, step)
    lean = (step - normal * deep) / np.maximum(deep, 1e-6)
    far = np.abs(lean)
    lean *= _MOST_LEAN / np.maximum(far, _MOST_LEAN)
    return np.asarray(normal + lean * (median(far) <= 0.8)[:, None])
