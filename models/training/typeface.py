"""Lines of MRZ print, drawn large: what a printer puts on paper, before any camera sees it.

Glyphs come from Debian's fonts-ocr-b and are changed the way presses, ribbons and other cuts of
OCR-B change them: thicker and thinner strokes, wider and narrower bodies, a slight slant, dots that
did not take. A few lines are set in other freely licensed faces, because some issuers do. Every
character's centre is known, so a network can be taught column by column.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

FONTS = Path("/usr/share/fonts")
OCR_B = (
    "opentype/ocr-b/OCRB.otf",
    "opentype/ocr-b/OCRBS.otf",
)
OTHERS = (
    "truetype/dejavu/DejaVuSansMono.ttf",
    "truetype/dejavu/DejaVuSansMono-Bold.ttf",
    "truetype/dejavu/DejaVuSans.ttf",
    "truetype/freefont/FreeMonoBold.ttf",
    "truetype/freefont/FreeMono.ttf",
    "truetype/freefont/FreeSans.ttf",
    "truetype/liberation/LiberationMono-Regular.ttf",
    "truetype/liberation/LiberationMono-Bold.ttf",
    "truetype/liberation/LiberationSans-Regular.ttf",
    "truetype/liberation/LiberationSansNarrow-Regular.ttf",
)
CAP = 40
"""Height of a capital in px as drawn."""
CELL = (84, 96)
"""Height and width of a drawn glyph's cell; the capital's middle and centre are the cell's."""
_OVER = 2


@dataclass(frozen=True)
class Style:
    """How a document's MRZ is printed. Lengths are in capitals' heights (`CAP`)."""

    font: str
    pitch: float
    body: float
    """Width of a glyph against the font's own."""
    weight: float
    """Added to a stroke's width, in px at `CAP`; negative is thinner."""
    slant: float
    jitter: float
    """Standard deviation of a character's place, px at `CAP`."""
    worn: float
    """0 is solid ink; 1 is full of holes."""
    softness: float
    """Standard deviation of the ink's edge, px at `CAP`."""


@dataclass(frozen=True)
class Print:
    """One line of print: `ink` is coverage 0 to 1, float32 (height, width)."""

    text: str
    ink: NDArray[np.float32]
    centres: NDArray[np.float32]
    middle: float
    cap: float
    pitch: float


def random_style(rng: np.random.Generator) -> Style:
    """A way to print, most often close to what Doc 9303-3 asks for: OCR-B size 1, ten an inch."""
    plain = rng.random() < 0.93
    fonts = OCR_B if plain else OTHERS
    narrow = rng.random() < 0.15
    return Style(
        font=fonts[rng.integers(len(fonts))],
        pitch=float(
            np.clip(rng.normal(0.97, 0.05), 0.84, 1.12) if not narrow else rng.uniform(0.78, 1.2)
        ),
        body=float(np.clip(rng.normal(1.0, 0.06), 0.8, 1.18)),
        weight=float(np.clip(rng.normal(0.3, 1.5), -2.6, 4.2)),
        slant=float(rng.normal(0, 0.02) if rng.random() < 0.9 else rng.normal(0, 0.1)),
        jitter=float(abs(rng.normal(0, 0.35))),
        worn=float(rng.random() ** 2 * 0.7 if rng.random() < 0.35 else 0.0),
        softness=float(rng.uniform(0.3, 1.6)),
    )


@lru_cache(maxsize=6000)
def glyph(font: str, character: str, body: int, weight: int) -> NDArray[np.uint8]:
    """A glyph in its cell, 0 to 255. `body` in per cent of the font's width, `weight` in quarter
    px. A signed distance moves the outline by the same amount everywhere, as ink spread does."""
    height, width = CELL
    distance = _distance(font, character)
    ink = np.clip(distance + (weight / 4 / 2 * _OVER + 0.5), 0, 1)
    wide = max(8, round(width * body / 100))
    ink = cv2.resize(ink, (wide, height), interpolation=cv2.INTER_AREA) * 255
    cell = np.zeros(CELL, np.uint8)
    if wide <= width:
        at = (width - wide) // 2
        cell[:, at : at + wide] = ink
    else:
        at = (wide - width) // 2
        cell[:] = ink[:, at : at + width]
    return cell


