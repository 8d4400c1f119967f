"""Strips cut out of frames: straight whatever the line's way, and straightened where it curls."""

import numpy as np
import pytest

from scanner.vision.blocks import Block
from scanner.vision.lines import Line
from scanner.vision.rectify import Pyramid, Ruling, first_ruling, refined
from scanner.vision.shapes import CAP, EDGE, HEIGHT, PITCH

COUNT = 44
CENTRES = EDGE + (np.arange(COUNT) + 0.5) * PITCH - 0.5
MIDDLE = (HEIGHT - 1) / 2


def line(
    start: tuple[float, float], end: tuple[float, float], caps: tuple[float, float] = (14.0, 14.0)
) -> Line:
    return Line(start, end, caps, 0.9)


def ramp(width: int, height: int) -> np.ndarray:
    """A frame whose grey tells how far along a px is."""
    return np.tile(np.linspace(0, 250, width), (height, 1)).astype(np.uint8)


def test_a_line_as_located_is_ruled_from_end_to_end_at_one_pitch_a_character() -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 200)),)), COUNT)
    assert ruling.width == 2 * EDGE + COUNT * PITCH
    (places,) = ruling.place(np.array([EDGE - 0.5, ruling.width - EDGE - 0.5]), np.full(2, MIDDLE))
    assert places == pytest.approx(np.array([100 + 200j, 716 + 200j]), abs=0.1)
    assert np.abs(ruling.down[0]) == pytest.approx(np.full(ruling.width, 14 / CAP), abs=0.02)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180, 275])
def test_a_strip_reads_along_the_line_whatever_its_way_in_the_frame(degrees: float) -> None:
    angle = np.radians(degrees)
    along = np.array([np.cos(angle), np.sin(angle)])
    y, x = np.mgrid[:800, :800]
    told = 125 + ((x - 400) * along[0] + (y - 400) * along[1]) * 0.3
    frame = np.clip(told, 0, 255).astype(np.uint8)
    start, end = (tuple(np.array([400.0, 400.0]) + side * 300 * along) for side in (-1, 1))
    ruling = first_ruling(Block((line(start, end, (13.0, 13.0)),)), COUNT)
    (strip,) = Pyramid(frame).strips(ruling)
    assert strip.shape == (HEIGHT, ruling.width)
    inner = strip[:, EDGE:-EDGE].astype(float)
    assert (np.diff(inner.mean(axis=0)) > -0.5).all()
    assert inner[:, -1].mean() - inner[:, 0].mean() == pytest.approx(180, abs=4)
    assert np.ptp(inner, axis=0).max() < 4, "the strip leans"


def test_in_perspective_capitals_are_as_tall_at_either_end() -> None:
    ruling = first_ruling(Block((line((50, 300), (650, 300), (20.0, 12.0)),)), COUNT)
    tall = np.abs(ruling.down[0]) * CAP
    assert tall[EDGE] == pytest.approx(20, rel=0.05)
    assert tall[-EDGE] == pytest.approx(12, rel=0.05)
    assert ruling.middle[0, len(tall) // 2].real > 350, "the nearer half takes more of the frame"


def test_print_that_leans_is_ruled_as_it_leans() -> None:
    block = Block((line((100, 200), (700, 200)), line((110, 235), (710, 235))))
    for down in first_ruling(block, COUNT).down:
        assert down.real / down.imag == pytest.approx(np.full(len(down), 10 / 35), abs=0.02)


def test_print_much_larger_than_a_strip_is_cut_from_a_reduced_frame_without_moving() -> None:
    frame = np.zeros((1200, 6400), np.uint8)
    frame[:, 3200:] = 255
    (strip,) = Pyramid(frame).strips(
        first_ruling(Block((line((200, 600), (6200, 600), (130.0, 130.0)),)), COUNT)
    )
    step = np.argmax(strip[HEIGHT // 2] > 127)
    assert step == pytest.approx(EDGE + COUNT * PITCH / 2, abs=1.0)


def curled(ruling: Ruling, sag: float) -> tuple[np.ndarray, np.ndarray]:
    """Where characters stand that sag to the middle of a strip, like those of a page that curls:
    how far below its middle, and their place in the frame."""
    rises = sag * (1 - np.linspace(-1, 1, COUNT) ** 2)
    return rises, ruling.place(CENTRES, MIDDLE + rises)[0]


def test_beyond_a_strips_ends_its_line_leads_straight_on() -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 223)),)), COUNT)
    last = ruling.width - 1
    step = ruling.middle[0, 1] - ruling.middle[0, 0]
    ((before, beyond),), down = ruling.at(np.array([-30.0, last + 20.0]))
    assert before == pytest.approx(ruling.middle[0, 0] - 30 * step, abs=1e-6)
    assert beyond == pytest.approx(ruling.middle[0, -1] + 20 * step, abs=0.01)
    assert np.array_equal(down[0], ruling.down[0, [0, last]]), "its capitals stay as they are"


