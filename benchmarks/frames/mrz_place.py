"""Where the MRZ stands on a flat, upright page whose lines are known.

It gives a page its size in millimetres (ten characters an inch, Doc 9303-3 §4.4), keeps the MRZ in
the frame and lets pictures without one be cut from pages. It only has to find rows of a known
count and number of characters, so plain means do: dark marks on lighter ground, closed to bars at
each pitch that may be, and the two or three bars that agree best. No reader is asked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np
from numpy.typing import NDArray

WORK_WIDTH = 1400
LIKELY = 0.25
"""Rows that disagree more than this were not found but guessed."""

PITCH_MM = 2.54
"""Doc 9303-3 §4.4: ten characters an inch."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Place:
    """The MRZ's rectangle in the page's pixels, the pitch of its characters, and whether it was
    seen there; else it is taken to stand at the bottom, nine tenths as wide as the page."""

    left: float
    top: float
    right: float
    bottom: float
    pitch: float
    seen: bool


@dataclass(frozen=True)
class _Row:
    centre: float
    left: float
    right: float
    gaps: float


def find_mrz(page: Picture, lines: tuple[str, ...]) -> Place:
    """Where the lines stand on the page."""
    height, width = page.shape[:2]
    scale = WORK_WIDTH / width
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    grey = cv2.cvtColor(page, cv2.COLOR_BGR2GRAY)
    work = np.asarray(cv2.resize(grey, None, None, scale, scale, how), np.uint8)
    count, characters = len(lines), len(lines[0])
    found = [
        (_doubt(rows, pitch, characters, work.shape[0]), rows, pitch)
        for share in np.geomspace(0.3, 1.0, 14)
        for pitch in [WORK_WIDTH * float(share) / characters]
        for rows in _groups(_rows(work, pitch), count, pitch)
    ]
    if not found:
        return _guess(width, height, count, characters)
    doubt, rows, _ = min(found, key=lambda one: one[0])
    if doubt > LIKELY:
        return _guess(width, height, count, characters)
    left, right = min(row.left for row in rows), max(row.right for row in rows)
    pitch = (right - left) / characters
    top, bottom = rows[0].centre - 0.8 * pitch, rows[-1].centre + 0.8 * pitch
    at = [float(v) / scale for v in (left, top, right, bottom, pitch)]
    return Place(at[0], at[1], at[2], at[3], at[4], seen=True)


def _rows(grey: Picture, pitch: float) -> list[_Row]:
    """Bars of dark marks that may be rows of characters at this pitch."""
    side = int(pitch * 1.2) | 1
    ground = cv2.getStructuringElement(cv2.MORPH_RECT, (side, side))
    marks = cv2.morphologyEx(grey, cv2.MORPH_BLACKHAT, ground)
    _, ink = cv2.threshold(marks, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    joined = cv2.morphologyEx(ink, cv2.MORPH_CLOSE, np.ones((1, int(pitch * 1.6) | 1), np.uint8))
    least = np.ones((max(1, int(pitch * 0.35)), int(pitch * 3) | 1), np.uint8)
    bars = cv2.morphologyEx(joined, cv2.MORPH_OPEN, least)
    _, _, boxes, _ = cv2.connectedComponentsWithStats(bars)
    pieces = [
        (float(y + h / 2), float(x), float(x + w))
        for x, y, w, h, _ in boxes[1:]
        if w > 8 * pitch and 0.4 * pitch < h < 2.2 * pitch
    ]
    rows: list[list[tuple[float, float, float]]] = []
    for piece in sorted(pieces):
        if rows and piece[0] - rows[-1][0][0] < 0.6 * pitch:
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [_row(pieces) for pieces in rows]


def _row(pieces: list[tuple[float, float, float]]) -> _Row:
    left, right = min(p[1] for p in pieces), max(p[2] for p in pieces)
    printed = sum(p[2] - p[1] for p in pieces)
    return _Row(pieces[0][0], left, right, max(0.0, 1 - printed / (right - left)))


def _groups(rows: list[_Row], count: int, pitch: float) -> Iterator[tuple[_Row, ...]]:
    """Two or three rows, evenly apart, as far as lines of an MRZ are."""
    for group in combinations(rows, count):
        apart = np.diff([row.centre for row in group])
        even = float(apart.max() - apart.min()) <= 0.35 * float(apart.mean())
        if even and all(1.3 * pitch < one < 4 * pitch for one in apart):
            yield group


def _doubt(rows: tuple[_Row, ...], pitch: float, characters: int, height: int) -> float:
    """How unlike an MRZ of this pitch the rows are; rows low on the page are likelier."""
    widths = [row.right - row.left for row in rows]
    width = sum(widths) / len(widths)
    first = rows[0]
    ragged = sum(abs(r.left - first.left) + abs(r.right - first.right) for r in rows[1:]) / width
    apart = (rows[-1].centre - first.centre) / (len(rows) - 1)
    return (
        abs(float(np.log(width / (pitch * characters))))
        + 2 * ragged
        + sum(row.gaps for row in rows)
        + 0.3 * (1 - rows[-1].centre / height)
        + 0.15 * abs(float(np.log(apart / (2.4 * pitch))))
    )


def _guess(width: int, height: int, count: int, characters: int) -> Place:
    pitch = 0.9 * width / characters
    tall = min(height, (2.5 * (count - 1) + 1.6) * pitch)
    bottom = min(float(height), height - 1.5 * pitch + 0.8 * pitch)
    return Place(0.05 * width, bottom - tall, 0.95 * width, bottom, pitch, seen=False)
