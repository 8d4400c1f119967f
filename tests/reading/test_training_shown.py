"""Whether a drawn picture shows what was meant: thresholds rest on it (needs Debian's fonts)."""

import string

import numpy as np
import pytest

from models.training.cuts import level
from models.training.pages import Scene
from models.training.shown import cannot_be_known, fit, shows
from models.training.truth import LineTruth
from models.training.typeface import FONTS, OCR_B, OTHERS, Style, print_line

pytestmark = pytest.mark.skipif(
    not all((FONTS / font).exists() for font in (*OCR_B, *OTHERS)), reason="needs Debian's fonts"
)
STYLE = Style(OCR_B[0], 1.0, body=1.0, weight=0.0, slant=0.0, jitter=0.0, worn=0.0, softness=1.0)
ALPHABET = string.ascii_uppercase + string.digits + "<"


def scene(*texts: str) -> Scene:
    """Lines of clean print on white paper, 40 px a character."""
    rng = np.random.default_rng(1)
    frame = np.full((120 * len(texts) + 40, 40 * len(texts[0]) + 100), 235, np.uint8)
    lines = []
    for i, text in enumerate(texts):
        line = print_line(rng, STYLE, text)
        height, width = line.ink.shape
        top = 20 + 120 * i
        part = frame[top : top + height, :width]
        part[:] = (235 - line.ink[:, : part.shape[1]] * 205).astype(np.uint8)
        centres = np.stack([line.centres, np.full(len(text), top + line.middle)], axis=1)
        lines.append(LineTruth(text, centres.astype(np.float32), (line.cap, line.cap), 120.0, 0))
    return Scene(frame, tuple(lines), "scan", legible=True)


def without(picture: Scene, line: int, at: int, corner: tuple[float, float]) -> Scene:
    """The scene with a quarter of one character gone: (right, down), each 0 or 1."""
    frame = picture.frame.copy()
    x, y = picture.lines[line].centres[at]
    left, top = round(float(x) - 18 + 18 * corner[0]), round(float(y) + 3 - 22 * (1 - corner[1]))
    frame[top : top + 22, left : left + 18] = 235
    return Scene(frame, picture.lines, "scan", legible=True)


def test_clean_print_fits_no_other_character_better() -> None:
    picture = scene(ALPHABET)
    strip, centres = level(picture.frame, picture.lines[0])
    for i, character in enumerate(ALPHABET):
        own = fit(strip, centres[i], character)
        assert own > 0.9
        # A third of the others each; every character is among them for a third of the others.
        assert all(fit(strip, centres[i], other) <= own for other in ALPHABET[i % 3 :: 3])


@pytest.mark.parametrize("misread", ["P<UTOEPIKSSON", "P<UTOERIKSS0N", "P<UT0ERIKSSON"])
def test_a_reader_that_misreads_clean_print_has_no_excuse(misread: str) -> None:
    picture = scene("P<UTOERIKSSON", "L898902C36UTO")
    assert not shows(picture, (misread, "L898902C36UTO"))
    assert not cannot_be_known(picture, (misread, "L898902C36UTO"))


def test_an_r_whose_leg_is_worn_off_shows_a_p() -> None:
    worn = without(scene("P<UTOERIKSSON", "L898902C36UTO"), 0, 6, (1, 1))
    assert shows(worn, ("P<UTOEPIKSSON", "L898902C36UTO"))
    assert not shows(worn, ("P<UTOEBIKSSON", "L898902C36UTO"))
    assert not shows(worn, ("P<UTOEPIKSS0N", "L898902C36UTO")), "the other error has no excuse"


def test_lines_of_another_length_are_shown_by_no_picture() -> None:
    picture = scene("P<UTOERIKSSON", "L898902C36UTO")
    assert not shows(picture, ("P<UTOERIKSSO", "L898902C36UT"))
    assert not shows(picture, ("P<UTOERIKSSON",))


def test_what_was_meant_and_is_shown_is_shown() -> None:
    picture = scene("P<UTOERIKSSON", "L898902C36UTO")
    assert shows(picture, ("P<UTOERIKSSON", "L898902C36UTO"))
