"""A desk as a camera sees it: documents, a hand, a lamp that drifts, the sensor's noise."""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.sources.capture import Frame

Light = NDArray[np.float64]


def document(seed: int, height: int = 50, width: int = 76) -> Frame:
    """A page: white with a dark picture and lines of text, of its own for each seed."""
    random = np.random.default_rng(seed)
    page = np.full((height, width), 205, np.uint8)
    page[4:24, 4:22] = cv2.resize(
        random.integers(20, 160, (7, 5), np.uint8), (18, 20), interpolation=cv2.INTER_LINEAR
    )
    for row in range(8, height - 3, 6):
        for column in range(28 if row < 26 else 4, width - 4, 2):
            page[row : row + 3, column : column + 2] = random.integers(30, 230)
    return page


class Desk:
    """Scenes of 90 × 160 grey pixels."""

    def __init__(self, grey: int = 90, noise: float = 3.0, seed: int = 0) -> None:
        self._random = np.random.default_rng(seed)
        wood = cv2.GaussianBlur(self._random.normal(0, 12, (90, 160)), (0, 0), 3)
        self._wood: Light = np.asarray(grey + wood, np.float64)
        self._noise = noise

    def scene(
        self,
        page: Frame | None = None,
        at: tuple[int, int] = (20, 40),
        *,
        under: Frame | None = None,
        hand: tuple[int, int] | None = None,
        lamp: float = 1.0,
        blur: float = 0.0,
    ) -> Frame:
        """One frame; `at` is the page's upper left (row, column), `hand` the tip of a hand."""
        light = self._wood.copy()
        for sheet, place in ((under, (20, 40)), (page, at)):
            if sheet is not None:
                _lay(light, sheet, place)
        if hand is not None:
            row, column = hand
            cv2.ellipse(light, (column, row + 25), (13, 26), 20, 0, 360, (150.0,), -1)
        if blur:
            light = np.asarray(cv2.GaussianBlur(light, (0, 0), blur), np.float64)
        shot = light * lamp + self._random.normal(0, self._noise, light.shape)
        return np.asarray(np.clip(shot, 0, 255), np.uint8)

    def empty(self, frames: int) -> Iterator[Frame]:
        return (self.scene() for _ in range(frames))

    def lying(self, page: Frame, frames: int) -> Iterator[Frame]:
        return (self.scene(page) for _ in range(frames))

    def brought(self, page: Frame, under: Frame | None = None) -> Iterator[Frame]:
        """A hand lays the page down and goes."""
        for step in range(10):
            at = (20, 40 + 12 * (9 - step))
            yield self.scene(page, at, under=under, hand=(at[0] + 20, at[1] + 40))
        for step in range(8):
            yield self.scene(page, hand=(40 + 8 * step, 80 + 8 * step))

    def taken(self, page: Frame) -> Iterator[Frame]:
        for step in range(10):
            at = (20, 40 + 12 * step)
            yield self.scene(page, at, hand=(at[0] + 20, at[1] + 40))


def _lay(light: Light, page: Frame, at: tuple[int, int]) -> None:
    row, column = at
    seen = page[: max(0, 90 - row), : max(0, 160 - column)]
    light[row : row + seen.shape[0], column : column + seen.shape[1]] = seen


def joined(*parts: Iterable[Frame]) -> Iterator[Frame]:
    for part in parts:
        yield from part
