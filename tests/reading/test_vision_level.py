"""The lines of an MRZ laid level: each character stands above what it was read as."""

import cv2
import numpy as np
import pytest

from scanner.mrz.reading import Reading, Status
from scanner.vision.cut import cut_out
from scanner.vision.level import BAND_PX, CHARACTER_PX, levelled


def _page(turn: float) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """A page with two lines of blocks, a black one in every place but the third of the first line
    and the fifth of the second, turned; and the corners of the lines."""
    page = np.full((300, 700), 230, np.uint8)
    lines = ((100, 2), (160, 4))
    for top, missing in lines:
        for at in range(30):
            if at != missing:
                cv2.rectangle(page, (50 + at * 20 + 3, top), (50 + at * 20 + 16, top + 26), 20, -1)
    matrix = cv2.getRotationMatrix2D((350, 150), turn, 0.8)
    corners = np.array([[50, 100], [650, 100], [650, 186], [50, 186]], np.float32)
    turned = cv2.transform(corners[None], matrix)[0]
    seen = cv2.warpAffine(page, matrix, (700, 300), borderValue=230)
    return seen, tuple((float(x), float(y)) for x, y in turned)


@pytest.mark.parametrize("turn", [0.0, 7.0, 180.0])
@pytest.mark.parametrize("colour", [False, True])
def test_every_character_stands_in_its_cell_of_its_band(turn: float, colour: bool) -> None:
    page, box = _page(turn)
    frame = cv2.cvtColor(page, cv2.COLOR_GRAY2BGR) if colour else page
    reading = Reading(Status.READ, ("A" * 30, "B" * 30), "test", box=box)
    cut = cut_out(frame, reading)
    assert cut is not None
    strip = levelled(cut, reading.lines)
    assert strip.shape == (2 * BAND_PX, 30 * CHARACTER_PX)
    cells = strip.reshape(2, BAND_PX, 30, CHARACTER_PX)[:, BAND_PX // 2, :, CHARACTER_PX // 2]
    light = [[at for at, cell in enumerate(line) if cell > 150] for line in cells]
    assert light == [[2], [4]]


@pytest.mark.parametrize("box", [None, ((1.0, 1.0),) * 4])
def test_without_a_place_there_is_no_picture(box: tuple[tuple[float, float], ...] | None) -> None:
    assert cut_out(_page(0)[0], Reading(Status.READ, ("A" * 30,), "test", box=box)) is None


def test_what_is_kept_of_a_picture_is_the_part_with_the_lines() -> None:
    frame = np.zeros((3000, 4000), np.uint8)
    box = ((1000.0, 2000.0), (1880.0, 2000.0), (1880.0, 2080.0), (1000.0, 2080.0))
    cut = cut_out(frame, Reading(Status.READ, ("A" * 44, "B" * 44), "test", box=box))
    assert cut is not None
    assert cut.frame.base is None
    assert cut.frame.nbytes < frame.nbytes / 40
