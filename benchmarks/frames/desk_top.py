"""A cluttered desk seen from straight above: what lies around the document, and under it.

Drawn on a canvas in millimetres about the document's middle, then seen through the same camera as
the document. Nothing here carries an MRZ.
"""

import cv2
import numpy as np
from cv2.typing import MatLike

from benchmarks.frames import papers, things
from benchmarks.frames.lettering import Picture, Random
from benchmarks.frames.textures import cloth, grain, stone, wood

HALF_MM = 240
PX_PER_MM = 4
SIDE = 2 * HALF_MM * PX_PER_MM

SURFACES = (wood, cloth, stone, grain)
SHEETS = (papers.text_page, papers.receipt, papers.form, papers.table, papers.envelope)
OBJECTS = (things.keyboard, things.pen, things.coin, things.cup, things.cable, things.telephone,
           things.ruler, things.note, things.cover, things.card)  # fmt: skip


def desk_top(random: Random, items: tuple[int, int]) -> Picture:
    """The canvas: a surface, a few sheets of paper, a few things."""
    surface = SURFACES[int(random.integers(len(SURFACES)))](random, SIDE // 2, SIDE // 2)
    canvas = np.asarray(cv2.resize(surface, (SIDE, SIDE)), np.uint8)
    count = int(random.integers(items[0], items[1] + 1))
    for _ in range(count):
        if random.random() < 0.45:
            make = SHEETS[int(random.integers(len(SHEETS)))]
            sheet = make(random)
            mask = np.full(sheet.shape[:2], 255, np.uint8)
            size_mm = float(random.choice([105, 148, 210]))
        else:
            sheet, mask, size_mm = OBJECTS[int(random.integers(len(OBJECTS)))](random)
        _lay(canvas, sheet, mask, size_mm, random)
    return canvas


def _lay(canvas: Picture, thing: Picture, mask: Picture, width_mm: float, random: Random) -> None:
    """Puts a thing of that width somewhere, turned anyhow, with a soft shadow; more often around
    the document than under it."""
    scale = width_mm * PX_PER_MM / thing.shape[1]
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    thing = np.asarray(cv2.resize(thing, None, None, scale, scale, how), np.uint8)
    mask = np.asarray(cv2.resize(mask, (thing.shape[1], thing.shape[0])), np.uint8)
    angle, away = random.uniform(0, 360), random.uniform(50, 190) * PX_PER_MM
    turn, drop = random.uniform(0, 2 * np.pi), random.uniform(1, 5) * PX_PER_MM
    middle = SIDE / 2 + away * np.array([np.cos(turn), np.sin(turn)])
    reach = float(np.hypot(*thing.shape[:2])) / 2 + 3 * drop
    left, top = (max(0, int(v - reach)) for v in middle)
    right, bottom = (min(SIDE, int(v + reach)) for v in middle)
    size = (right - left, bottom - top)
    across, down = thing.shape[1] / 2, thing.shape[0] / 2
    move = cv2.getRotationMatrix2D((across, down), angle, 1.0)
    move = _moved(move, middle[0] - left - across, middle[1] - top - down)
    below = _moved(move, 0.6 * drop, 0.6 * drop)
    thrown = cv2.GaussianBlur(cv2.warpAffine(mask, below, size), (0, 0), drop * 0.6)
    dark = 1 - (0.45 / 255) * np.asarray(thrown, np.float32)[..., None]
    over = np.asarray(cv2.warpAffine(mask, move, size), np.float32)[..., None] / 255
    laid = np.asarray(cv2.warpAffine(thing, move, size), np.float32)
    part = canvas[top:bottom, left:right]
    part[:] = (part * dark * (1 - over) + laid * over).astype(np.uint8)


def _moved(move: MatLike, x: float, y: float) -> MatLike:
    return np.asarray(move + np.array([[0, 0, x], [0, 0, y]]))
