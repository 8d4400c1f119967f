"""The specimens as a camera may show them, and where their MRZ then is.

Every way of showing a page is a homography of the page and of its MRZ's corners together, or a
change of light that moves nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.frames.mrz_place import find_mrz
from firmware.demo.catalogue import SPECIMENS_FOLDER, Specimen
from scanner.vision.reader import Frame

Matrix = NDArray[np.float64]
Corners = NDArray[np.float64]
"""(4, 2): the MRZ's corners, clockwise from the start of its first line."""
FULL_HD = (1920, 1080)


@dataclass(frozen=True)
class Shot:
    """A picture of one document."""

    frame: Frame
    mrz: Corners
    pitch: float
    """Of the MRZ's characters on the page, in px."""


@cache
def upright(specimen: Specimen) -> Shot:
    """The committed picture, and its MRZ by the ink on it; no reader is asked."""
    pixels = cv2.imread(str(SPECIMENS_FOLDER / specimen.file))
    assert pixels is not None
    frame = np.asarray(pixels, np.uint8)
    place = find_mrz(frame, specimen.lines)
    assert place.seen
    left, top, right, bottom = place.left, place.top, place.right, place.bottom
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    return Shot(frame, np.array(corners), place.pitch)


def turned(shot: Shot, degrees: float) -> Shot:
    """Turned about its middle, with so much desk about it that nothing is cut off."""
    height, width = shot.frame.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cos, sin = abs(turn[0, 0]), abs(turn[0, 1])
    size = (round(height * sin + width * cos), round(height * cos + width * sin))
    turn[:, 2] += (np.array(size) - (width, height)) / 2
    return _moved(shot, np.vstack([turn, [0, 0, 1]]), size)


def in_perspective(shot: Shot) -> Shot:
    """Seen from its lower right corner: the far side is a fifth shorter."""
    height, width = shot.frame.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = corners + np.array([(0.12, 0.1), (-0.06, 0.02), (-0.01, -0.01), (0.03, -0.07)]) * (
        width,
        height,
    )
    matrix = cv2.getPerspectiveTransform(corners, seen.astype(np.float32))
    return _moved(shot, np.asarray(matrix, np.float64), (width, height))


