"""What a document is printed on: tint, gradients, guilloche, watermarks, emblems, pictures; and
what lies over the print: holograms, stamps, creases.

Grounds are put together from `textures`, so a page of a megapixel costs a few milliseconds. The
same ground runs under the MRZ, from white to rather dark: without it, one character in six was
read wrongly in photographs.
"""

import cv2
import numpy as np

from models.training import textures
from models.training.textures import Grey, Rng, piece


def ground(rng: Rng, height: int, width: int, scale: float) -> Grey:
    """Paper of that size, at `scale` px a millimetre."""
    light = rng.random() < 0.82
    tone = float(rng.uniform(165, 253)) if light else float(rng.uniform(85, 190))
    picture = _gradient(rng, height, width, tone)
    if rng.random() < 0.55:
        cloud = piece(
            rng, textures.choose(rng, textures.clouds()), height, width, float(rng.uniform(0.5, 2))
        )
        textures.add(picture, cloud, float(rng.uniform(0.05, 0.5)))
    if rng.random() < 0.45:
        emblem(rng, picture, scale, float(rng.normal(0, 22)))
    for _ in range(int(rng.choice(4, p=(0.28, 0.4, 0.24, 0.08)))):
        zoom = scale / textures.GUILLOCHE_SCALE * float(rng.uniform(0.5, 1.7))
        lines = piece(rng, textures.choose(rng, textures.guilloches()), height, width, zoom)
        textures.add(picture, lines, 0.04 + 0.6 * float(rng.random() ** 2))
    if rng.random() < 0.12:
        _scene(rng, picture)
    return picture


def _gradient(rng: Rng, height: int, width: int, tone: float) -> Grey:
    spread = abs(rng.normal(0, 9)) if rng.random() < 0.8 else rng.uniform(10, 30)
    small = np.clip(tone + rng.normal(0, spread, (4, 6)), 0, 255).astype(np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def emblem(rng: Rng, picture: Grey, scale: float, depth: float) -> None:
    """A large pale shape: sun, shield, star, map-like blot."""
    height, width = picture.shape
    reach = float(rng.uniform(8, 40)) * scale
    side = int(2 * reach)
    shape = np.zeros((128, 128), np.uint8)
    kind = rng.random()
    if kind < 0.3:
        cv2.circle(shape, (64, 64), int(rng.uniform(20, 60)), 255, int(rng.choice([-1, 2, 6])))
    elif kind < 0.7:
        points = int(rng.integers(3, 26))
        angle = np.linspace(0, 2 * np.pi, 2 * points, endpoint=False) + rng.uniform(0, 6)
        radius = np.where(np.arange(2 * points) % 2, rng.uniform(15, 50), 60)
        ring = 64 + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
        cv2.fillPoly(shape, [np.round(ring).astype(np.int32)], 255, cv2.LINE_AA)
    else:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = 35 + 24 * np.sin(angle * rng.integers(1, 5) + 1) * rng.random(24)
        ring = 64 + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None]
        cv2.fillPoly(shape, [np.round(ring).astype(np.int32)], 255, cv2.LINE_AA)
    whole = cv2.resize(shape, (side, side), interpolation=cv2.INTER_LINEAR)
    lay(
        picture,
        whole,
        rng.uniform(-reach, width - reach),
        rng.uniform(-reach, height - reach),
        depth,
    )


def lay(picture: Grey, ink: Grey, x: float, y: float, depth: float) -> None:
    """Darkens (or, negative, lightens) a page where `ink` is, by up to `depth`."""
    left, top = max(0, -round(x)), max(0, -round(y))
    right = min(ink.shape[1], picture.shape[1] - round(x))
    bottom = min(ink.shape[0], picture.shape[0] - round(y))
    if right <= left or bottom <= top:
        return
    part = picture[round(y) + top : round(y) + bottom, round(x) + left : round(x) + right]
    part[:] = cv2.addWeighted(part, 1.0, ink[top:bottom, left:right], -depth / 255, 0)


