"""Why a picture was not read, as far as it shows: what an officer can do about it.

Asked only of what was not *read*, and only about the frame that showed most. What is judged is the
MRZ alone, cut out level at `PITCH` px a character, each character a cell; where none was located,
the picture as a whole. The first reason that holds is told, the surest first:

- *too dark*: even the paper between the characters is dark;
- *too far*: characters of fewer px than are needed to tell them apart;
- *glare*: cells that are brighter than the paper and have next to no print left in them;
- *moving*: edges are soft along some direction (the document or the camera moved) or along all (out
  of focus, which looks alike and passes when the document lies still);
- *unclear*: none of these, so the print itself is worn, covered or cut off.
"""

from dataclasses import dataclass, replace
from types import MappingProxyType

import cv2
import numpy as np
from numpy.typing import NDArray

from scanner.mrz.reading import Reading, Status, Why
from scanner.said import said
from scanner.vision.blocks import Block
from scanner.vision.lines import LINE_CAPS
from scanner.vision.shapes import PITCH

Grey = NDArray[np.uint8]
Box = tuple[tuple[float, float], ...]

SENTENCES = MappingProxyType(
    {
        Why.TOO_DARK: said("the picture is too dark: switch the lamp on"),
        Why.TOO_FAR: said("the MRZ is too small in the picture: bring the document closer"),
        Why.GLARE: said("a reflection covers the MRZ: turn the document or tilt the lamp"),
        Why.MOVING: said("the MRZ is blurred: let the document lie still and flat"),
        Why.NO_MRZ: said("no MRZ was found in the picture"),
        Why.UNCLEAR: said("the MRZ is worn, covered or cut off: lay the page down whole and flat"),
    }
)
"""One line for a person; each says what to do where something can be done."""

DARK_PAPER = 60.0
"""Of 255: paper under a lamp has twice as much and more."""
FEWEST_PX = 7.0
"""Pixels a character. Those of a page 375 pixels wide still have so many."""
LIT_SHARE = 0.03
BRIGHTER = 12.0
SATURATED = 252.0
MOSTLY = 0.2
"""So many cells without any print in an MRZ are no empty ones of a scan."""
PRINT_LEFT = 0.4
"""Cells with less than this share of the usual contrast have next to no print left."""
SOFT = 0.07
"""The mean change over `STEP` px along one direction, of the paper's brightness. Sharp print has
0.12 to 0.18, and about 0.06 where blur begins to cost the reading."""
STEP = 3

_CAP_ABOVE = 0.72


@dataclass(frozen=True)
class Nothing:
    """Why one frame gave no lines: in a line for people, and in a word where one fits."""

    note: str
    why: Why | None = None

    def or_rather(self, later: "Nothing") -> "Nothing":
        """What to tell of two frames: that an MRZ was seen and not read says more."""
        return self if later.why is Why.NO_MRZ and self.why is not None else later


@dataclass(frozen=True)
class Place:
    """Where an MRZ is, or may be, in a picture: its corners, clockwise from the first line's start,
    its lines and the characters of each."""

    box: Box
    lines: int
    characters: int

    @property
    def pitch(self) -> float:
        """Pixels a character, where they are fewest."""
        (a, b), (c, d) = self.box[:2], self.box[2:]
        sides = (np.hypot(b[0] - a[0], b[1] - a[1]), np.hypot(d[0] - c[0], d[1] - c[1]))
        return float(min(sides)) / self.characters


def place_of(block: Block) -> Place:
    """Where the locator took an MRZ to be. Characters are about as wide as capitals are tall."""
    first, last = block.lines[0], block.lines[-1]
    over, under = (
        np.array([-line.direction[1], line.direction[0]]) * _CAP_ABOVE * line.cap
        for line in (first, last)
    )
    corners = (first.start - over, first.end - over, last.end + under, last.start + under)
    characters = max(1, round(first.length / max(first.cap, 1e-6)))
    return Place(tuple((float(x), float(y)) for x, y in corners), len(block.lines), characters)