def test_what_is_sought_absurdly_far_out_stays_near_the_strip() -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 223)),)), COUNT)
    middle, down = ruling.at(np.array([-1e30, 1e30]))
    assert np.abs(middle - ruling.middle[0, 0]).max() < 3 * ruling.width
    assert np.isfinite(down).all()


def test_where_lines_run_into_one_another_their_lean_stays_bounded() -> None:
    block = Block((line((100, 200), (716, 200)), line((104, 235), (720, 190))))
    level, sizes = np.zeros((2, COUNT)), np.ones((2, COUNT))
    found = refined(first_ruling(block, COUNT), np.tile(CENTRES, (2, 1)), sizes, level, sizes)
    assert np.abs(found.down).max() < 2000


def test_characters_beyond_the_last_looks_strip_are_cut_out_as_those_within() -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 200)),)), COUNT)
    far = CENTRES[None] + 2.5 * EDGE  # the locator took the line too far to the left
    level, sizes = np.zeros((1, COUNT)), np.ones((1, COUNT))
    found = refined(ruling, far, sizes, level, sizes)
    assert np.abs(found.down[0]) == pytest.approx(np.full(found.width, 14 / CAP), rel=0.05)
    assert np.diff(found.middle[0].real) == pytest.approx(
        np.full(found.width - 1, 14 / CAP), rel=0.1
    )


@pytest.mark.parametrize("sag", [-9.0, 5.0, 12.0])
def test_a_curled_line_is_straight_on_the_next_look(sag: float) -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 210)),)), COUNT)
    rises, there = curled(ruling, sag)
    next_one = refined(ruling, CENTRES[None], np.ones((1, COUNT)), rises[None], np.ones((1, COUNT)))
    (found,) = next_one.place(CENTRES, np.full(COUNT, MIDDLE))
    assert np.abs(found - there).max() < 0.8


def test_characters_that_stood_too_small_and_too_close_have_their_size_next_time() -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 200)),)), COUNT)
    shrunk = (CENTRES - CENTRES.mean()) * 0.9 + CENTRES.mean()
    ones = np.ones((1, COUNT))
    next_one = refined(ruling, shrunk[None], ones, 0 * ones, 0.8 * ones)
    found = next_one.place(CENTRES, np.full(COUNT, MIDDLE))
    assert found == pytest.approx(ruling.place(shrunk, np.full(COUNT, MIDDLE)), abs=0.3)
    assert np.abs(next_one.down[0]) * CAP == pytest.approx(
        np.full(next_one.width, 0.8 * 14), rel=0.03
    )


def test_a_few_characters_that_were_misplaced_bend_nothing() -> None:
    ruling = first_ruling(Block((line((100, 200), (716, 200)),)), COUNT)
    places, rises = CENTRES.copy(), np.zeros(COUNT)
    places[[7, 30]] += 9
    rises[[7, 20, 30]] = 8
    ones = np.ones((1, COUNT))
    next_one = refined(ruling, places[None], ones, rises[None], ones)
    found = next_one.place(CENTRES, np.full(COUNT, MIDDLE))
    truth = ruling.place(CENTRES, np.full(COUNT, MIDDLE))
    assert np.abs(found - truth).max() < 1.0
