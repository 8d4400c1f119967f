"""Cells are found in the picture alone: how many characters a line has, and which are fillers."""

import cv2
import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER, Specimen
from scanner.vision.cells import Grey, filler_likeness, find_grid, resized
from scanner.vision.views import FILLER, NO_FILLER

with_lines = pytest.mark.parametrize(
    "specimen", [s for s in SPECIMENS if s.lines], ids=lambda specimen: specimen.file
)


def mrz_of(specimen: Specimen) -> Grey:
    """The lowest part of the page, where the MRZ is printed, without the desk."""
    picture = cv2.imread(str(SPECIMENS_FOLDER / specimen.file), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    depth = 150 if len(specimen.lines) == 2 else 215
    strip = picture[-75 - depth : -75, 78:-78]
    return resized(np.asarray(strip, np.uint8), 1050 / strip.shape[1])


@with_lines
def test_a_grid_has_the_lines_and_characters_that_are_printed(specimen: Specimen) -> None:
    grid = find_grid(mrz_of(specimen))
    assert grid is not None
    assert (len(grid.bands), grid.width) == (len(specimen.lines), len(specimen.lines[0]))


@with_lines
def test_fillers_are_told_from_characters(specimen: Specimen) -> None:
    grid = find_grid(mrz_of(specimen))
    assert grid is not None
    likeness = filler_likeness(grid)
    assert likeness is not None
    printed = np.array([[c == "<" for c in line] for line in specimen.lines])
    assert likeness[~printed].max() < FILLER
    assert likeness[printed].min() > NO_FILLER
    assert np.mean(likeness[~printed] <= NO_FILLER) > 0.9
    assert np.mean(likeness[printed] >= FILLER) > 0.75


def test_a_grid_is_found_upside_down_as_well() -> None:
    specimen = SPECIMENS[0]
    grid = find_grid(np.ascontiguousarray(mrz_of(specimen)[::-1, ::-1]))
    assert grid is not None
    assert grid.width == len(specimen.lines[0])


@pytest.mark.parametrize(
    "picture",
    [
        np.full((150, 1050), 200, np.uint8),
        np.zeros((10, 10), np.uint8),
        np.random.default_rng(5).integers(0, 255, (150, 1050)).astype(np.uint8),
        np.tile(np.array([[0, 255]], np.uint8), (150, 525)),
    ],
    ids=["plain", "tiny", "noise", "stripes"],
)
def test_a_picture_without_an_mrz_has_no_fillers(picture: Grey) -> None:
    grid = find_grid(picture)
    assert grid is None or filler_likeness(grid) is None
