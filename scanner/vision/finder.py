"""Where in a live picture the MRZ is, for whoever aims a camera: only the first look of the
locator, with a network of its own, so that a reader at work is not held up."""

import numpy as np
from numpy.typing import NDArray

from scanner.vision.blocks import Block
from scanner.vision.interpreter import MODELS, open_network
from scanner.vision.lines import Line, Point
from scanner.vision.locate import Locator
from scanner.vision.readers import LITERT

Corners = tuple[Point, ...]


class Finder:
    """Finds MRZs in grey frames; for one thread. Raises ReaderUnavailable where there is no
    interpreter."""

    def __init__(self, interpreter: str = LITERT) -> None:
        self._locator = Locator(open_network(MODELS / "locator.tflite", interpreter=interpreter))

    def find(self, grey: NDArray[np.uint8]) -> Corners | None:
        """The corners of the likeliest MRZ, clockwise from its first line's start."""
        found = self._locator.locate(grey)
        return _corners(found[0]) if found else None


def _corners(block: Block) -> Corners:
    first, last = block.lines[0], block.lines[-1]
    above, below = _up(first), _up(last)
    return (
        _moved(first.start, above, first.caps[0]),
        _moved(first.end, above, first.caps[1]),
        _moved(last.end, below, -last.caps[1]),
        _moved(last.start, below, -last.caps[0]),
    )


def _up(line: Line) -> NDArray[np.float64]:
    """One px towards the capitals' tops, square to the line."""
    along = np.subtract(line.end, line.start)
    return np.array([along[1], -along[0]]) / max(1e-6, float(np.linalg.norm(along)))


def _moved(point: Point, up: NDArray[np.float64], cap: float) -> Point:
    x, y = np.asarray(point) + up * cap / 2
    return float(x), float(y)