def _scene(rng: Rng, picture: Grey) -> None:
    """A pale landscape: a few ridges, each a little darker than the one behind."""
    height, width = picture.shape
    x = np.linspace(0, width, 24)
    shade = float(np.median(picture[::16, ::16]))
    for _ in range(int(rng.integers(1, 4))):
        shade -= rng.uniform(4, 25)
        waves = np.sin(x / width * rng.uniform(3, 20) + rng.uniform(0, 6))
        y = height * (rng.uniform(0.3, 1.0) + 0.08 * waves + rng.normal(0, 0.015, 24))
        ring = np.concatenate([np.stack([x, y], 1), [[width, height], [0, height]]])
        mask = np.zeros((height // 4 + 1, width // 4 + 1), np.uint8)
        cv2.fillPoly(mask, [np.round(ring / 4).astype(np.int32)], 255)
        mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)
        picture[:] = cv2.addWeighted(picture, 1.0, mask, -rng.uniform(5, 30) / 255, 0)


def portrait(rng: Rng, picture: Grey, box: tuple[int, int, int, int]) -> None:
    """A blob in the place of the photograph, `box` x, y, width, height; sometimes half faded."""
    x, y, width, height = box
    part = picture[y : y + height, x : x + width]
    if min(part.shape) < 4:
        return
    blob = textures.choose(rng, textures.portraits())
    blob = cv2.resize(blob, part.shape[::-1], interpolation=cv2.INTER_AREA)
    share = float(rng.uniform(0.75, 1)) if rng.random() < 0.8 else float(rng.uniform(0.15, 0.6))
    part[:] = cv2.addWeighted(part, 1 - share, blob, share, 0)


def hologram(rng: Rng, picture: Grey, scale: float) -> None:
    """An iridescent patch, anywhere; where it is turned to the lamp, it hides what is under it."""
    height, width = picture.shape
    side = int(rng.uniform(10, 50) * scale)
    patch = textures.choose(rng, textures.holograms())
    patch = cv2.resize(patch, (side, int(side * rng.uniform(0.5, 1.2))))
    x, y = int(rng.uniform(-side / 3, width - side / 2)), int(rng.uniform(0, height))
    left, top = max(0, x), max(0, y)
    part = picture[top : y + patch.shape[0], left : x + side]
    if part.size == 0 or side < 4:
        return
    cut = patch[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]]
    strength = abs(float(rng.normal(0, 0.4)))
    part[:] = cv2.addWeighted(part, 1.0, cut, strength, -128.0 * strength)


def stamp(rng: Rng, picture: Grey, scale: float) -> None:
    """A rubber stamp or a signature: rings, boxes, loops of a pen."""
    height, width = picture.shape
    at = rng.uniform(0.05, 0.95, 2) * (width, height)
    size = rng.uniform(6, 18) * scale
    shade = int(rng.uniform(20, 150))
    thick = max(1, int(rng.uniform(0.15, 0.7) * scale))
    kind = rng.random()
    if kind < 0.35:
        axes = (int(size), int(size * rng.uniform(0.5, 1)))
        place = (int(at[0]), int(at[1]))
        for shrink in (1.0, 0.75):
            inner = (int(axes[0] * shrink), int(axes[1] * shrink))
            cv2.ellipse(
                picture, place, inner, rng.uniform(0, 90), 0, 360, shade, thick, cv2.LINE_AA
            )
        return
    if kind < 0.5:
        box = cv2.boxPoints((tuple(at), (size * 2, size * 0.9), float(rng.normal(0, 20))))
        cv2.polylines(picture, [box.astype(np.int32)], True, shade, thick, cv2.LINE_AA)
        return
    t = np.linspace(0, rng.uniform(8, 25), 120)
    loops = np.stack(
        [
            t / t[-1] * 3 + 0.5 * np.sin(t * rng.uniform(0.8, 2)),
            0.5 * np.sin(t * rng.uniform(0.8, 2) + 1) + 0.2 * np.sin(t * 3.1),
        ],
        1,
    )
    points = at + loops * size * (0.6, 0.5)
    cv2.polylines(
        picture, [np.round(points * 8).astype(np.int32)], False, shade, thick, cv2.LINE_AA, 3
    )


def crease(rng: Rng, picture: Grey, scale: float) -> None:
    """A fold or a scratch across the page: light beside dark."""
    height, width = picture.shape
    ends = rng.uniform(-0.1, 1.1, (2, 2)) * (width, height)
    thick = max(1, int(rng.uniform(0.1, 0.6) * scale))
    for away, tone in ((0.0, rng.uniform(0, 120)), (thick, rng.uniform(170, 255))):
        points = np.round((ends + away) * 8).astype(int)
        cv2.line(picture, points[0].tolist(), points[1].tolist(), int(tone), thick, cv2.LINE_AA, 3)
