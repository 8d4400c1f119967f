"""Finds the character cells of an MRZ in its picture: lines by their ink, characters by the pitch.

An MRZ is printed at a constant pitch (Doc 9303-3 §4.4), and fillers are much of what it prints.
Both show in the picture without reading a character: only the right number of characters a line
leaves the gaps between cells free of ink, and the fillers are the largest family of cells that look
alike and have a filler's shape. So nothing here depends on how well an OCR engine counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.mrz.layouts import WIDTHS

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

GLYPH_SHARE = 0.65
"""How much of the pitch an OCR-B character fills: the ink of n characters spans n - 1 pitches and
one glyph."""

GAP_INK = 0.3
"""The most ink between cells, relative to the line's mean, where the number of characters is
right. Wrong numbers leave 0.6 and more, right ones next to nothing."""

SHIFTS = tuple((x, y) for x in (0.0, -0.12, 0.12) for y in (0.0, -0.1, 0.1))
"""How far a cell may be off its place, in shares of the pitch and of the line's height: paper
bends, and cameras look at it askew."""

CELL = (20, 16)
"""Rows and columns that a cell is reduced to before it is compared."""


@dataclass(frozen=True)
class Grid:
    """Where the characters are: `bands` are top and bottom of each line, `edges` the columns
    between which its characters stand (one more than there are characters)."""

    picture: Grey
    bands: tuple[tuple[int, int], ...]
    edges: tuple[NDArray[np.float64], ...]

    @property
    def width(self) -> int:
        return len(self.edges[0]) - 1

    def cut(self, line: int, start: int, end: int, margin: int = 0) -> Grey:
        """The characters `start` to `end` (exclusive) of a line, with `margin` pixels above and
        below."""
        top, bottom = self.bands[line]
        left, right = round(self.edges[line][start]), round(self.edges[line][end])
        return self.picture[max(0, top - margin) : bottom + margin, max(0, left) : max(1, right)]


def find_grid(picture: Grey) -> Grid | None:
    """The cells of the MRZ that a picture shows upright and level, or None where there is none."""
    mask = _ink(picture)
    best: tuple[float, Grid] | None = None
    for width, height in WIDTHS.items():
        bands = _bands(mask, height)
        combs = [_comb(mask[top:bottom], width) for top, bottom in bands]
        found = [comb for comb in combs if comb is not None]
        if len(found) != height:
            continue
        gap_ink = max(comb[0] for comb in found)
        if gap_ink < GAP_INK and (best is None or gap_ink < best[0]):
            grid = Grid(picture, tuple(bands), tuple(comb[1] for comb in found))
            best = (gap_ink, grid)
    return best[1] if best else None


def filler_likeness(grid: Grid) -> NDArray[np.float64] | None:
    """How each cell correlates with the mean filler, lines × characters, −1 to 1; None where no
    family of cells that look alike has a filler's shape. Upside down, `>` is that shape."""
    shifted = np.array([_cells(grid, shift) for shift in SHIFTS])
    cells = shifted[0]
    alike = cells @ cells.T
    for seed in np.argsort(-(alike > 0.85).sum(axis=1), kind="stable")[:60]:
        family = alike[seed] > 0.85
        mean = cells[family].mean(axis=0)
        if family.sum() >= 4 and _is_filler_shape(mean):
            mean /= np.linalg.norm(mean) + 1e-9
            likeness = (shifted @ mean).max(axis=0)
            return np.asarray(likeness.reshape(len(grid.bands), grid.width))
    return None


