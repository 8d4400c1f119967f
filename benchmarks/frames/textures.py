"""Surfaces, and pictures that are all texture or look like photographs from afar."""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.frames.lettering import Picture, Random

Field = NDArray[np.float32]


def clouds(random: Random, width: int, height: int, coarse: float, octaves: int = 4) -> Field:
    """Smooth noise of several sizes, about 0, most of it within ±1; `coarse` is the largest size
    as a share of the picture."""
    field = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        cells = max(2, round(2**octave / coarse))
        noise = random.standard_normal((cells, max(2, cells * width // height)), np.float32)
        field += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC) / 2**octave
    return field


def _tinted(field: Field, random: Random, low: int = 40, high: int = 215) -> Picture:
    """The field as shades between two colours of one family."""
    base = random.uniform(low, high, 3).mean() + random.uniform(-30, 30, 3)
    swing = random.uniform(8, 28) * random.uniform(0.6, 1.4, 3)
    return np.asarray(np.clip(base + field[..., None] * swing, 0, 255), np.uint8)


def wood(random: Random, width: int, height: int) -> Picture:
    """Boards with a grain along them."""
    along = clouds(random, width, height, 0.5)
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    rings = np.sin(2 * np.pi * (random.uniform(8, 30) * x + 0.8 * along))
    fibre = cv2.GaussianBlur(
        random.standard_normal((height, width), np.float32), (1, 0), 0.8, None, 25
    )
    field = np.asarray(0.7 * rings + 2.5 * fibre + 0.4 * along, np.float32)
    base = np.array([60, 95, 140]) * random.uniform(0.5, 1.45)
    picture = np.clip(base + field[..., None] * random.uniform(6, 14), 0, 255)
    for board in range(0, height, int(height / random.integers(2, 7))):
        picture[board : board + 3] *= 0.55
    return np.asarray(picture, np.uint8)


def cloth(random: Random, width: int, height: int) -> Picture:
    """A weave."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    step = random.uniform(3, 9)
    weave = np.sin(2 * np.pi * x / step) * np.sin(2 * np.pi * y / step)
    noise = random.standard_normal((height, width), np.float32)
    return _tinted(np.asarray(weave + 0.6 * noise, np.float32), random, 30, 170)


def stone(random: Random, width: int, height: int) -> Picture:
    """Marble, concrete: clouds with veins."""
    field = clouds(random, width, height, 0.6, 6)
    veins = np.exp(-np.abs(np.sin(3 * field)) * 9)
    return _tinted(np.asarray(field + 2 * veins, np.float32), random, 70, 230)


def grain(random: Random, width: int, height: int) -> Picture:
    """A plain laminate or a mat."""
    noise = random.standard_normal((height, width), np.float32)
    return _tinted(np.asarray(0.35 * noise + clouds(random, width, height, 1), np.float32), random)


def stripes(random: Random, width: int, height: int) -> Picture:
    """Bars, blinds, bricks: straight repetition at any angle and pitch."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle, step = random.uniform(0, np.pi), random.uniform(6, 60)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = -x * np.sin(angle) + y * np.cos(angle)
    bars = np.sign(np.sin(2 * np.pi * along / step) - random.uniform(-0.7, 0.7))
    if random.random() < 0.5:
        bars = np.maximum(bars, np.sign(np.sin(2 * np.pi * across / (2.5 * step)) - 0.7))
    return _tinted(np.asarray(bars + 0.2 * clouds(random, width, height, 1), np.float32), random)


def landscape(random: Random, width: int, height: int) -> Picture:
    """Sky, hills behind one another, a few round and upright things before them."""
    picture = np.zeros((height, width, 3), np.float32)
    shade = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    picture += random.uniform(120, 240, 3) * (1 - shade) + random.uniform(90, 220, 3) * shade
    x = np.arange(width)
    for depth in range(int(random.integers(2, 6))):
        heights = random.standard_normal((1, int(random.integers(4, 12))), np.float32)
        ridge = cv2.resize(heights, (width, 1), interpolation=cv2.INTER_CUBIC)[0]
        top = height * (0.35 + 0.13 * depth + 0.05 * ridge)
        below = np.arange(height)[:, None] > top[x][None, :]
        picture[below] = random.uniform(20, 190, 3)
    for _ in range(int(random.integers(0, 9))):
        centre = (int(random.integers(width)), int(height * random.uniform(0.4, 0.95)))
        size = (int(width * random.uniform(0.01, 0.08)), int(height * random.uniform(0.03, 0.2)))
        shade_of = random.uniform(0, 220, 3).tolist()
        cv2.ellipse(picture, centre, size, 0, 0, 360, shade_of, -1, cv2.LINE_AA)
    picture += 9 * clouds(random, width, height, 0.2, 6)[..., None]
    soft = cv2.GaussianBlur(picture, (0, 0), random.uniform(0.5, 2))
    return np.asarray(np.clip(soft, 0, 255), np.uint8)
