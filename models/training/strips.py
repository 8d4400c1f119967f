"""Rectified strips of one MRZ line with a label for every column: what the recogniser learns from.

A strip is made as the device makes it: print on paper, light, a camera that sees the line small
and a little turned, and the rectification that straightens it with an error of its own. The
camera's picture is drawn at the resolution of a real one (5 to 24 px a character), degraded there,
and warped to the strip, so that blur, noise and JPEG blocks arrive as they arrive in life.

Each of the strip's columns (`STEP` px apart) is labelled with the character whose centre is near,
with blank between two characters, or with nothing where it is neither; beside it stand how far the
centre is, how far the line's middle is from the strip's, and how tall the capitals are.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.camera import degrade, light
from models.training.strip_grounds import ground
from models.training.text import strip_text
from models.training.typeface import Print, Style, print_line, random_style
from scanner.mrz.layouts import CHARACTERS
from scanner.vision.shapes import BLANK, CAP, HEIGHT, PITCH, STEP

UNLABELLED = -1
EDGE_CUT = 0.45 * PITCH
"""A character whose centre is nearer than this to the strip's edge is cut by it."""
_INDEX = {character: i for i, character in enumerate(CHARACTERS)}


@dataclass(frozen=True)
class Strip:
    """`picture` (HEIGHT, width) uint8; `labels` int (columns,); `geometry` float32 (columns, 3):
    distance to the character's centre in pitches, the line's middle below the strip's in heights
    of a capital as it should be, and the logarithm of the capital's height against that. Only
    columns with a character have a geometry."""

    picture: NDArray[np.uint8]
    labels: NDArray[np.int64]
    geometry: NDArray[np.float32]


def strip(rng: np.random.Generator, width: int) -> Strip:
    """A random strip of so many px."""
    style = random_style(rng)
    line = print_line(rng, style, strip_text(rng, int(rng.integers(8, 31))))
    pitch = _camera_pitch(rng)
    error = rectification_error(rng)
    to_camera, to_strip, size = _views(rng, line, pitch, width, error)
    paper = _paper(rng, line, style, to_camera, size, pitch)
    seen = degrade(rng, light(rng, paper, strength=0.7), pitch=pitch)
    whole = to_strip @ to_camera
    picture = cv2.warpPerspective(
        seen, to_strip, (width, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return Strip(np.asarray(picture, np.uint8), *_labels(line, whole, width))


def _camera_pitch(rng: np.random.Generator) -> float:
    """Pixels a character in the camera's picture."""
    kind = rng.random()
    if kind < 0.3:
        return float(rng.uniform(5.5, 10))
    return float(rng.uniform(9, 18) if kind < 0.75 else rng.uniform(14, 26))


def rectification_error(rng: np.random.Generator) -> dict[str, float]:
    """How the rectification misses: mostly little, as in the second pass, or much, as in the
    first one."""
    first = rng.random() < 0.45
    far = 1.0 if first else 0.3
    return {
        "along": float(np.exp(rng.normal(0, 0.09 * far))),
        "tall": float(np.exp(rng.normal(-0.05 * far, 0.2 * far))),
        "rise": float(rng.normal(0, 0.16 * far)) * CAP,
        "turn": float(rng.normal(0, 0.022 * far)),
        "shear": float(rng.normal(0, 0.10 * far)),
        "keystone": float(rng.normal(0, 0.10 * far)),
        "drift": float(rng.normal(0, 0.08 * far)),
    }


def _views(
    rng: np.random.Generator,
    line: Print,
    pitch: float,
    width: int,
    error: dict[str, float],
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[int, int]]:
    """Homographies print -> camera and camera -> strip, and the camera picture's size."""
    # Where the print should come in the strip, errors included.
    across = PITCH * error["along"] / line.pitch
    down = CAP * error["tall"] / line.cap
    length = line.centres[-1] * across
    room = width - length
    left = rng.uniform(min(8.0, room - 8.0), max(8.0, room - 8.0))
    placed = np.array(
        [[across, -error["shear"] * down, left], [error["turn"] * across, down, 0], [0, 0, 1.0]]
    )
    middle = placed @ np.array([line.ink.shape[1] / 2, line.middle, 1])
    placed[1, 2] = HEIGHT / 2 + error["rise"] - middle[1]
    bend = np.eye(3)
    bend[2, 0] = error["drift"] / width
    shift = np.array([[1, 0, -width / 2], [0, 1, -HEIGHT / 2], [0, 0, 1.0]])
    bend = np.linalg.inv(shift) @ bend @ shift
    keystone = np.eye(3)
    keystone[2, 0] = error["keystone"] / width * 0.5
    to_strip_from_print = np.linalg.inv(shift) @ keystone @ shift @ bend @ placed
    # The camera sees the strip's area at its own resolution, a little turned.
    zoom = pitch / PITCH
    angle = rng.normal(0, 0.05) if rng.random() < 0.7 else rng.uniform(-0.35, 0.35)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1.0]])
    corners = np.array(
        [[-6, -6, 1], [width + 6, -6, 1], [-6, HEIGHT + 6, 1], [width + 6, HEIGHT + 6, 1.0]]
    ).T
    seen = (turn @ corners)[:2]
    turn[:2, 2] = -seen.min(axis=1) + rng.uniform(0, 1, 2)
    size = np.ceil(seen.max(axis=1) - seen.min(axis=1)).astype(int) + 2
    to_camera = turn @ to_strip_from_print
    return to_camera, np.linalg.inv(turn), (int(size[0]), int(size[1]))