def reduced(shot: Shot, width: int) -> Shot:
    """The whole picture, so many px wide."""
    scale = width / shot.frame.shape[1]
    frame = cv2.resize(shot.frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return Shot(np.asarray(frame, np.uint8), shot.mrz * scale, shot.pitch * scale)


def strip(shot: Shot) -> Shot:
    """Cropped to the MRZ with a character's width about it, as some scanners do."""
    (left, top), (right, bottom) = shot.mrz[0] - shot.pitch, shot.mrz[2] + shot.pitch
    left, top, right, bottom = (max(0, round(value)) for value in (left, top, right, bottom))
    frame = np.ascontiguousarray(shot.frame[top:bottom, left:right])
    return replace(shot, frame=frame, mrz=shot.mrz - (left, top))


def on_a_desk(shot: Shot, share: float = 0.2, degrees: float = 8.0) -> Shot:
    """Lying a little askew among papers, on so large a share of the frame."""
    height, width = shot.frame.shape[:2]
    scale = float(np.sqrt(share * FULL_HD[0] * FULL_HD[1] / (width * height)))
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    turn[:, 2] += (np.array(FULL_HD) * (0.56, 0.46)) - (width / 2, height / 2)
    smaller = cv2.GaussianBlur(shot.frame, (0, 0), 0.45 / scale)
    flat = replace(shot, frame=np.asarray(smaller, np.uint8), pitch=shot.pitch * scale)
    return _moved(flat, np.vstack([turn, [0, 0, 1]]), FULL_HD, desk())


@cache
def desk(size: tuple[int, int] = FULL_HD) -> Frame:
    """Wood, and papers with print on them; drawn once, and not to be written on."""
    random = np.random.default_rng(11)
    grain = cv2.GaussianBlur(random.normal(0, 60, size[::-1]), (0, 0), sigmaX=40, sigmaY=2)
    wood = np.clip(120 + grain, 0, 255).astype(np.uint8)
    frame = np.dstack([wood // 2, (wood * 0.7).astype(np.uint8), wood])
    for left, top in ((60, 40), (1350, 90), (150, 620), (1250, 640)):
        sheet = text_page((560, 400))
        shown = frame[top : top + 400, left : left + 560]
        shown[:] = sheet[: shown.shape[0], : shown.shape[1]]
    frame.setflags(write=False)
    return frame


def text_page(size: tuple[int, int] = (1000, 1400)) -> Frame:
    """A page of print that is no MRZ, though it has capitals, digits and angle brackets."""
    random = np.random.default_rng(12)
    page = np.full((size[1], size[0], 3), 235, np.uint8)
    letters = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 <>.,abcdefghijkl"))
    for row in range(40, size[1] - 20, 30):
        line = "".join(random.choice(letters, size[0] // 16))
        cv2.putText(page, line, (30, row), cv2.FONT_HERSHEY_PLAIN, 1.4, (40, 40, 40), 1)
    return page


def dimmed(shot: Shot) -> Shot:
    """At a fifth of the light, darker towards one side, with a camera's noise."""
    width = shot.frame.shape[1]
    light = np.linspace(0.26, 0.14, width)[None, :, None]
    noise = np.random.default_rng(13).normal(0, 2.0, shot.frame.shape)
    return replace(shot, frame=_bytes(shot.frame * light + noise + 4))


def with_glare(shot: Shot, along: float) -> Shot:
    """A lamp's reflection over a few characters of the MRZ, at a share of its length."""
    middle = shot.mrz[0] + (shot.mrz[2] - shot.mrz[0]) * along
    height, width = shot.frame.shape[:2]
    y, x = np.mgrid[:height, :width]
    away = np.hypot((x - middle[0]) / (4 * shot.pitch), (y - middle[1]) / (2.5 * shot.pitch))
    light = 400 * np.exp(-(away**2))[..., None]
    return replace(shot, frame=_bytes(shot.frame + light))


def noisy(shot: Shot, seed: int, spread: float = 0.0, blur: float = 0.0) -> Shot:
    """Out of focus, and with noise of its own."""
    frame = cv2.GaussianBlur(shot.frame, (0, 0), blur) if blur else shot.frame
    noise = np.random.default_rng(seed).normal(0, spread, frame.shape) if spread else 0.0
    return replace(shot, frame=_bytes(frame + noise))


def beside(one: Shot, other: Frame) -> Shot:
    """With another page to its right."""
    height = max(one.frame.shape[0], other.shape[0])
    width = one.frame.shape[1] + other.shape[1]
    frame = np.full((height, width, 3), 128, np.uint8)
    frame[: one.frame.shape[0], : one.frame.shape[1]] = one.frame
    frame[: other.shape[0], one.frame.shape[1] :] = other
    return replace(one, frame=frame)


def without_mrz(shot: Shot) -> Frame:
    """The part of the page above its MRZ: what another side of a document may look like."""
    return np.ascontiguousarray(shot.frame[: round(shot.mrz[0][1] - shot.pitch)])


WAYS: dict[str, Callable[[Shot], Shot]] = {
    "upright": lambda shot: shot,
    "turned by 90 degrees": lambda shot: turned(shot, 90),
    "upside down": lambda shot: turned(shot, 180),
    "turned by 270 degrees": lambda shot: turned(shot, 270),
    "askew": lambda shot: turned(shot, 17),
    "in perspective": in_perspective,
    "400 pixels wide": lambda shot: reduced(shot, 400),
    "cropped to a strip": strip,
    "on a fifth of a desk": on_a_desk,
    "in dim light": dimmed,
}
"""Ways of showing a page in which a person reads every character with ease."""


def _moved(shot: Shot, matrix: Matrix, size: tuple[int, int], ground: Frame | None = None) -> Shot:
    frame = np.full((size[1], size[0], 3), 128, np.uint8) if ground is None else ground.copy()
    cv2.warpPerspective(shot.frame, matrix, size, dst=frame, borderMode=cv2.BORDER_TRANSPARENT)
    points = cv2.perspectiveTransform(shot.mrz[None].astype(np.float64), matrix)[0]
    return replace(shot, frame=frame, mrz=np.asarray(points, np.float64))


def _bytes(values: NDArray[np.floating]) -> Frame:
    return np.clip(values, 0, 255).astype(np.uint8)