def sheet(grid: Grid, words: Sequence[tuple[int, int, int]], line_height: int, times: int) -> Grey:
    """A picture with each word (line, start, end) on a row of its own, its print about
    `line_height` pixels tall; words of a single character stand there `times` times."""
    tall = int(np.median([bottom - top for top, bottom in grid.bands]))
    cuts = [grid.cut(*word, margin=max(2, tall // 4)) for word in words]
    cuts = [
        np.tile(cut, times) if end - start == 1 else cut
        for cut, (_, start, end) in zip(cuts, words, strict=True)
    ]
    across = max(cut.shape[1] for cut in cuts) + 4 * tall
    ground = int(np.percentile(grid.picture, 75))
    rows = []
    for cut in cuts:
        frame = np.full((cut.shape[0] + tall // 2, across), ground, np.uint8)
        frame[tall // 4 : tall // 4 + cut.shape[0], 2 * tall : 2 * tall + cut.shape[1]] = cut
        rows.append(frame)
    return resized(np.vstack(rows), line_height / tall)


def resized(picture: Grey, scale: float) -> Grey:
    """The picture at another scale."""
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, None, fx=scale, fy=scale, interpolation=how), np.uint8)


def _ink(picture: Grey) -> Mask:
    """Where dark print stands on lighter ground."""
    size = max(15, picture.shape[0] // 4) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_RECT, (size, size))
    hat = cv2.morphologyEx(picture, cv2.MORPH_BLACKHAT, kernel)
    _, mask = cv2.threshold(hat, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    return mask.astype(bool)


def _spans(present: Mask) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], present.astype(np.int8), [0]))))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _bands(mask: Mask, count: int) -> list[tuple[int, int]]:
    """Top and bottom of the `count` lowest lines of print; the MRZ is the lowest on its page."""
    across = mask.sum(axis=1)
    bands = _spans(np.asarray(across > 0.25 * np.percentile(across, 95)))
    tall = max((bottom - top for top, bottom in bands), default=0)
    bands = [(top, bottom) for top, bottom in bands if bottom - top > 0.5 * tall]
    return bands[-count:] if tall >= 6 else []


def _extent(mask: Mask) -> tuple[int, int] | None:
    """Left and right end of a line's longest piece of print: what lies further apart than two of
    the line's heights does not belong together."""
    joined: list[tuple[int, int]] = []
    for start, end in _spans(np.asarray(mask.any(axis=0))):
        if joined and start - joined[-1][1] < 2 * mask.shape[0]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return max(joined, key=lambda span: span[1] - span[0], default=None)


def _comb(mask: Mask, width: int) -> tuple[float, NDArray[np.float64]] | None:
    """How much ink lies between `width` cells fitted to a line, relative to its mean, and the
    fitted edges; None where cells of that width would not have a character's proportions."""
    ends = _extent(mask)
    if ends is None:
        return None
    pitch = (ends[1] - ends[0]) / (width - 1 + GLYPH_SHARE)
    if not 0.45 < pitch / mask.shape[0] < 1.6:
        return None
    columns = cv2.blur(mask.sum(axis=0).astype(np.float64)[None], (3, 1))[0]
    mean = columns[ends[0] : ends[1]].mean()
    best: tuple[float, NDArray[np.float64]] | None = None
    for stretch in np.linspace(-0.012, 0.012, 9):
        for shift in np.linspace(-0.25, 0.25, 11):
            step = pitch * (1 + stretch)
            start = ends[0] - step * (1 - GLYPH_SHARE) / 2 + shift * step
            edges = start + step * np.arange(width + 1)
            at = np.clip(np.round(edges), 0, columns.size - 1).astype(int)
            between = float(columns[at].mean() / mean)
            # The middle of a wide gap is better than its rim.
            between += 1e-3 * abs(shift)
            if best is None or between < best[0]:
                best = (between, np.clip(edges, 0, columns.size))
    return best


def _cells(grid: Grid, shift: tuple[float, float]) -> NDArray[np.float64]:
    """Every cell, moved by shares of a pitch to the right and of a line down: reduced, dark print
    positive, each of mean 0 and norm 1."""
    cells = []
    for (top, bottom), edges in zip(grid.bands, grid.edges, strict=True):
        down = round(shift[1] * (bottom - top))
        columns = np.round(edges + shift[0] * (edges[1] - edges[0])).astype(int)
        for left, right in pairwise(columns.tolist()):
            cut = grid.picture[max(0, top + down) : bottom + down, max(0, left) : max(1, right)]
            cells.append(_reduced(cut))
    return np.array(cells)


def _reduced(cut: Grey) -> NDArray[np.float64]:
    if min(cut.shape) < 2:
        return np.zeros(CELL[0] * CELL[1])
    small = cv2.resize(cut, (CELL[1], CELL[0]), interpolation=cv2.INTER_AREA).astype(np.float64)
    flat = (small.mean() - small).ravel()
    return np.asarray(flat / (np.linalg.norm(flat) + 1e-9))


def _is_filler_shape(cell: NDArray[np.float64]) -> bool:
    """Whether ink runs from the right edge's ends to the middle of the left one, as in `<`; true
    of `>` too, which is how a filler looks upside down."""
    shape = cell.reshape(CELL)
    shape = shape - shape.min()
    thirds = CELL[1] // 3
    sides = (shape[:, 1 : 1 + thirds], shape[:, -1 - thirds : -1])
    middle = slice(CELL[0] * 3 // 8, CELL[0] * 5 // 8)
    tips = [side[middle].mean() / (side.mean() + 1e-9) for side in sides]
    return bool(max(tips) > 1.4 and min(tips) < 0.9)
