"""Surfaces drawn once and used many times: cloud, grain, wood, cloth, guilloche, holograms.

Drawing a surface for every frame would cost more than all else. Each process draws a bank of them
once, from a seed of its own, and a frame takes a random piece of one: turned, mirrored, stretched,
with a contrast and a tone of its own. The pieces differ enough that no network learns the bank.
"""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Rng = np.random.Generator

SIDE = 900
"""Of a bank's pictures, px."""
GUILLOCHE_SCALE = 8.0
"""Pixels a millimetre at which guilloche is drawn."""


def piece(rng: Rng, texture: Grey, height: int, width: int, zoom: float = 1.0) -> Grey:
    """A random piece of a texture, `zoom` times as large as drawn, (height, width)."""
    if rng.random() < 0.5:
        texture = texture.T
    rows, columns = texture.shape
    zoom = max(zoom, height / rows, width / columns)
    tall, wide = int(height / zoom), int(width / zoom)
    tall, wide = max(2, tall), max(2, wide)
    top, left = int(rng.integers(rows - tall + 1)), int(rng.integers(columns - wide + 1))
    cut = texture[top : top + tall, left : left + wide]
    cut = cut[:: 1 if rng.random() < 0.5 else -1, :: 1 if rng.random() < 0.5 else -1]
    how = cv2.INTER_AREA if zoom < 0.7 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (width, height), interpolation=how), np.uint8)


def toned(texture: Grey, mean: float, spread: float) -> Grey:
    """A texture around 128 brought to another mean and contrast."""
    table = np.clip((np.arange(256) - 128.0) * spread + mean, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(texture, table), np.uint8)


def add(picture: Grey, texture: Grey, strength: float) -> None:
    """Adds what a texture has above or below 128, in place."""
    cv2.addWeighted(picture, 1.0, texture, strength, -128.0 * strength, dst=picture)


def choose(rng: Rng, bank: tuple[Grey, ...]) -> Grey:
    return bank[rng.integers(len(bank))]


def _level(field: NDArray[np.float32], spread: float = 40.0) -> Grey:
    field = field - field.mean()
    field = field * (spread / max(float(field.std()), 1e-6)) + 128
    return np.clip(field, 0, 255).astype(np.uint8)


def _cloud(rng: Rng, grains: tuple[float, ...], shape: tuple[int, int]) -> NDArray[np.float32]:
    whole = np.zeros(shape, np.float32)
    for grain in grains:
        size = (int(shape[0] / grain) + 2, int(shape[1] / grain) + 2)
        coarse = rng.standard_normal(size, np.float32)
        fine = cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
        whole += fine * np.float32(grain**0.6)
    return whole


@lru_cache(maxsize=1)
def clouds() -> tuple[Grey, ...]:
    """Soft tone at several scales: watermarks, stains, marble, crumpled paper."""
    rng = np.random.default_rng(11)
    sets = ((160.0, 70), (80, 30, 12), (40, 15), (200, 90, 40, 17, 8, 4), (12, 5), (25.0,), (6, 3))
    shape = (SIDE, SIDE)
    return tuple(_level(_cloud(rng, tuple(map(float, grains)), shape)) for grains in sets)


@lru_cache(maxsize=1)
def grains() -> tuple[Grey, ...]:
    """Fine grain: sensor noise, felt, plaster. Standard deviation 32."""
    rng = np.random.default_rng(12)
    fine = rng.standard_normal((SIDE * 2, SIDE * 2), np.float32)
    kinds = [fine]
    kinds += [cv2.GaussianBlur(fine, (0, 0), sigma) for sigma in (0.6, 1.0, 1.8)]
    return tuple(_level(kind, 32) for kind in kinds)


