"""What documents lie on and among: desks, papers, listings, cards, keys, pens, cables, coins.

Nothing here is an MRZ, and some of it is chosen because it nearly is: rows of monospaced capitals,
account numbers in OCR-B, keys of a keyboard, ruled lines.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training import textures, words
from models.training.textures import Grey, Rng, piece


def desk(rng: Rng, height: int, width: int) -> Grey:
    """The empty surface."""
    if rng.random() < 0.15:
        return np.full((height, width), int(rng.uniform(0, 256)), np.uint8)
    surface = piece(
        rng, textures.choose(rng, textures.surfaces()), height, width, float(rng.uniform(0.6, 2.2))
    )
    return textures.toned(surface, float(rng.uniform(15, 240)), float(rng.uniform(0.05, 1.3)))


def lid(rng: Rng, height: int, width: int) -> Grey:
    """Behind a scan: white, black or grey, almost even."""
    kind = rng.random()
    tone = (
        rng.uniform(235, 255)
        if kind < 0.6
        else rng.uniform(0, 30)
        if kind < 0.8
        else (rng.uniform(30, 235))
    )
    return np.full((height, width), int(tone), np.uint8)


Free = Callable[[NDArray[np.float64]], bool]


def captions(rng: Rng, frame: Grey, count: int) -> None:
    """Print beside a scanned document: a form's words, a picture's caption."""
    height, width = frame.shape
    depth = 200.0 if frame[0, 0] > 120 else -200.0
    for _ in range(count):
        bank = (words.labels(), words.values(), words.numbers())[rng.integers(3)]
        at = rng.uniform(-0.1, 0.95, 2) * (width, height)
        cap = float(rng.uniform(0.01, 0.04)) * width
        words.write(rng, frame, bank, (float(at[0]), float(at[1])), cap, depth)


def clutter(rng: Rng, frame: Grey, count: int, free: Free | None = None) -> None:
    """Lays things on a desk, in place; only where `free` allows a thing's outline."""
    for _ in range(count):
        kind = rng.random()
        if kind < 0.55:
            _paper(rng, frame, free)
        elif kind < 0.8:
            _stick(rng, frame, free)
        elif kind < 0.9:
            _round(rng, frame, free)
        elif not free:
            _cable(rng, frame)


