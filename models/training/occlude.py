"""Hands and fingers that hold a document, and things that lie across it.

A hand is drawn at a quarter of the frame's resolution, its fingers rounded by the distance to their
edge, and laid in with soft grain: its outline and tone matter, its skin does not.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training import textures
from models.training.textures import Grey, Rng, piece

_COARSE = 4


def fingers(
    rng: Rng, frame: Grey, at: NDArray[np.float64], inward: NDArray[np.float64], width: float
) -> None:
    """Fingers that reach over an edge at `at` (px) in the direction `inward`, each about `width`
    px wide: a thumb, or up to four fingers side by side, with the hand behind them."""
    height, wide = frame.shape
    small = np.zeros((height // _COARSE + 1, wide // _COARSE + 1), np.uint8)
    across = np.array([-inward[1], inward[0]])
    count = int(rng.choice([1, 1, 2, 3, 4]))
    thick = max(3, round(width / _COARSE))
    for i in range(count):
        root = at + across * width * 1.08 * (i - (count - 1) / 2) - inward * width * 5
        reach = width * float(rng.uniform(5.2, 7.2))
        tip = root + (inward + across * rng.normal(0, 0.12)) * reach
        cv2.line(small, *_pixels(root, tip), 255, thick, cv2.LINE_AA)
    if count > 1 or rng.random() < 0.5:
        palm = at - inward * width * 4.2
        cv2.circle(small, _pixels(palm)[0], round(width * count * 0.6 / _COARSE) + thick, 255, -1)
    _blend(rng, frame, small, float(rng.uniform(55, 225)), width / _COARSE)


def _pixels(*points: NDArray[np.float64]) -> list[tuple[int, int]]:
    return [(round(float(x) / _COARSE), round(float(y) / _COARSE)) for x, y in points]


def _blend(rng: Rng, frame: Grey, small: Grey, tone: float, width: float) -> None:
    rows, columns = np.flatnonzero(small.any(axis=1)), np.flatnonzero(small.any(axis=0))
    if not len(rows):
        return
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    cut = small[top:bottom, left:right]
    inside = cv2.threshold(cut, 127, 255, cv2.THRESH_BINARY)[1]
    round_ = np.minimum(cv2.distanceTransform(inside, cv2.DIST_L2, 3) / max(1.0, width / 2), 1)
    skin = tone * (0.5 + 0.5 * np.sqrt(round_)) * float(rng.uniform(0.9, 1.1))
    part = frame[top * _COARSE : bottom * _COARSE, left * _COARSE : right * _COARSE]
    if not part.size:  # beyond the frame's edge
        return
    size = part.shape[::-1]
    mask = cv2.resize(cv2.GaussianBlur(cut, (0, 0), 1.0), size, interpolation=cv2.INTER_LINEAR)
    mask = cv2.threshold(mask, 127, 255, cv2.THRESH_BINARY)[1]
    full = cv2.resize(np.clip(skin, 0, 255).astype(np.uint8), size, interpolation=cv2.INTER_LINEAR)
    textures.add(full, piece(rng, textures.clouds()[4], *full.shape), float(rng.uniform(0, 0.25)))
    cv2.copyTo(full, mask, part)