@lru_cache(maxsize=1)
def surfaces() -> tuple[Grey, ...]:
    """What a desk is made of."""
    rng = np.random.default_rng(13)
    made: list[Grey] = list(clouds()[:4])
    y, x = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    for stretch, rings in ((18.0, 0.05), (30.0, 0.12), (9.0, 0.3)):  # wood
        fibre = cv2.resize(
            rng.standard_normal((SIDE, int(SIDE / stretch)), np.float32), (SIDE, SIDE)
        )
        bend = _cloud(rng, (220.0,), (SIDE, SIDE)) / 6
        made.append(_level(np.sin((y + bend) * rings * 2) * 1.2 + fibre * 0.5, 34))
    for step in (5, 9, 14):  # cloth, mesh
        weave = np.sin(x * 2 * np.pi / step) * np.sin(y * 2 * np.pi / step)
        made.append(_level(weave + 0.5 * rng.standard_normal((SIDE, SIDE), np.float32), 30))
    for wide in (40, 90):  # stripes, tiles, a chequered cloth
        made.append(
            _level(np.sign(np.sin(x * np.pi / wide)) + np.sign(np.sin(y * np.pi / wide)), 40)
        )
        made.append(_level(np.sign(np.sin((x + y * 0.3) * np.pi / wide)) + 0 * y, 40))
    speckle = rng.random((SIDE // 3, SIDE // 3), np.float32) ** 8
    made.append(_level(cv2.resize(speckle, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), 30))
    return tuple(made)


@lru_cache(maxsize=1)
def guilloches() -> tuple[Grey, ...]:
    """Security print: families of fine waves, rosettes, crossed arcs, micro-lines on grey 128."""
    rng = np.random.default_rng(14)
    return tuple(_guilloche(rng, i) for i in range(18))


def _guilloche(rng: Rng, number: int) -> Grey:
    picture = np.full((SIDE, SIDE), 128, np.uint8)
    draw: Callable[[Rng, Grey], None] = (_waves, _waves, _rosettes, _arcs, _waves, _raster)[
        number % 6
    ]
    for _ in range(1 + int(rng.random() < 0.6)):
        draw(rng, picture)
    return picture


def _curves(picture: Grey, curves: list[NDArray[np.float64]], shade: int, thick: int) -> None:
    points = [np.round(curve * 8).astype(np.int32) for curve in curves]
    cv2.polylines(picture, points, False, shade, thick, cv2.LINE_AA, 3)


def _ink(rng: Rng) -> tuple[int, int]:
    shade = rng.uniform(10, 85) if rng.random() < 0.75 else rng.uniform(170, 245)
    return int(shade), 1 if rng.random() < 0.7 else 2


def _waves(rng: Rng, picture: Grey) -> None:
    apart, wave, rise = rng.uniform(4, 26), rng.uniform(40, 420), rng.uniform(3, 60)
    drift, slope, upright = rng.uniform(0, 0.25), rng.normal(0, 0.3), rng.random() < 0.3
    second = rng.uniform(0.1, 0.5) * rise
    t = np.arange(-10, SIDE + 10, 5.0)
    curves = []
    for i in range(int((SIDE + 2 * rise + abs(slope) * SIDE) / apart)):
        base = i * apart - rise - max(0.0, slope) * SIDE + slope * t
        y = base + rise * np.sin(2 * np.pi * t / wave + i * drift)
        y += second * np.sin(2 * np.pi * t / wave * 2.3 - i * drift * 1.7)
        curves.append(np.stack([y, t] if upright else [t, y], 1))
    _curves(picture, curves, *_ink(rng))


def _rosettes(rng: Rng, picture: Grey) -> None:
    for _ in range(int(rng.integers(2, 7))):
        centre = rng.uniform(0, SIDE, 2)
        inner, outer = sorted(rng.uniform(20, 220, 2))
        lobes, turns = int(rng.integers(4, 17)), int(rng.integers(5, 16))
        t = np.linspace(0, 2 * np.pi, 400)
        curves = []
        for i in range(turns):
            radius = (inner + outer) / 2 + (outer - inner) / 2 * np.sin(lobes * t + i * 0.4)
            curves.append(np.stack([np.cos(t), np.sin(t)], 1) * radius[:, None] + centre)
        _curves(picture, curves, *_ink(rng))


def _arcs(rng: Rng, picture: Grey) -> None:
    t = np.linspace(0, 2 * np.pi, 160)
    round_ = np.stack([np.cos(t), np.sin(t)], 1)
    for _ in range(2):
        centre, apart = rng.uniform(-SIDE, 2 * SIDE, 2), rng.uniform(6, 28)
        _curves(picture, [round_ * r + centre for r in np.arange(30, 2 * SIDE, apart)], *_ink(rng))


def _raster(rng: Rng, picture: Grey) -> None:
    """Straight fine lines both ways, or lines of micro-print seen as dashes."""
    angle, apart = rng.uniform(0, np.pi), rng.uniform(4, 18)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    middle = np.array([SIDE / 2, SIDE / 2])
    curves = [
        middle + across * d + along * np.array([[-SIDE], [SIDE]])
        for d in np.arange(-SIDE, SIDE, apart)
    ]
    _curves(picture, curves, *_ink(rng))


@lru_cache(maxsize=1)
def holograms() -> tuple[Grey, ...]:
    """Patches of bands, rings and stars that fade to 128 at their edge."""
    rng = np.random.default_rng(15)
    side = 256
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    made = []
    for i in range(12):
        points = int(rng.integers(4, 13))
        star = radius * (1 + 0.35 * np.cos(points * angle))
        pattern = (
            np.cos(star * rng.uniform(10, 50)),
            np.cos(x * rng.uniform(5, 60) + y * rng.uniform(-30, 30)),
            np.sign(np.cos(points * angle + radius * rng.uniform(0, 20))),
            (star < rng.uniform(0.3, 0.7)) * 2.0 - 1,
        )[i % 4]
        window = np.clip((0.95 - radius) * rng.uniform(2, 30), 0, 1)
        sheen = 0.6 + 0.6 * np.sin(x * rng.uniform(-5, 5) + y * rng.uniform(-5, 5))
        made.append(np.clip(128 + pattern * window * sheen * 100, 0, 255).astype(np.uint8))
    return tuple(made)


@lru_cache(maxsize=1)
def portraits() -> tuple[Grey, ...]:
    """Where a photograph would be: a head-like blob without a face, on a plain ground."""
    rng = np.random.default_rng(16)
    made = []
    for _ in range(20):
        picture = np.full((200, 160), rng.uniform(120, 250), np.float32)
        picture += np.linspace(-1, 1, 160, dtype=np.float32)[None] * rng.normal(0, 15)
        coat, skin, hair = (float(v) for v in rng.uniform((15, 80, 10), (200, 230, 150)))
        cv2.ellipse(picture, (80, 205), (int(rng.uniform(55, 90)), 62), 0, 0, 360, coat, -1)
        head = (int(rng.normal(80, 5)), int(rng.normal(92, 6)))
        wide = int(rng.uniform(32, 44))
        cv2.ellipse(picture, (head[0], head[1] - 14), (wide + 7, 56), 0, 0, 360, hair, -1)
        cv2.ellipse(picture, head, (wide, 52), 0, 0, 360, skin, -1)
        picture += _cloud(rng, (30.0, 9.0), picture.shape) * 2.0
        made.append(np.clip(cv2.GaussianBlur(picture, (0, 0), 2.0), 0, 255).astype(np.uint8))
    return tuple(made)
