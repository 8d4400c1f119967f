"""Whether a picture itself shows another character than was meant.

Wear, a hand or the frame's edge can take from a letter just what tells it from another: an R
without its leg is a P to every eye. A reader that reads P there reads what is printed, and no
threshold could be so high that it did not. So where a reading differs from what was meant, the
place in question is cut out of the finished picture, and clean glyphs of both characters, in every
face, weight and blur that print has, are laid over it: the picture shows the one that fits better.
No network has a say in this.
"""

from collections.abc import Iterator
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from models.training.cuts import level
from models.training.pages import Scene
from models.training.textures import Grey
from models.training.truth import LineTruth
from models.training.typeface import CAP as DRAWN_CAP
from models.training.typeface import OCR_B, OTHERS, glyph
from scanner.vision.shapes import CAP, HEIGHT

BETTER = 0.01
"""By how much the other character must correlate better."""
_ACROSS, _DOWN = 8, 10
"""Half of a glyph's window, px."""
_PLAY = 3
"""How far a character may stand from where it should, px."""
_BODIES = (84, 99, 114)
_WEIGHTS = (-8, 0, 8, 16)
_BLURS = (0.0, 0.8, 1.5)


def cannot_be_known(scene: Scene, lines: tuple[str, ...]) -> bool:
    """Whether nobody can read the scene as it was meant: what distinguishes a character is cut off,
    or the picture shows these lines."""
    return scene.cut_off or shows(scene, lines)


def shows(scene: Scene, lines: tuple[str, ...]) -> bool:
    """Whether the scene shows these lines, though others were meant: of one of its documents they
    differ in single characters alone, and at each of these the picture fits better to what they
    say."""
    for number in {line.document for line in scene.lines}:
        meant = [line for line in scene.lines if line.document == number]
        if [len(line.text) for line in meant] == [len(line) for line in lines] and all(
            _shows_line(scene.frame, line, read) for line, read in zip(meant, lines, strict=True)
        ):
            return True
    return False


def _shows_line(frame: Grey, line: LineTruth, read: str) -> bool:
    places = [i for i, (a, b) in enumerate(zip(line.text, read, strict=True)) if a != b]
    if not places:
        return True
    strip, centres = level(frame, line)
    return all(
        fit(strip, centres[i], read[i]) > fit(strip, centres[i], line.text[i]) + BETTER
        for i in places
    )


def fit(strip: Grey, centre: float, character: str) -> float:
    """The best correlation of any clean glyph of a character with dark print at a place of a level
    strip: 1 is the same, 0 nothing alike."""
    middle, left = (HEIGHT - 1) / 2, round(centre) - _ACROSS - _PLAY
    rows = slice(round(middle) - _DOWN - _PLAY, round(middle) + _DOWN + _PLAY)
    window = np.float32(255) - strip[rows, max(0, left) : left + 2 * (_ACROSS + _PLAY)]
    return max(
        float(cv2.matchTemplate(window, clean, cv2.TM_CCOEFF_NORMED).max())
        for clean in _clean(character)
    )


@lru_cache(maxsize=64)
def _clean(character: str) -> tuple[NDArray[np.float32], ...]:
    return tuple(_drawn(character))


def _drawn(character: str) -> Iterator[NDArray[np.float32]]:
    """A character's glyphs at the strip's scale."""
    scale = CAP / DRAWN_CAP
    for font in (*OCR_B, *OTHERS):
        for body in _BODIES:
            for weight in _WEIGHTS:
                cell = glyph(font, character, body, weight).astype(np.float32)
                small = cv2.resize(cell, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
                y, x = small.shape[0] // 2, small.shape[1] // 2
                cut = small[y - _DOWN : y + _DOWN, x - _ACROSS : x + _ACROSS]
                for blur in _BLURS:
                    yield cv2.GaussianBlur(cut, (0, 0), blur) if blur else cut
