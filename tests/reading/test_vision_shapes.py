"""Pictures come to a network as training gave them, only in whole steps and with pixels folded."""

import numpy as np
import pytest

from scanner.vision.lines import CORE, MAP_STEP, Maps
from scanner.vision.shapes import FOLD, folded, normalised, quantised
from tests.reading.locator_maps import told

RNG = np.random.default_rng(7)


def test_a_folded_picture_has_its_pixels_row_by_row_in_the_channels() -> None:
    picture = RNG.integers(0, 256, (2, 8, 12, 1)).astype(np.uint8)
    put = folded(picture)
    assert put.shape == (2, 2, 3, FOLD**2)
    for row, column in np.ndindex(2, 3):
        cell = picture[1, row * FOLD : (row + 1) * FOLD, column * FOLD : (column + 1) * FOLD, 0]
        assert np.array_equal(put[1, row, column], cell.ravel())


def test_pixels_of_any_type_are_folded_alike() -> None:
    picture = RNG.integers(0, 256, (1, 32, 64, 1)).astype(np.uint8)
    assert np.array_equal(folded(picture.astype(np.float32)), folded(picture).astype(np.float32))


def test_a_picture_that_cannot_be_folded_is_refused() -> None:
    with pytest.raises(ValueError):
        folded(np.zeros((1, 30, 32, 1), np.uint8))


@pytest.mark.parametrize("tones", [(0, 256), (100, 104), (30, 31)], ids=["all", "few", "one"])
def test_what_a_network_takes_in_is_what_training_gave_it_to_half_a_step(
    tones: tuple[int, int],
) -> None:
    pictures = RNG.integers(*tones, (3, 32, 48)).astype(np.uint8)
    pictures[1] //= 3  # each picture by its own light
    step, zero = 0.03, 13
    taken = quantised(pictures, step, zero)
    assert taken.dtype == np.int8
    meant = folded(normalised(pictures))
    off = (taken.astype(np.float32) - zero) * step - meant
    within = np.abs(meant + zero * step) < 127 * step
    assert np.abs(off[within]).max() <= step / 2 + 1e-5


def test_what_lies_beyond_the_steps_is_cut_and_does_not_come_round() -> None:
    picture = np.full((1, 32, 32), 10, np.uint8)
    picture[0, 0, 0] = 255
    assert quantised(picture, 0.01, 0).max() == 127
    assert quantised(255 - picture, 0.01, 0).min() == -128


def test_maps_are_asked_pixel_by_pixel_though_they_are_kept_folded() -> None:
    height, width = 61, 96
    whole = RNG.uniform(size=(32, 48, 9)).astype(np.float32)
    maps = Maps.of(told(whole), height, width)
    assert maps.core.shape == (-(-height // MAP_STEP), width // MAP_STEP)
    assert np.allclose(maps.core, whole[:31, :, CORE], atol=1e-5)
    y, x = np.nonzero(maps.core > 0.6)
    values = maps.at(x, y)
    assert np.array_equal(values[:, 1:], whole[y, x, 1:])
    assert np.array_equal(values[:, CORE], maps.core[y, x])
