"""From the locator's maps to lines: whatever the rotation, cores that merge, lines in pieces."""

from collections.abc import Sequence

import numpy as np
import pytest

from scanner.vision.blocks import blocks
from scanner.vision.lines import (
    AXIS_COSINE,
    AXIS_SINE,
    CAP_UNIT,
    CORE,
    COSINE,
    MAP_STEP,
    SINE,
    SIZE,
    TOWARDS_X,
    TOWARDS_Y,
    WITHIN,
    median,
)
from tests.reading.locator_maps import Whole, seen

CAP = 5.0
PITCH = 5.2
GAP = 2.5 * CAP
SHAPE = (256, 256)
AS_IT_IS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
"""A frame that the locator sees in its own size."""


def mrz(
    lines: int, width: int, centre: tuple[float, float] = (256.0, 256.0), degrees: float = 0.0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """The ends of the lines of an MRZ of so many characters, in px of the locator's input."""
    angle = np.radians(degrees)
    along = np.array([np.cos(angle), np.sin(angle)])
    down = np.array([-along[1], along[0]])
    half = along * width * PITCH / 2
    middles = [np.array(centre) + down * GAP * (i - (lines - 1) / 2) for i in range(lines)]
    return [(middle - half, middle + half) for middle in middles]


def drawn(ends: Sequence[tuple[np.ndarray, np.ndarray]], thickness: float = 0.5) -> Whole:
    """What a perfect locator says of such lines; `thickness` is half a core's, in capitals."""
    maps = np.zeros((*SHAPE, 9), np.float32)
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]]
    points = (np.stack([x, y], axis=-1) + 0.5) * MAP_STEP
    for start, end in ends:
        along = (end - start) / np.hypot(*(end - start))
        down = np.array([-along[1], along[0]])
        u, v = (points - start) @ along, (points - start) @ down
        inside = (u > 0) & (u < np.hypot(*(end - start))) & (np.abs(v) < thickness * CAP)
        fresh = inside & (maps[..., CORE] == 0)
        maps[fresh] = 0
        maps[fresh, CORE] = maps[fresh, WITHIN] = 0.97
        maps[fresh, COSINE], maps[fresh, SINE] = along
        maps[fresh, SIZE] = np.log(CAP / CAP_UNIT)
        maps[fresh, AXIS_COSINE] = along[0] ** 2 - along[1] ** 2
        maps[fresh, AXIS_SINE] = 2 * along[0] * along[1]
        maps[fresh, TOWARDS_X : TOWARDS_Y + 1] = -v[fresh, None] / CAP * down
    return maps


def assert_found(maps: Whole, ends: Sequence[tuple[np.ndarray, np.ndarray]]) -> None:
    found = blocks(seen(maps), AS_IT_IS)
    assert found, "no block was found"
    assert len(found[0].lines) == len(ends)
    for line, (start, end) in zip(found[0].lines, ends, strict=True):
        # Frames count px centres, the drawing counts px edges.
        assert np.hypot(*(np.asarray(line.start) + 0.5 - start)) < 0.6 * CAP
        assert np.hypot(*(np.asarray(line.end) + 0.5 - end)) < 0.6 * CAP
        assert line.cap == pytest.approx(CAP, rel=0.05)


@pytest.mark.parametrize("degrees", [0, 7, 45, 90, 135, 180, -90, -3])
@pytest.mark.parametrize(("lines", "width"), [(2, 44), (2, 36), (3, 30)])
def test_lines_are_found_in_reading_order_at_any_rotation(
    lines: int, width: int, degrees: float
) -> None:
    ends = mrz(lines, width, degrees=degrees)
    assert_found(drawn(ends), ends)


def test_lines_whose_cores_have_grown_together_are_parted() -> None:
    ends = mrz(2, 44, degrees=2)
    assert_found(drawn(ends, thickness=1.3), ends)


def test_a_line_that_glare_broke_in_two_is_one_line() -> None:
    ends = mrz(2, 44)
    maps = drawn(ends)
    maps[:, 120:130, CORE] = 0.0
    assert_found(maps, ends)


def test_a_line_whose_start_a_finger_hides_is_as_long_as_the_other() -> None:
    ends = mrz(2, 44)
    maps = drawn(ends)
    hidden = int(ends[0][0][1] / MAP_STEP)
    maps[hidden - 4 : hidden + 4, :90, CORE] = 0.0
    assert_found(maps, ends)


def test_the_frame_is_larger_than_what_the_locator_saw() -> None:
    ends = mrz(2, 44)
    (block,) = blocks(seen(drawn(ends)), 3.75 * AS_IT_IS)
    assert block.lines[0].cap == pytest.approx(3.75 * CAP, rel=0.05)
    assert block.lines[0].length == pytest.approx(3.75 * 44 * PITCH, rel=0.03)


def test_two_documents_are_two_blocks() -> None:
    one, other = mrz(2, 44, (256, 120), 4), mrz(3, 30, (256, 380), 176)
    found = blocks(seen(drawn([*one, *other])), AS_IT_IS)
    assert sorted(len(block.lines) for block in found) == [2, 3]


def test_a_single_short_run_of_print_is_no_block() -> None:
    assert blocks(seen(drawn(mrz(1, 8))), AS_IT_IS) == []


def test_an_empty_desk_has_no_blocks() -> None:
    assert blocks(seen(np.zeros((*SHAPE, 9), np.float32)), AS_IT_IS) == []


def test_scattered_pixels_are_no_line() -> None:
    maps = np.zeros((*SHAPE, 9), np.float32)
    rng = np.random.default_rng(4)
    maps[rng.integers(256, size=600), rng.integers(256, size=600), CORE] = 0.9
    maps[..., AXIS_COSINE : SINE + 1] = rng.normal(size=(*SHAPE, 4))
    assert blocks(seen(maps), AS_IT_IS) == []


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_medians_are_those_of_numpy_to_the_bit(kind: type[np.floating]) -> None:
    rng = np.random.default_rng(5)
    for length in range(1, 60):
        values = rng.normal(size=(3, length)).astype(kind)
        assert np.array_equal(median(values), np.median(values, axis=1))
