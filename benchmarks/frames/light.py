"""How the desk is lit: lamps that fall off, shadows, and the lamp's own reflection.

Everything is reckoned on the desk's plane (millimetres) and brought into the frame by the same
camera as the page. A reflection (glare) adds light to what is there, as gloss does; over the MRZ it
stays so weak that a person still reads the print through it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.frames.camera import Matrix, Points, project
from benchmarks.frames.sensor import Light

MOST_OVER_PRINT = 1.0
"""The most light, as a share of what white paper gives back, that a reflection adds where the MRZ
stands: print under it is then as bright as paper beside it, and the paper twice so."""

SMALL = 8
"""Light changes slowly: it is reckoned at an eighth of the frame's size."""


@dataclass(frozen=True)
class Lighting:
    """Shares of full light: `level` on white paper at the document, `fall` off across the desk,
    `shadow` the part that a soft shadow takes, `glare` what a reflection adds at its middle."""

    level: float
    fall: float
    shadow: float
    glare: float
    warmth: float


def lit(
    scene: Light, matrix: Matrix, mrz: Points, lighting: Lighting, random: np.random.Generator
) -> Light:
    """The light that the camera gets from a scene of paints (1 is white)."""
    height, width = scene.shape[:2]
    small = _desk_points(matrix, width // SMALL, height // SMALL)
    span = float(np.ptp(mrz[:, 0]))
    fall = _fall(small, span, lighting, random) * _shade(small, span, lighting, random)
    gain = lighting.level * cv2.resize(fall, (width, height), interpolation=cv2.INTER_LINEAR)
    tint = np.array([1 - lighting.warmth, 1, 1 + lighting.warmth], np.float32)
    light = scene * gain[..., None].astype(np.float32) * tint * _vignette(width, height)
    if lighting.glare:
        spot = _spot(small, matrix, mrz, lighting, random)
        added = cv2.resize(spot, (width, height), interpolation=cv2.INTER_LINEAR)
        light = light + added[..., None].astype(np.float32)
    return np.asarray(light, np.float32)


def _desk_points(matrix: Matrix, columns: int, rows: int) -> Points:
    """Where on the desk each small pixel looks, rows × columns × 2; far away near the horizon."""
    y, x = np.mgrid[0:rows, 0:columns]
    frame = np.stack([(x + 0.5) * SMALL, (y + 0.5) * SMALL, np.ones(x.shape)], axis=-1)
    flat = frame @ np.linalg.inv(matrix).T
    depth = np.where(np.abs(flat[..., 2:]) < 1e-9, 1e-9, flat[..., 2:])
    return np.asarray(np.clip(flat[..., :2] / depth, -3000, 3000), np.float64)


def _fall(points: Points, span: float, lighting: Lighting, random: np.random.Generator) -> Light:
    """A lamp to one side, 1 at the document's middle: a smooth slope and a soft pool."""
    angle = random.uniform(0, 2 * np.pi)
    along = points @ np.array([np.cos(angle), np.sin(angle)]) / span
    pool = np.exp(-((points - random.uniform(-span, span, 2)) ** 2).sum(axis=-1) / (2 * span) ** 2)
    slope = 1 + lighting.fall * np.tanh(along) + 0.5 * lighting.fall * (pool - 0.5)
    return np.asarray(np.clip(slope, 0.15, 2.0), np.float32)


def _shade(points: Points, span: float, lighting: Lighting, random: np.random.Generator) -> Light:
    """A soft-edged shadow, of a hand or the camera, over part of the desk."""
    angle = random.uniform(0, 2 * np.pi)
    edge = points @ np.array([np.cos(angle), np.sin(angle)]) / span - random.uniform(-0.5, 0.6)
    soft = random.uniform(0.03, 0.25)
    return np.asarray(1 - lighting.shadow / (1 + np.exp(-edge / soft)), np.float32)


def _spot(
    points: Points,
    matrix: Matrix,
    mrz: Points,
    lighting: Lighting,
    random: np.random.Generator,
) -> Light:
    """One reflection somewhere about the document, with a halo."""
    span = float(np.ptp(mrz[:, 0]))
    middle = mrz.mean(axis=0) + random.uniform([-0.6, -0.9], [0.6, 0.35]) * span
    angle = random.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wide = random.uniform([0.06, 0.04], [0.22, 0.14]) * span
    away = (((points - middle) @ turn) / wide) ** 2
    far = away.sum(axis=-1)
    spot = lighting.glare * (0.75 * np.exp(-far / 2) + 0.25 * np.exp(-far / 16))
    return np.asarray(np.minimum(spot, _allowed(points, matrix, mrz, lighting.level)), np.float32)


def _allowed(points: Points, matrix: Matrix, mrz: Points, level: float) -> Light:
    """How much a reflection may add: little on the MRZ, more with the distance from it."""
    rows, columns = points.shape[:2]
    mask = np.full((rows, columns), 255, np.uint8)
    quad = np.round(project(matrix, mrz) / SMALL).astype(np.int32)
    cv2.fillConvexPoly(mask, quad, 0)
    away = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / columns
    return np.asarray(MOST_OVER_PRINT * level + 25 * away, np.float32)


def _vignette(width: int, height: int) -> Light:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    off = ((x / width - 0.5) ** 2 + (y / height - 0.5) ** 2) / 0.5
    return np.asarray(1 - 0.25 * off[..., None], np.float32)
