"""What light and a camera do to print: shading, glare, shadow, blur, noise, sharpening, JPEG.

Everything works on grey uint8 pictures and costs about a millisecond for a strip. The order is
that of the world: light falls on paper (`light`), then optics, sensor and codec (`degrade`).
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]

_BANK_SIDE = 1024
_bank: list[NDArray[np.float32]] = []


def light(rng: np.random.Generator, grey: Grey, *, strength: float = 1.0) -> Grey:
    """Uneven light over a picture: gradients, soft shadows, glare, exposure."""
    height, width = grey.shape
    field = np.ones((5, 7), np.float32)
    if rng.random() < 0.75:
        across = np.linspace(-1, 1, 7, dtype=np.float32)[None] * rng.normal(0, 0.22)
        down = np.linspace(-1, 1, 5, dtype=np.float32)[:, None] * rng.normal(0, 0.22)
        field += strength * (across + down)
    if rng.random() < 0.5:
        field += strength * rng.normal(0, 0.12, field.shape).astype(np.float32)
    whole = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.18 * strength:
        whole *= shadow(rng, height, width)
    exposure = (
        float(rng.uniform(0.75, 1.2)) if rng.random() < 0.8 else float(rng.uniform(0.35, 1.5))
    )
    lit = cv2.multiply(grey.astype(np.float32), whole * exposure)
    if rng.random() < 0.25:
        lit += float(rng.uniform(0, 45))
    if rng.random() < 0.22 * strength:
        lit += glare(rng, height, width)
    return np.clip(lit, 0, 255).astype(np.uint8)


def shadow(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """A soft edge, darker on one side: a hand, a head, the lid of a scanner."""
    angle = rng.uniform(0, 2 * np.pi)
    x = np.linspace(-1, 1, width, dtype=np.float32)[None] * np.float32(np.cos(angle))
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None] * np.float32(np.sin(angle))
    edge = (x + y - rng.uniform(-0.7, 0.7)) / rng.uniform(0.02, 0.4)
    depth = rng.uniform(0.15, 0.6)
    return (1 - depth / (1 + np.exp(-np.clip(edge, -12, 12)))).astype(np.float32)


def glare(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """A lamp's reflection: an ellipse or a band, added until it is white at its heart."""
    cx, cy = rng.uniform(0, width), rng.uniform(0, height)
    long = rng.uniform(0.03, 0.3) * max(height, width)
    short = long * rng.uniform(0.15, 1)
    angle = rng.uniform(0, np.pi)
    x = np.arange(width, dtype=np.float32)[None] - np.float32(cx)
    y = np.arange(height, dtype=np.float32)[:, None] - np.float32(cy)
    u = (x * np.cos(angle) + y * np.sin(angle)) / long
    v = (y * np.cos(angle) - x * np.sin(angle)) / short
    power = rng.uniform(1, 3)
    return (rng.uniform(40, 260) * np.exp(-((u * u + v * v) ** power))).astype(np.float32)


def degrade(rng: np.random.Generator, grey: Grey, *, pitch: float = 16.0) -> Grey:
    """Optics, sensor and codec. `pitch` is a character's width in px of this picture: what blurs
    a character beyond reading depends on it."""
    picture = grey
    if rng.random() < 0.7:
        sigma = abs(rng.normal(0, 0.065)) * pitch
        if sigma > 0.3:
            picture = cv2.GaussianBlur(picture, (0, 0), float(sigma))
    if rng.random() < 0.2:
        picture = cv2.filter2D(picture, -1, motion(rng, rng.uniform(0.1, 0.45) * pitch))
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(0.6, 2.0)))
        gain = float(rng.uniform(0.4, 2.0))
        picture = cv2.addWeighted(picture, 1 + gain, soft, -gain, 0)
    if rng.random() < 0.75:
        picture = noise(rng, picture, float(abs(rng.normal(0, 7)) + 0.5))
    if rng.random() < 0.65:
        quality = int(rng.integers(25, 96))
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        picture = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return np.asarray(picture, np.uint8)


def noise(rng: np.random.Generator, grey: Grey, sigma: float) -> Grey:
    """Sensor noise, grained a little coarser than a pixel half of the time. Drawn from a bank:
    fresh normal numbers would cost more than everything else here."""
    if not _bank:
        draw = np.random.default_rng(5)
        fine = draw.standard_normal((_BANK_SIDE, _BANK_SIDE), np.float32)
        coarse = cv2.GaussianBlur(fine, (0, 0), 0.8)
        _bank.extend((fine, coarse / coarse.std()))
    height, width = grey.shape
    grain = _bank[int(rng.random() < 0.5)]
    if height > _BANK_SIDE or width > _BANK_SIDE:
        grain = np.tile(grain, (height // _BANK_SIDE + 1, width // _BANK_SIDE + 1))
    top = int(rng.integers(grain.shape[0] - height + 1))
    left = int(rng.integers(grain.shape[1] - width + 1))
    piece = grain[top : top + height, left : left + width]
    return np.clip(grey + piece * np.float32(sigma), 0, 255).astype(np.uint8)


def motion(rng: np.random.Generator, length: float) -> NDArray[np.float32]:
    """The kernel of a straight movement of so many px in a random direction."""
    side = 2 * int(np.ceil(length / 2)) + 3
    kernel = np.zeros((side, side), np.float32)
    angle, middle = rng.uniform(0, np.pi), side / 2 - 0.5
    dx, dy = np.cos(angle) * length / 2, np.sin(angle) * length / 2
    shift = 4
    ends = [
        (round((middle + s * dx) * 2**shift), round((middle + s * dy) * 2**shift)) for s in (-1, 1)
    ]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_AA, shift)
    total = kernel.sum()
    if total <= 0:
        kernel[side // 2, side // 2] = total = 1
    return kernel / total
