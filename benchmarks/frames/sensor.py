"""What becomes of light on its way through a lens, onto a sensor and into a JPEG.

All of it but the last step is done in linear light: a lens blurs light, not grey levels, and a
sensor's noise grows with the light (shot noise) above a floor (read noise).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Light = NDArray[np.float32]
Picture = NDArray[np.uint8]

GAMMA = 2.2
_LINEAR = ((np.arange(256) / 255.0) ** GAMMA).astype(np.float32)
_STEPS = 4096
_ENCODED = np.round(255 * (np.arange(_STEPS) / (_STEPS - 1)) ** (1 / GAMMA)).astype(np.uint8)


@dataclass(frozen=True)
class Optics:
    """Blur in pixels, noise as a share of full light, JPEG's quality."""

    defocus: float
    motion: float
    motion_angle: float
    shot: float
    read: float
    sharpen: float
    quality: int


def linear(picture: Picture) -> Light:
    return np.asarray(_LINEAR[picture], np.float32)


def encoded(light: Light) -> Picture:
    return np.asarray(_ENCODED[(np.clip(light, 0, 1) * (_STEPS - 1)).astype(np.int32)], np.uint8)


def shoot(light: Light, optics: Optics, random: np.random.Generator) -> bytes:
    """The JPEG that comes out of the camera."""
    seen = _blurred(light, optics)
    noise = random.standard_normal(seen.shape, np.float32)
    seen = seen + noise * np.sqrt(optics.read**2 + optics.shot**2 * np.maximum(seen, 0))
    picture = encoded(np.asarray(seen, np.float32))
    if optics.sharpen:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
        picture = np.asarray(
            cv2.addWeighted(picture, 1 + optics.sharpen, soft, -optics.sharpen, 0), np.uint8
        )
    done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, optics.quality])
    if not done:
        raise ValueError("a frame could not be written as a JPEG")
    return data.tobytes()


def _blurred(light: Light, optics: Optics) -> Light:
    kernel = _disc(optics.defocus)
    if optics.motion > 1:
        room = np.pad(kernel, int(optics.motion) + 2)
        path = _path(optics.motion, optics.motion_angle)
        kernel = np.asarray(cv2.filter2D(room, -1, path), np.float32)
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()), np.float32)


def _disc(radius: float) -> Light:
    """The spot of a point that is out of focus; never sharper than a lens and its sensor are."""
    half = int(np.ceil(radius)) + 2
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    spot = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(cv2.GaussianBlur(spot.astype(np.float32), (0, 0), 0.55), np.float32)


def _path(length: float, angle: float) -> Light:
    """A straight movement during the exposure."""
    half = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for step in np.linspace(-length / 2, length / 2, 8 * half):
        x, y = half + step * np.cos(angle), half + step * np.sin(angle)
        left, top = int(x), int(y)
        for row, column in ((top, left), (top, left + 1), (top + 1, left), (top + 1, left + 1)):
            kernel[row, column] += max(0.0, 1 - abs(x - column)) * max(0.0, 1 - abs(y - row))
    return np.asarray(kernel / kernel.sum(), np.float32)
