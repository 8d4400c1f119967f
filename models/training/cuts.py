"""Strips cut out of whole rendered pages, as the device cuts them: the recogniser's second course.

`strips` draws lines one by one, endlessly varied; here they come from pages with everything that
lies over and beside them (holograms, stamps, fingers, the curl of a page). The ruling along which a
strip is cut is the true one with an error of the first pass or of a later one added, so what every
column shows is known exactly.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.training.pages import LineTruth, Scene, page
from models.training.strips import EDGE_CUT, Strip, labelled, rectification_error, strip
from models.training.textures import Grey
from scanner.vision.rectify import Pyramid, Ruling
from scanner.vision.shapes import CAP, PITCH, STEP

STRIPS_A_PAGE = 6
MARGIN = 2
"""Characters before and after a line that is cut out level."""
FROM_PAGES = 0.6
"""The share of strips that are cut from pages; the rest are drawn."""


def mixed(rng: np.random.Generator, width: int) -> Iterator[Strip]:
    """A few strips of one page, or one that is drawn."""
    if rng.random() > FROM_PAGES / (FROM_PAGES + (1 - FROM_PAGES) * STRIPS_A_PAGE):
        yield strip(rng, width)
        return
    scene = page(rng)
    if not scene.lines:
        return
    pyramid = Pyramid(scene.frame)
    for _ in range(STRIPS_A_PAGE):
        line = scene.lines[int(rng.integers(len(scene.lines)))]
        yield _cut(rng, pyramid, line, _lean(line, scene), width)


def _cut(
    rng: np.random.Generator, pyramid: Pyramid, line: LineTruth, lean: float, width: int
) -> Strip:
    error = rectification_error(rng)
    count = len(line.text)
    pitch = PITCH * error["along"]
    drift = error["drift"]
    # The strip shows this part of the line, margins included.
    first = float(rng.uniform(-3, max(-2.0, count - width / pitch + 3)))
    x = np.arange(width, dtype=np.float64)
    across = (x - width / 2) / width
    slot = first + (x + 0.5 + drift * width * across**2) / pitch - 0.5
    middle, cap = _along(line, slot)
    ahead, down = _ahead_and_down(middle)
    tall = error["tall"] * (1 + error["keystone"] * across)
    step = cap / (CAP * tall)
    rise = error["rise"] + error["turn"] * (x - width / 2)
    leaning = down + (error["shear"] + lean) * ahead
    leaning /= np.hypot(*leaning.T)[:, None]
    (picture,) = pyramid.strips(
        _ruled(middle - leaning * (rise * step)[:, None], leaning * step[:, None])
    )
    return Strip(picture, *_labels(line.text, slot, rise, tall, width))


def level(frame: Grey, line: LineTruth) -> tuple[Grey, NDArray[np.float64]]:
    """A line as it truly lies, cut out straight, and where along the strip its characters are."""
    count = len(line.text)
    x = np.arange((count + 2 * MARGIN) * PITCH, dtype=np.float64)
    middle, cap = _along(line, (x + 0.5) / PITCH - 0.5 - MARGIN)
    _, down = _ahead_and_down(middle)
    (strip,) = Pyramid(frame).strips(_ruled(middle, down * (cap / CAP)[:, None]))
    return strip, (np.arange(count) + MARGIN + 0.5) * PITCH - 0.5


def _ruled(middle: NDArray[np.float64], down: NDArray[np.float64]) -> Ruling:
    """The ruling of one line, from (x, y) along it."""
    return Ruling((middle @ (1, 1j))[None], (down @ (1, 1j))[None])


def _ahead_and_down(middle: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Steps of one px along a line and down across it, at each of its points."""
    ahead = np.gradient(middle, axis=0)
    ahead /= np.maximum(np.hypot(*ahead.T), 1e-6)[:, None]
    return ahead, np.stack([-ahead[:, 1], ahead[:, 0]], axis=1)


def _along(
    line: LineTruth, slot: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The line's middle and its capitals' height at fractional characters, led on beyond its
    ends."""
    at = np.arange(len(line.text))
    held = np.clip(slot, 0, len(line.text) - 1)
    centres = line.centres.astype(np.float64)
    middle = np.stack([np.interp(held, at, centres[:, i]) for i in range(2)], axis=1)
    beyond = (slot - held)[:, None]
    ends = np.where(beyond < 0, centres[1] - centres[0], centres[-1] - centres[-2])
    share = held / (len(line.text) - 1)
    cap = line.caps[0] * (1 - share) + line.caps[1] * share
    return middle + beyond * ends, np.maximum(cap, 1.0)


def _lean(line: LineTruth, scene: Scene) -> float:
    """How much upright print leans against the line, as the document's other lines show."""
    for other in scene.lines:
        if other is not line and other.document == line.document:
            count = min(len(line.text), len(other.text))
            step = (other.centres[:count] - line.centres[:count]).mean(axis=0)
            along = line.centres[-1] - line.centres[0]
            along = along / np.hypot(*along)
            deep = float(step @ np.array([-along[1], along[0]]))
            if abs(deep) > 1:
                return float(np.clip(float(step @ along) / deep, -1.0, 1.0))
    return 0.0


def _labels(
    text: str,
    slot: NDArray[np.float64],
    rise: NDArray[np.float64],
    tall: NDArray[np.float64],
    width: int,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    columns = np.minimum(np.arange(width // STEP) * STEP + STEP // 2, width - 1)
    here = (slot[columns] + slot[columns - 1]) / 2
    nearest = np.clip(np.round(here), 0, len(text) - 1).astype(int)
    away = nearest - here
    geometry = np.stack([away, rise[columns] / CAP, np.log(tall[columns])], axis=1)
    cut = columns * (width - columns) < EDGE_CUT * width
    labels = labelled(text, nearest, away, cut, rise[columns])
    return labels, geometry.astype(np.float32)
