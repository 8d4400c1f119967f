"""Pages cut to the size of a training picture, with the maps that the locator is to draw.

A picture shows its page as small or as large as the device's reduced frames do: the reduction is
drawn so that characters come 2 to 13 px wide, and a piece is cut out that holds some of the MRZ.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.pages import Scene
from scanner.vision.lines import (
    AXIS_COSINE,
    AXIS_SINE,
    CAP_UNIT,
    CORE,
    COSINE,
    MAP_STEP,
    SINE,
    SIZE,
    TOWARDS_X,
    TOWARDS_Y,
    WITHIN,
)

SIDE = 384
"""Height and width of a training picture."""
CORE_HALF = 0.5
"""Half of the core's thickness in capitals: neighbouring lines stay apart."""
NARROWEST, WIDEST = 2.1, 12.0
"""A character's width in px of a training picture."""


@dataclass(frozen=True)
class Target:
    """`picture` (SIDE, SIDE) uint8 and `maps` float32 (9, SIDE / 2, SIDE / 2)."""

    picture: NDArray[np.uint8]
    maps: NDArray[np.float32]


def target(rng: np.random.Generator, scene: Scene) -> Target:
    """A random view of a scene."""
    matrix = _view(rng, scene)
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    frame = scene.frame
    # Reduced as the device reduces: by areas, but for the last tenth. What is left is a shift.
    size = (max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale)))
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(frame, size, interpolation=flags)
    exact = np.array([size[0] / frame.shape[1], size[1] / frame.shape[0]])
    shift = matrix[:, 2]
    picture = np.full((SIDE, SIDE), int(np.median(small)), np.uint8)
    left, top = round(shift[0]), round(shift[1])
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(SIDE, left + size[0]), min(SIDE, top + size[1])
    if x1 > x0 and y1 > y0:
        picture[y0:y1, x0:x1] = small[y0 - top : y1 - top, x0 - left : x1 - left]
    maps = np.zeros((9, SIDE // MAP_STEP, SIDE // MAP_STEP), np.float32)
    for line in scene.lines:
        centres = (line.centres + 0.5) * exact + (left, top)
        _draw(maps, centres, np.asarray(line.caps) * scale)
    return Target(picture, maps)


def _view(rng: np.random.Generator, scene: Scene) -> NDArray[np.float64]:
    """The reduction and the shift, (2, 3). The device's frames have a long side of 512 px and,
    where print is small, of 1024: the picture is a piece of such a frame."""
    height, width = scene.frame.shape
    whole = SIDE / max(height, width)
    scale = whole * float(np.exp(rng.uniform(np.log(0.95), np.log(2.7))))
    centre = np.array([width, height]) / 2
    if scene.lines:
        line = scene.lines[int(rng.integers(len(scene.lines)))]
        pitch = float(np.hypot(*(line.centres[-1] - line.centres[0]))) / (len(line.centres) - 1)
        scale = float(np.clip(scale, NARROWEST / pitch, max(WIDEST / pitch, 0.95 * whole)))
        if rng.random() < 0.85:
            centre = line.centres[int(rng.integers(len(line.centres)))].astype(np.float64)
    scale = min(scale, 2.5)
    shift = SIDE / 2 - centre * scale + rng.uniform(-0.3, 0.3, 2) * SIDE
    for axis, length in enumerate((width, height)):
        if length * scale <= SIDE:  # all of it fits: as the device puts it, or anywhere
            shift[axis] = 0.0 if rng.random() < 0.5 else rng.uniform(0, SIDE - length * scale)
        else:  # nothing beyond the frame's edges
            shift[axis] = np.clip(shift[axis], SIDE - length * scale, 0)
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _draw(
    maps: NDArray[np.float32], centres: NDArray[np.float64], caps: NDArray[np.float64]
) -> None:
    """One line into the maps, quadrilateral by quadrilateral along it."""
    side = maps.shape[1]
    step = np.gradient(centres, axis=0)
    length = np.hypot(*step.T)
    along = step / np.maximum(length, 1e-6)[:, None]
    down = np.stack([-along[:, 1], along[:, 0]], axis=1)
    cap = np.linspace(caps[0], caps[1], len(centres))
    edges = np.concatenate([centres - step / 2, (centres + step / 2)[-1:]])
    edge_down = np.concatenate([down, down[-1:]])
    edge_cap = np.concatenate([cap, cap[-1:]])
    _fill(maps[WITHIN], edges, edge_down, 1.3 * edge_cap, 1.0)
    core = np.zeros((side, side), np.float32)
    _fill(core, edges, edge_down, CORE_HALF * edge_cap, 1.0)
    y, x = np.nonzero(core > 0.5)
    maps[CORE] = np.maximum(maps[CORE], core)
    if not len(x):
        return
    points = (np.stack([x, y], axis=1) + 0.5) * MAP_STEP
    # The nearest character: a coarse look along the chord, then among its neighbours.
    nearest = np.argmin(
        (points[:, :1] - centres[None, :, 0]) ** 2 + (points[:, 1:] - centres[None, :, 1]) ** 2, 1
    )
    ahead, tall = along[nearest], np.maximum(cap[nearest], 0.5)
    maps[COSINE][y, x], maps[SINE][y, x] = ahead.T
    maps[AXIS_COSINE][y, x] = ahead[:, 0] ** 2 - ahead[:, 1] ** 2
    maps[AXIS_SINE][y, x] = 2 * ahead[:, 0] * ahead[:, 1]
    maps[SIZE][y, x] = np.log(tall / CAP_UNIT)
    away = np.sum((centres[nearest] - points) * down[nearest], axis=1) / tall
    maps[TOWARDS_X][y, x], maps[TOWARDS_Y][y, x] = (away[:, None] * down[nearest]).T


def _fill(
    plane: NDArray[np.float32],
    edges: NDArray[np.float64],
    down: NDArray[np.float64],
    half: NDArray[np.float64],
    value: float,
) -> None:
    upper, lower = edges - down * half[:, None], edges + down * half[:, None]
    ring = np.concatenate([upper, lower[::-1]]) / MAP_STEP - 0.5
    cv2.fillPoly(plane, [np.round(ring * 16).astype(np.int32)], value, cv2.LINE_8, 4)
