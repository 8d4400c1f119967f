"""What was not read says why: each hindrance is put before a page that is read without it."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from firmware.demo.catalogue import SPECIMENS_FOLDER
from scanner.mrz.reading import Reading, Status, Why
from scanner.vision.litert import LitertReader
from scanner.vision.why import SENTENCES, Nothing, Place, explained, why

Grey = NDArray[np.uint8]
PAGE = "01-passport.jpg"


@pytest.fixture(scope="module")
def reader() -> LitertReader:
    return LitertReader()


def page(file: str = PAGE) -> Grey:
    read = cv2.imread(str(SPECIMENS_FOLDER / file), cv2.IMREAD_GRAYSCALE)
    assert read is not None
    return np.asarray(read, np.uint8)


def shot(light: NDArray[np.floating] | Grey) -> Grey:
    """With a sensor's noise."""
    noise = np.random.default_rng(1).normal(0, 3, light.shape)
    return np.asarray(np.clip(light + noise, 0, 255), np.uint8)


def smaller(grey: Grey, scale: float) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


def moved(grey: Grey, pixels: int, across: bool) -> Grey:
    kernel = np.full((1, pixels) if across else (pixels, 1), 1 / pixels, np.float32)
    return np.asarray(cv2.filter2D(grey, -1, kernel), np.uint8)


def mirrored(grey: Grey, reach: float) -> NDArray[np.float64]:
    """A lamp's reflection over the middle of the MRZ, so wide as a share of the page."""
    height, width = grey.shape
    y, x = np.mgrid[:height, :width]
    spot = ((x - 0.5 * width) / (reach * width)) ** 2 + ((y - 0.9 * height) / (reach * width)) ** 2
    return np.asarray(grey * 0.7 + 400 * np.exp(-spot), np.float64)


def covered(grey: Grey) -> Grey:
    """A thumb over a fifth of the lines."""
    height, width = grey.shape
    under = grey.copy()
    under[int(0.82 * height) :, width // 4 : int(0.45 * width)] = 140
    return under


def test_without_a_hindrance_the_page_is_read_and_nothing_is_explained(
    reader: LitertReader,
) -> None:
    reading = reader.read([shot(page())])
    assert reading.status is Status.READ
    assert reading.why is None
    assert reading.note is None


@pytest.mark.parametrize(
    ("hindered", "reason"),
    [
        (page() * 0.02, Why.TOO_DARK),
        (smaller(page(), 0.16), Why.TOO_FAR),
        (mirrored(page(), 0.1), Why.GLARE),
        (mirrored(page(), 0.2), Why.GLARE),
        (moved(page(), 41, across=True), Why.MOVING),
        (moved(page(), 25, across=False), Why.MOVING),
        (cv2.GaussianBlur(page(), (0, 0), 6.5), Why.MOVING),
        (covered(page()), Why.UNCLEAR),
        (page("09-empty-desk.jpg"), Why.NO_MRZ),
        (np.zeros((480, 640)), Why.TOO_DARK),
    ],
    ids=[
        "a lamp that is off",
        "far away",
        "a small reflection",
        "a large reflection",
        "moved along the lines",
        "moved across the lines",
        "out of focus",
        "a thumb",
        "an empty desk",
        "darkness",
    ],
)
def test_what_hinders_is_told(reader: LitertReader, hindered: Grey, reason: Why) -> None:
    reading = reader.read([shot(hindered)])
    assert reading.status is not Status.READ
    assert reading.why is reason
    assert reading.note == SENTENCES[reason]


@pytest.mark.parametrize("gain", [0.3, 0.6, 1.0])
def test_light_that_is_enough_is_no_reason(gain: float) -> None:
    place = Place(box_of(page()), lines=2, characters=44)
    assert why(shot(page() * gain), place) is Why.UNCLEAR


def test_the_empty_end_of_a_scanned_line_is_no_reflection() -> None:
    scan = page().copy()
    left, right = 1200, 1300
    scan[int(0.8 * scan.shape[0]) :, left:right] = 255
    scan[scan > 150] = 255
    assert why(scan, Place(box_of(page()), lines=2, characters=44)) is Why.UNCLEAR


def box_of(grey: Grey) -> tuple[tuple[float, float], ...]:
    """Where the reader finds the MRZ of the page as it is."""
    box = LitertReader().read([grey]).box
    assert box is not None
    return box


def test_a_frame_with_an_mrz_that_was_not_read_says_more_than_one_without() -> None:
    blurred, bare = Nothing("blurred", Why.MOVING), Nothing("nothing", Why.NO_MRZ)
    assert blurred.or_rather(bare) is blurred
    assert bare.or_rather(blurred) is blurred
    assert blurred.or_rather(Nothing("shone upon", Why.GLARE)).why is Why.GLARE


def test_what_a_reader_says_itself_stays_beside_the_code() -> None:
    doubtful = Reading(Status.DOUBTFUL, ("A" * 44, "B" * 44), "any", note="a check digit is wrong")
    told = explained(doubtful, shot(page()), box_of(page()))
    assert told.note == "a check digit is wrong"
    assert told.why is Why.UNCLEAR