@lru_cache(maxsize=1000)
def _distance(font: str, character: str) -> NDArray[np.float32]:
    """How far inside (positive) or outside the outline each px is, drawn `_OVER` times as large."""
    face, top, bottom = _face(font)
    height, width = CELL
    picture = Image.new("L", (width * _OVER, height * _OVER), 0)
    left, _, right, _ = face.getbbox(character)
    monospaced = "Mono" in font or "ocr-b" in font
    centre = face.getlength(character) / 2 if monospaced else (left + right) / 2
    place = (width * _OVER / 2 - centre, height * _OVER / 2 - (top + bottom) / 2)
    ImageDraw.Draw(picture).text(place, character, fill=255, font=face)
    inked = (np.asarray(picture) > 127).astype(np.uint8)
    inside = cv2.distanceTransform(inked, cv2.DIST_L2, 5)
    outside = cv2.distanceTransform(1 - inked, cv2.DIST_L2, 5)
    return np.asarray(inside - outside, np.float32)


@lru_cache(maxsize=64)
def _face(font: str) -> tuple[ImageFont.FreeTypeFont, float, float]:
    """The font so large that a capital H has twice `CAP`, with the H's top and bottom."""
    path = str(FONTS / font)
    probe = _extent(ImageFont.truetype(path, 400))
    face = ImageFont.truetype(path, round(400 * 2 * CAP / (probe[1] - probe[0])))
    top, bottom = _extent(face)
    return face, top, bottom


def _extent(face: ImageFont.FreeTypeFont) -> tuple[float, float]:
    """First and last inked row of an H; OCR-B's own boxes are those of the cell."""
    picture = Image.new("L", (1200, 1200), 0)
    ImageDraw.Draw(picture).text((100, 100), "H", fill=255, font=face)
    rows = np.flatnonzero(np.asarray(picture).max(axis=1) > 127)
    return float(rows[0] - 100), float(rows[-1] + 1 - 100)


def print_line(rng: np.random.Generator, style: Style, text: str) -> Print:
    """Prints `text`. Two lines of one document share a style and differ in their wear."""
    pitch = style.pitch * CAP
    height, width = CELL
    margin = CAP
    whole = round(pitch * (len(text) - 1)) + 2 * margin + width
    ink = np.zeros((height, whole), np.uint8)
    offsets = rng.normal(0, style.jitter, (len(text), 2))
    rises = np.round(offsets[:, 1] * 0.7).astype(int)
    lefts = np.round(margin + pitch * np.arange(len(text)) + offsets[:, 0]).astype(int)
    body, weight = round(style.body * 33) * 3, round(style.weight * 2) * 2
    for character, left, rise in zip(text, lefts, rises, strict=True):
        drawn = glyph(style.font, character, body, weight)
        cell = ink[max(0, rise) : height + min(0, rise), left : left + width]
        np.maximum(cell, drawn[max(0, -rise) : height - max(0, rise)], out=cell)
    if style.slant:
        shear = np.array([[1, -style.slant, style.slant * height / 2], [0, 1, 0]], np.float32)
        ink = cv2.warpAffine(ink, shear, (whole, height), flags=cv2.INTER_LINEAR)
    if style.worn:
        ink = (ink * _wear(rng, ink.shape, style.worn)).astype(np.uint8)
    if style.softness > 0.5:
        ink = cv2.GaussianBlur(ink, (0, 0), style.softness)
    centres = (lefts + width / 2).astype(np.float32)
    return Print(text, ink / np.float32(255), centres, height / 2, float(CAP), pitch)


def _wear(rng: np.random.Generator, shape: tuple[int, ...], worn: float) -> NDArray[np.float32]:
    """Where ink took: holes of a few px, and slow changes along the line."""
    coarse = rng.random((shape[0] // 5 + 1, shape[1] // 5 + 1), np.float32)
    slow = rng.random((2, shape[1] // 90 + 2), np.float32)
    size = (shape[1], shape[0])
    holes = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
    strength = cv2.resize(slow, size, interpolation=cv2.INTER_LINEAR)
    return np.clip(1.15 - worn * (0.3 + strength) * 1.6 * (holes > 0.55) * holes, 0.15, 1)
