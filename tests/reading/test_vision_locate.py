"""How frames of every size are shown to the locator: few shapes, and never too many pixels."""

from itertools import product

import numpy as np
import pytest

from scanner.vision.interpreter import Floats
from scanner.vision.locate import MOST_PIXELS, MULTIPLE, VIEWS, Locator, View
from scanner.vision.shapes import FOLD

SIZES = sorted(product((120, 333, 480, 640, 768, 1080, 1280, 1920, 3000), repeat=2))


class Blind:
    """A locator's network that sees nothing, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shapes: set[tuple[int, ...]] = set()

    def look_at(self, pictures: np.ndarray) -> list[Floats]:
        _, height, width = pictures.shape
        self.shapes.add((1, height, width, 1))
        return [np.full((1, height // FOLD, width // FOLD, 4 * 9), -9, np.float32)]


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_frames_of_any_size_are_shown_in_few_shapes_of_which_none_is_too_large(view: View) -> None:
    network = Blind()
    for height, width in SIZES:
        frame = np.zeros((height, width), np.uint8)
        assert Locator(network).locate(frame, view) == []  # type: ignore[arg-type]
    assert all(height % MULTIPLE == 0 == width % MULTIPLE for _, height, width, _ in network.shapes)
    most = max(height * width for _, height, width, _ in network.shapes)
    assert most < 1.35 * MOST_PIXELS, "the frame, and what it is padded with"
    assert len(network.shapes) <= 24


@pytest.mark.parametrize("view", VIEWS, ids=str)
def test_a_view_keeps_the_frames_proportions(view: View) -> None:
    for height, width in SIZES:
        across, down = view.size(width, height)
        assert max(across, down) <= view.side
        assert across / down == pytest.approx(width / height, rel=0.08)
