"""Light, optics, sensor and codec for whole frames, at about 10 ms a megapixel.

`camera` does the same for strips with float pictures, which a frame cannot afford: light here is
worked out at a sixteenth of the resolution, noise comes ready-made, and pixels stay bytes. What it
did to the characters comes back, so that a frame which nobody could read is known as such.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training import textures
from models.training.camera import motion
from models.training.textures import Grey, Rng

_COARSE = 16
Field = NDArray[np.float32]


@dataclass(frozen=True)
class Loss:
    """Standard deviation of all blur, and the way moved during exposure, both in px; the noise's
    standard deviation; by what factor resolution was lost."""

    blur: float
    moved: float
    noise: float
    reduced: float


def light(rng: Rng, frame: Grey, *, even: bool) -> Grey:
    """Uneven light, shadows, glare; `even` for a scanner."""
    height, width = frame.shape
    shape = (max(2, height // _COARSE), max(2, width // _COARSE))
    gain = np.full(shape, _brightness(rng, even), np.float32)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None]
    x, y = x * np.float32(width / max(width, height)), y * np.float32(height / max(width, height))
    if not even:
        gain *= _uneven(rng, x, y)
    whole = cv2.resize(gain, (width, height), interpolation=cv2.INTER_LINEAR)
    frame = cv2.multiply(frame, whole, dtype=cv2.CV_8U)
    if rng.random() < (0.05 if even else 0.3):
        extra = np.clip(_glare(rng, x, y), 0, 255).astype(np.uint8)
        frame = cv2.add(frame, cv2.resize(extra, (width, height), interpolation=cv2.INTER_LINEAR))
    if rng.random() < 0.3:
        ramp = np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.3))
        low, high = rng.uniform(0, 60), rng.uniform(190, 255)
        frame = cv2.LUT(frame, (low + ramp * (high - low)).astype(np.uint8))
    return np.asarray(frame, np.uint8)


def _brightness(rng: Rng, even: bool) -> float:
    if even or rng.random() < 0.7:
        return float(rng.uniform(0.85, 1.15))
    return float(rng.uniform(0.35, 0.85) if rng.random() < 0.7 else rng.uniform(1.15, 1.5))


def _uneven(rng: Rng, x: Field, y: Field) -> Field:
    field = np.ones((y.shape[0], x.shape[1]), np.float32)
    if rng.random() < 0.8:
        field += x * np.float32(rng.normal(0, 0.18)) + y * np.float32(rng.normal(0, 0.18))
    if rng.random() < 0.35:  # vignetting
        field *= 1 - np.float32(rng.uniform(0.1, 0.5)) * (x * x + y * y)
    if rng.random() < 0.35:  # the edge of a shadow, hard or soft
        for _ in range(int(rng.integers(1, 3))):
            angle, away = rng.uniform(0, 6.3), rng.uniform(-0.7, 0.7)
            edge = x * np.float32(np.cos(angle)) + y * np.float32(np.sin(angle)) - np.float32(away)
            edge = np.clip(edge / np.float32(rng.uniform(0.03, 0.5)), -12, 12)
            field *= 1 - np.float32(rng.uniform(0.1, 0.6)) / (1 + np.exp(-edge))
    return np.maximum(field, 0.12)


def _glare(rng: Rng, x: Field, y: Field) -> Field:
    """Lamps mirrored by laminate: spots with a bloom around them, bands."""
    whole = np.zeros((y.shape[0], x.shape[1]), np.float32)
    for _ in range(int(rng.integers(1, 4))):
        angle, long = rng.uniform(0, 3.2), rng.uniform(0.03, 0.5)
        short = long * rng.uniform(0.1, 1)
        dx, dy = x - np.float32(rng.uniform(-1, 1)), y - np.float32(rng.uniform(-0.8, 0.8))
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        u, v = (dx * cos + dy * sin) / np.float32(long), (dy * cos - dx * sin) / np.float32(short)
        far = u * u + v * v
        peak = np.float32(rng.uniform(30, 330))
        whole += peak * np.exp(-(far ** np.float32(rng.uniform(0.7, 2.5))))
        whole += peak * np.float32(0.25) / (1 + far)
    return whole


def shoot(rng: Rng, frame: Grey, pitch: float, *, even: bool) -> tuple[Grey, Loss]:
    """Optics, sensor and codec; `pitch` is the narrowest character's width in px. One camera in
    eight is a bad one, with all faults at once."""
    bad = not even and rng.random() < 0.12
    blur, moved, grain, reduced = 0.3, 0.0, 0.0, 1.0
    height, width = frame.shape
    if bad or rng.random() < 0.6:
        sigma = float(min(abs(rng.normal(0, 0.07)) * pitch, 4.0))
        if sigma > 0.3:
            frame, blur = cv2.GaussianBlur(frame, (0, 0), sigma), float(np.hypot(blur, sigma))
    if not even and rng.random() < (0.5 if bad else 0.16):
        moved = min(float(rng.uniform(0.1, 0.5)) * pitch, 12.0)
        frame = cv2.filter2D(frame, -1, motion(rng, moved))
    if rng.random() < 0.22 and pitch > 6:  # a frame enlarged by its sender
        reduced = float(rng.uniform(max(0.4, 5.0 / pitch), 1))
        size = (max(8, round(width * reduced)), max(8, round(height * reduced)))
        how = int(rng.choice([cv2.INTER_AREA, cv2.INTER_LINEAR]))
        back = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST]))
        frame = cv2.resize(frame, size, interpolation=how)
        frame = cv2.resize(frame, (width, height), interpolation=back)
    if rng.random() < 0.2:
        soft = cv2.GaussianBlur(frame, (0, 0), float(rng.uniform(0.6, 2)))
        gain = float(rng.uniform(0.3, 1.8))
        frame = cv2.addWeighted(frame, 1 + gain, soft, -gain, 0)
    if bad or rng.random() < (0.5 if even else 0.8):
        spread = 4 if even else 16 if bad else 7
        grain = float(abs(rng.normal(0, spread)))
        noise = textures.piece(rng, textures.grains()[rng.integers(3)], height, width)
        frame = frame.copy()
        textures.add(frame, noise, grain / 32)
    if bad or rng.random() < 0.5:
        quality = int(rng.integers(18, 96))
        data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        frame = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    return np.asarray(frame, np.uint8), Loss(blur, moved, grain, reduced)