def why(grey: Grey, place: Place | None) -> Why:
    """The likeliest reason why `grey` was not read; `place` in its pixels, None where no MRZ was
    located."""
    if place is None:
        dark = float(np.percentile(grey[::4, ::4], 95)) < DARK_PAPER
        return Why.TOO_DARK if dark else Why.NO_MRZ
    cells = _cells(grey, place)
    if float(np.median(np.percentile(cells, 90, axis=(2, 3)))) < DARK_PAPER:
        return Why.TOO_DARK
    if place.pitch < FEWEST_PX:
        return Why.TOO_FAR
    if lit_share(cells) > LIT_SHARE:
        return Why.GLARE
    return Why.MOVING if hardness(cells) < SOFT else Why.UNCLEAR


def nothing(grey: Grey, place: Place | None) -> Nothing:
    """Why a frame gave no lines."""
    reason = why(grey, place)
    return Nothing(SENTENCES[reason], reason)


def explained(reading: Reading, grey: Grey, box: Box | None = None) -> Reading:
    """The reading with why it was not *read*, in a word for programs and, where it says nothing
    yet, in a line for people. `box` is where it was read in the pixels of `grey`."""
    if reading.status is Status.READ:
        return reading
    place = Place(box, len(reading.lines), len(reading.lines[0])) if box and reading.lines else None
    reason = why(grey, place)
    return replace(reading, why=reason, note=reading.note or SENTENCES[reason])


def lit_share(cells: Grey) -> float:
    """The share of cells over which a reflection lies."""
    low, high = (np.percentile(cells, share, axis=(2, 3)) for share in (5, 95))
    paper = float(np.percentile(high, 25))  # a large reflection covers most of the cells
    mean = cells.mean(axis=(2, 3))
    # A scan's paper is as white as can be: there a cell without print is merely empty.
    brighter = (mean > paper + BRIGHTER) | ((mean > SATURATED) & (paper < SATURATED - 5))
    faint = high - low < PRINT_LEFT * np.percentile(high - low, 75)
    white = (low > SATURATED).mean()
    return float(max((brighter & faint).mean(), white if white > MOSTLY else 0.0))


def hardness(cells: Grey) -> float:
    """How hard the edges of the print are, along the direction in which they are softest."""
    lines = cells.transpose(0, 2, 1, 3).reshape(len(cells), cells.shape[2], -1)
    return float(np.mean([_hardness(np.asarray(line)) for line in lines]))


def _hardness(line: Grey) -> float:
    smooth = cv2.GaussianBlur(line, (0, 0), 1.0).astype(np.float32)
    ahead, here = smooth[STEP:], smooth[:-STEP]
    diagonal = round(STEP / 2**0.5)
    down, up = smooth[diagonal:], smooth[:-diagonal]
    changes = (
        smooth[:, STEP:] - smooth[:, :-STEP],
        ahead - here,
        down[:, diagonal:] - up[:, :-diagonal],
        down[:, :-diagonal] - up[:, diagonal:],
    )
    paper = max(1.0, float(np.percentile(smooth, 95)))
    return min(float(np.abs(change).mean()) for change in changes) / paper


def _cells(grey: Grey, place: Place) -> Grey:
    """Each character's cell: (lines, characters, height, width). A capital is about as tall as a
    character is wide."""
    tall = (place.lines - 1) * LINE_CAPS + 2 * _CAP_ABOVE
    width, height = place.characters * PITCH, round(tall * PITCH)
    level = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    matrix = cv2.getPerspectiveTransform(np.array(place.box, np.float32), level)
    cut = cv2.warpPerspective(grey, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    half = round(0.6 * PITCH)
    middles = [round((_CAP_ABOVE + i * LINE_CAPS) * PITCH) for i in range(place.lines)]
    strips = np.stack([cut[middle - half : middle + half] for middle in middles])
    shape = (place.lines, 2 * half, place.characters, PITCH)
    return np.asarray(strips.reshape(shape).transpose(0, 2, 1, 3), np.uint8)
