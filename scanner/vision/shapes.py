"""The one strip that training draws and the device cuts out: both ends import this.

A strip holds one MRZ line, rectified so that a character is `PITCH` px wide and a capital `CAP` px
tall, in the middle of `HEIGHT` px. The recogniser answers for columns `STEP` px apart, the first of
them centred on x = `STEP` / 2 - 0.5. OCR-B's capitals are about as tall as the pitch is wide (Doc
9303-3 §4.4: 2.4 to 2.6 mm, ten an inch).
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT = 32
PITCH = 16
CAP = 16.0
STEP = 4

BLANK = 37
"""The recogniser's class for what lies between characters; 0 to 36 are `layouts.CHARACTERS`."""
CLASSES = 38
SMOOTHING = 0.04
"""The share of every label that training spreads over all classes: it keeps the probabilities
honest. Without it a prototype was sure at 0.7 of what it had wrong."""
FOLD = 4
"""So many by so many pixels of a picture are the channels of one, where a network takes it in."""
EDGE = 3 * PITCH
"""Empty px that a whole line's strip has before its first and after its last cell."""

_TONES = np.arange(256, dtype=np.float32)


def normalised(pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Pictures (number, height, width), each freed of its mean and of its contrast, but for what is
    nearly flat, which stays so: (number, height, width, 1)."""
    taken = np.empty((*pictures.shape, 1), np.float32)
    for i, picture in enumerate(pictures):
        factor, shift = _stretch(picture)
        np.multiply(picture, factor, out=taken[i, ..., 0])
        taken[i] -= shift
    return taken


def quantised(pictures: NDArray[np.uint8], step: float, zero: int) -> NDArray[np.int8]:
    """Pictures (number, height, width) as a network of int8 takes them in: `normalised`, in steps
    of `step` from `zero`, and `folded`. A picture has 256 tones at most, so only these are reckoned
    with."""
    taken = np.empty((*pictures.shape, 1), np.int8)
    for i, picture in enumerate(pictures):
        factor, shift = _stretch(picture)
        cv2.LUT(picture, in_steps(_TONES * factor - shift, step, zero), dst=taken[i, ..., 0])
    return folded(taken)


def in_steps(values: NDArray[np.float32], step: float, zero: int) -> NDArray[np.int8]:
    """Values in whole steps of `step` from `zero`; what lies beyond int8 is cut."""
    steps = np.rint(values / np.float32(step)) + zero
    return np.asarray(np.clip(steps, -128, 127), np.int8)


def _stretch(picture: NDArray[np.uint8]) -> tuple[np.float32, np.float32]:
    """What a picture's px are multiplied with, and what is then taken off."""
    (mean,), (spread,) = cv2.meanStdDev(picture)
    return np.float32(1 / (spread[0] + 8.0)), np.float32(mean[0] / (spread[0] + 8.0))


def folded(pictures: NDArray[Any]) -> NDArray[Any]:
    """Pictures (number, height, width, 1) as (number, height / FOLD, width / FOLD, FOLD ** 2):
    row by row, what lay side by side is the channels of one pixel. Raises ValueError where the
    sides are no multiples of FOLD."""
    number, height, width, _ = pictures.shape
    side_by_side = np.dtype((np.void, FOLD * pictures.itemsize))
    cells = pictures.reshape(number, height // FOLD, FOLD, width // FOLD, FOLD).view(side_by_side)
    put = np.ascontiguousarray(cells[..., 0].swapaxes(2, 3)).view(pictures.dtype)
    return put.reshape(number, height // FOLD, width // FOLD, FOLD**2)