def _paper(
    rng: np.random.Generator,
    line: Print,
    style: Style,
    to_camera: NDArray[np.float64],
    size: tuple[int, int],
    pitch: float,
) -> NDArray[np.uint8]:
    """Print on a ground, as bright as the paper is; neighbours above and below now and then."""
    under = ground(rng, size[0], size[1], pitch).astype(np.float32)
    ink = _seen(line, to_camera, size)
    for side in (-1, 1):
        if rng.random() < 0.4:
            # Lines lie a quarter of an inch apart: 2.5 pitches.
            other = print_line(rng, style, strip_text(rng, 24))
            apart = side * 2.5 * line.pitch * rng.uniform(0.9, 1.05)
            move = np.array([[1, 0, rng.uniform(-1, 1) * 40], [0, 1, apart], [0, 0, 1.0]])
            ink = np.maximum(ink, _seen(other, to_camera @ move, size))
    dark = float(rng.uniform(5, 70)) if rng.random() < 0.85 else float(rng.uniform(60, 120))
    opacity = float(rng.uniform(0.85, 1.0) if rng.random() < 0.8 else rng.uniform(0.5, 0.85))
    paper = under + ink * opacity * (np.minimum(dark, under * 0.6) - under)
    if rng.random() < 0.02:
        paper = 255 - paper
    return np.clip(paper, 0, 255).astype(np.uint8)


def _seen(
    line: Print, to_camera: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float32]:
    """The print in the camera's picture. Reduced in steps first, so that thin strokes survive."""
    ink, matrix = line.ink, to_camera
    scale = np.sqrt(abs(np.linalg.det(to_camera[:2, :2])))
    while scale < 0.6:
        # pyrDown puts pixel (x, y) at (x / 2, y / 2).
        ink = cv2.pyrDown(ink)
        matrix = matrix @ np.diag([2.0, 2.0, 1.0])
        scale *= 2
    return np.asarray(cv2.warpPerspective(ink, matrix, size, flags=cv2.INTER_LINEAR), np.float32)


def _labels(
    line: Print, whole: NDArray[np.float64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    columns = np.arange(width // STEP)
    x = (columns + 0.5) * STEP - 0.5
    count = len(line.centres)
    half = line.cap / 2
    feet = np.stack(
        [
            np.stack([line.centres, np.full(count, line.middle + dy), np.ones(count)])
            for dy in (0, -half, half)
        ]
    )
    places = np.einsum("ij,kjn->kin", whole, feet)
    places = places[:, :2] / places[:, 2:]
    at, middle = places[0]
    tall = places[2, 1] - places[1, 1]
    pitches = np.abs(np.gradient(at))
    nearest = np.abs(x[:, None] - at[None]).argmin(axis=1)
    away = (at[nearest] - x) / pitches[nearest]
    geometry = np.stack(
        [
            away,
            (middle[nearest] - (HEIGHT - 1) / 2) / CAP,
            np.log(np.maximum(tall[nearest], 1) / CAP),
        ],
        axis=1,
    ).astype(np.float32)
    cut = (at[nearest] < EDGE_CUT) | (at[nearest] > width - EDGE_CUT)
    labels = labelled(line.text, nearest, away, cut, middle[nearest] - HEIGHT / 2)
    return labels, geometry


def labelled(
    text: str,
    nearest: NDArray[np.intp],
    away: NDArray[np.float64],
    cut: NDArray[np.bool_],
    rise: NDArray[np.float64],
) -> NDArray[np.int64]:
    """The label of every column, from the place in `text` of the nearest character, how many
    pitches away it is, whether the strip's edge cuts it, which is no fair question, and how many px
    below the strip's middle it stands."""
    labels = np.full(len(away), UNLABELLED, np.int64)
    near = np.abs(away) <= 0.28
    labels[near] = np.array([_INDEX[character] for character in text])[nearest[near]]
    labels[np.abs(away) > 0.40] = BLANK
    labels[cut & (labels != BLANK)] = UNLABELLED
    labels[np.abs(rise) > HEIGHT * 0.3] = UNLABELLED
    return labels