def warp_in(
    frame: Grey,
    picture: Grey,
    matrix: NDArray[np.float64],
    outline: NDArray[np.float64],
    bend: float = 0.0,
) -> None:
    """Lays a picture into the frame by the homography `matrix` (picture px -> frame px), within
    `outline` (frame px). With `bend`, its columns are first shifted down, the outermost by that
    many of its px, as a booklet's page arches."""
    height, width = frame.shape
    low = np.maximum(np.floor(outline.min(axis=0)).astype(int), 0)
    high = np.minimum(np.ceil(outline.max(axis=0)).astype(int) + 1, (width, height))
    if (high <= low).any():
        return
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    local = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1.0]]) @ matrix
    if bend:
        seen = _bent(picture, local, size, bend)
    else:
        seen = cv2.warpPerspective(
            picture, local, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    mask = np.zeros(size[::-1], np.uint8)
    cv2.fillPoly(mask, [np.round((outline - low) * 8).astype(np.int32)], 255, cv2.LINE_8, 3)
    part = frame[low[1] : high[1], low[0] : high[0]]
    cv2.copyTo(seen, mask, part)


def arch(x: NDArray[np.float64], width: float, bend: float) -> NDArray[np.float64]:
    """How far down a column at x comes by a bend."""
    return bend * (2 * x / width - 1) ** 2


def _bent(picture: Grey, local: NDArray[np.float64], size: tuple[int, int], bend: float) -> Grey:
    """As warpPerspective, through the arch: solved on a grid of 8 px and drawn between."""
    step = 8
    columns, rows = size[0] // step + 2, size[1] // step + 2
    grid = np.mgrid[0:rows, 0:columns].astype(np.float64) * step
    flat = np.stack([grid[1].ravel(), grid[0].ravel(), np.ones(rows * columns)])
    back = np.linalg.inv(local) @ flat
    x, y = back[0] / back[2], back[1] / back[2]
    y = y - arch(x, picture.shape[1], bend)
    coarse = np.stack([x, y], 1).reshape(rows, columns, 2).astype(np.float32)
    # Knot (i, j) belongs to pixel (8 i, 8 j) exactly; an affine map, unlike resize, keeps that.
    spread = np.array([[1 / step, 0, 0], [0, 1 / step, 0]])
    fine = cv2.warpAffine(coarse, spread, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(
        cv2.remap(picture, fine, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def shade(rng: Rng, frame: Grey, outline: NDArray[np.float64]) -> None:
    """The soft shadow that a thing throws on the desk, before the thing itself is laid down."""
    height, width = frame.shape
    reach = float(rng.uniform(0.004, 0.03)) * max(frame.shape)
    small = np.full((height // 8 + 1, width // 8 + 1), 255, np.uint8)
    moved = (outline + rng.normal(0, reach, 2)) / 8
    cv2.fillPoly(
        small, [np.round(moved * 8).astype(np.int32)], int(rng.uniform(90, 220)), cv2.LINE_8, 3
    )
    small = cv2.GaussianBlur(small, (0, 0), max(0.6, reach / 8))
    soft = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
    cv2.multiply(frame, soft, dst=frame, scale=1 / 255)


def _paper(rng: Rng, frame: Grey, free: Free | None) -> None:
    """A printed paper, card, slip or keyboard at any angle."""
    height, width = frame.shape
    ink = textures.choose(rng, words.sheets())
    tone = float(rng.uniform(170, 255)) if rng.random() < 0.8 else float(rng.uniform(10, 160))
    depth = float(rng.uniform(0.3, 0.9)) * (tone if tone > 110 else tone - 255)
    paper = cv2.addWeighted(ink, -depth / 255, ink, 0, tone)
    tall, wide = ink.shape
    scale = float(np.exp(rng.uniform(np.log(0.25), np.log(1.3)))) * max(height, width) / wide
    angle = rng.normal(0, 0.15) if rng.random() < 0.4 else rng.uniform(0, 6.3)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    at = rng.uniform(-0.1, 1.1, 2) * (width, height)
    matrix = np.array([[cos, -sin, at[0]], [sin, cos, at[1]], [0, 0, 1.0]])
    matrix[:2, 2] -= matrix[:2, :2] @ np.array([wide / 2, tall / 2])
    matrix[2, :2] = rng.normal(0, 0.12, 2) / max(height, width)
    corners = np.array([[0, 0, 1], [wide, 0, 1], [wide, tall, 1], [0, tall, 1.0]]) @ matrix.T
    if (corners[:, 2] < 0.2).any():
        return
    outline = corners[:, :2] / corners[:, 2:]
    if free and not free(outline):
        return
    if rng.random() < 0.7:
        shade(rng, frame, outline)
    warp_in(frame, paper, matrix, outline)


def _stick(rng: Rng, frame: Grey, free: Free | None) -> None:
    """A pen, a ruler's edge, a strip of light: a straight bar with a highlight."""
    height, width = frame.shape
    ends = rng.uniform(-0.2, 1.2, (2, 2)) * (width, height)
    thick = max(2, int(rng.uniform(0.004, 0.035) * max(frame.shape)))
    tone = float(rng.uniform(0, 255))
    if free and not free(np.concatenate([ends - thick, ends + thick])):
        return
    a, b = (tuple(int(v) for v in end) for end in ends)
    cv2.line(frame, a, b, int(tone * 0.6), thick, cv2.LINE_AA)
    cv2.line(frame, a, b, int(tone), max(1, thick * 2 // 3), cv2.LINE_AA)
    cv2.line(frame, a, b, int(min(255, tone + 70)), max(1, thick // 5), cv2.LINE_AA)


def _round(rng: Rng, frame: Grey, free: Free | None) -> None:
    """A coin, a cup's rim, a lens."""
    height, width = frame.shape
    at = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
    radius = int(rng.uniform(0.015, 0.15) * max(frame.shape))
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1.0]])
    if free and not free(square * radius + at):
        return
    cv2.circle(frame, at, radius, int(rng.uniform(0, 255)), -1, cv2.LINE_AA)
    for share in rng.uniform(0.5, 1, 2):
        cv2.circle(frame, at, int(radius * share), int(rng.uniform(0, 255)), 2, cv2.LINE_AA)


def _cable(rng: Rng, frame: Grey) -> None:
    t = np.linspace(0, 1, 60)
    knots = rng.uniform(-0.2, 1.2, (4, 2)) * frame.shape[::-1]
    weights = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], 1)
    curve = np.round(weights @ knots * 8).astype(np.int32)
    thick = max(2, int(rng.uniform(0.004, 0.015) * max(frame.shape)))
    cv2.polylines(frame, [curve], False, int(rng.uniform(0, 255)), thick, cv2.LINE_AA, 3)
