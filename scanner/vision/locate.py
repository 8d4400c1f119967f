"""Finds the MRZ lines of a frame: the frame is reduced, the locator draws its maps, `blocks` reads
them. Most frames need one look at a long side of 448 px. Print that fills a frame to its edges is
found in a smaller view; print that lies aslant more surely when the frame is turned by an eighth;
small print in a larger view."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.vision.blocks import Block, blocks
from scanner.vision.interpreter import Network
from scanner.vision.lines import Maps


@dataclass(frozen=True)
class View:
    """How a frame is shown to the locator: its long side in px, turned by so many degrees."""

    side: int
    degrees: int = 0

    def size(self, width: int, height: int) -> tuple[int, int]:
        """To which width and height a frame is reduced."""
        scale = self.side / max(width, height)
        whole = (width + height) ** 2 / 2 if self.degrees else width * height
        scale = min(scale, (MOST_PIXELS / whole) ** 0.5)
        return max(1, round(width * scale)), max(1, round(height * scale))


VIEWS = (View(448), View(320), View(576, 45), View(1024))
"""In the order in which they are tried."""
MULTIPLE = 32
"""What the sides of the locator's input are multiples of: it halves them five times."""
SHAPES = (1 / 4, 3 / 8, 9 / 16, 3 / 4, 1)
"""Which shares of its long side the short side of the locator's input may have: a shape that is new
costs as much as a look, so there are few."""
NEARLY = 1.15
"""A picture so many times as wide as it should be loses nothing when points are taken of it."""
MOST_PIXELS = 600_000
"""Of one view. The locator takes a tenth of a kilobyte for each."""


class Locator:
    """The locator's network and what leads to it and from it."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def locate(self, frame: NDArray[np.uint8], view: View = VIEWS[0]) -> list[Block]:
        """The blocks of lines in a grey frame, the surest first."""
        height, width = frame.shape
        size = view.size(width, height)
        small = _resized(frame, size)
        back = np.array([[width / size[0], 0.0, 0.0], [0.0, height / size[1], 0.0]])
        if view.degrees:
            small, turn = _turned(small, view.degrees)
            back = back @ np.vstack([cv2.invertAffineTransform(turn), [0, 0, 1]])
        return blocks(self.maps(small), back)

    def maps(self, small: NDArray[np.uint8]) -> Maps:
        """The maps of a reduced frame."""
        height, width = small.shape
        down, across = (
            whole - side for whole, side in zip(_room(small.shape), small.shape, strict=True)
        )
        tone = int(np.median(small[::4, ::4]))
        padded = cv2.copyMakeBorder(small, 0, down, 0, across, cv2.BORDER_CONSTANT, value=tone)
        (out,) = self._network.look_at(np.asarray(padded, np.uint8)[None])
        return Maps.of(out[0], height, width)


def _room(shape: tuple[int, ...]) -> tuple[int, int]:
    """The height and width of the input that a reduced frame is laid on."""
    long = -(-max(shape) // MULTIPLE) * MULTIPLE
    sides = (-(-round(long * share) // MULTIPLE) * MULTIPLE for share in SHAPES)
    short = next(side for side in sides if side >= min(shape))
    return (short, long) if shape[0] < shape[1] else (long, short)


def _resized(frame: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """The frame at another size. Whole halves first: they cost a tenth of one odd reduction. What
    is then nearly of that size needs no areas, which take five times as long."""
    while min(frame.shape) > 1 and frame.shape[1] >= 2 * size[0] and frame.shape[0] >= 2 * size[1]:
        half = (frame.shape[1] // 2, frame.shape[0] // 2)
        frame = np.asarray(cv2.resize(frame, half, interpolation=cv2.INTER_AREA), np.uint8)
    by_areas = frame.shape[1] > NEARLY * size[0]
    interpolation = cv2.INTER_AREA if by_areas else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=interpolation), np.uint8)


def _turned(
    small: NDArray[np.uint8], degrees: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """The picture turned about its middle, all of it kept, and the matrix that turns points."""
    height, width = small.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = (int(height * sin + width * cos) + 1, int(height * cos + width * sin) + 1)
    turn[:, 2] += np.array(size) / 2 - (width / 2, height / 2)
    tone = int(np.median(small[::4, ::4]))
    turned = cv2.warpAffine(small, turn, size, borderMode=cv2.BORDER_CONSTANT, borderValue=tone)
    return np.asarray(turned, np.uint8), np.asarray(turn, np.float64)
