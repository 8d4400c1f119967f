"""The looks at a located block: as many as are needed, by two networks, of which neither is
believed alone."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS
from scanner.mrz.layouts import CHARACTERS
from scanner.mrz.reading import Status
from scanner.vision.blocks import Block
from scanner.vision.decode import Thresholds, decode
from scanner.vision.interpreter import MODELS, Floats, Network, open_network
from scanner.vision.lines import Line
from scanner.vision.locate import Locator
from scanner.vision.recognise import Characters, Recogniser, _joined
from scanner.vision.rectify import Pyramid
from scanner.vision.shapes import BLANK, CLASSES, EDGE, PITCH, STEP
from tests.reading import shots
from tests.reading.shots import Shot, upright

PASSPORT, CARD = SPECIMENS[0], SPECIMENS[2]
THRESHOLDS = Thresholds(checked=0.8, unchecked=0.9)


@cache
def network(name: str) -> Network:
    return open_network(MODELS / f"{name}.tflite")


class Counted:
    """A network that counts its looks, and takes some characters for others."""

    def __init__(self, name: str, mistakes: Sequence[str] = ()) -> None:
        self.looks = 0
        self._name = name
        self._order = np.arange(len(CHARACTERS))
        for one, other in mistakes:
            i, k = CHARACTERS.index(one), CHARACTERS.index(other)
            self._order[[i, k]] = self._order[[k, i]]

    def look_at(self, pictures: np.ndarray) -> list[Floats]:
        self.looks += 1
        (out,) = network(self._name).look_at(pictures)
        classes = len(CHARACTERS)
        swapped = out.copy()
        swapped[..., :classes] = out[..., :classes][..., self._order]
        return [swapped]


def characters(shot: Shot, recogniser: Counted, verifier: Counted) -> Characters:
    grey = np.asarray(shot.frame[..., 1]).copy()
    (block, *_) = Locator(network("locator")).locate(grey)
    found = Recogniser(recogniser, verifier).read(Pyramid(grey), block)  # type: ignore[arg-type]
    assert found is not None
    return found


@pytest.mark.parametrize("specimen", [PASSPORT, CARD], ids=lambda one: one.file)
def test_clear_print_takes_one_look_of_each_network(specimen: type[PASSPORT]) -> None:
    first, second = Counted("recogniser"), Counted("verifier")
    found = characters(upright(specimen), first, second)
    assert (first.looks, second.looks) == (1, 1)
    assert decode(found.log_p, THRESHOLDS).lines == specimen.lines


def test_print_that_is_not_clear_takes_one_look_more() -> None:
    first, second = Counted("recogniser"), Counted("verifier")
    blurred = shots.noisy(shots.reduced(upright(PASSPORT), 440), 1, 20.0, 1.2)
    characters(blurred, first, second)
    assert (first.looks, second.looks) == (2, 1)


class BesideThePrint(Counted):
    """A network whose first look has nothing where the last characters stand."""

    def look_at(self, pictures: np.ndarray) -> list[Floats]:
        (out,) = super().look_at(pictures)
        if self.looks == 1:
            last = (out.shape[2] * STEP - EDGE - 3 * PITCH) // STEP
            out[:, :, last:, :CLASSES] = 0
            out[:, :, last:, BLANK] = 9
        return [out]


def test_strips_that_lay_beside_the_print_are_looked_at_again() -> None:
    first, second = Counted("recogniser"), BesideThePrint("verifier")
    found = characters(upright(PASSPORT), first, second)
    assert (first.looks, second.looks) == (2, 2)
    assert decode(found.log_p, THRESHOLDS).status is Status.READ


def test_what_both_looks_leave_room_for_counts_for_more_than_what_one_does() -> None:
    def place(**chances: float) -> np.ndarray:
        rest = (1 - sum(chances.values())) / (len(CHARACTERS) - len(chances))
        every = [chances.get(character, rest) for character in CHARACTERS]
        return np.log(np.array(every, np.float32))[None, None]

    def sure(one: np.ndarray, other: np.ndarray) -> float:
        return float(np.exp(_joined(one, other)).max())

    one, same, other = place(T=0.9, I=0.09), place(T=0.9, I=0.09), place(T=0.9, F=0.09)
    assert sure(one, same) == pytest.approx(0.9, abs=0.01)
    assert sure(one, other) > 0.95
    assert sure(one, place(I=0.9, T=0.09)) < 0.55


@pytest.mark.parametrize("mistakes", [["0O"], ["8B"], ["AN", "EF"], ["<K"]])
@pytest.mark.parametrize("wrong", ["recogniser", "verifier"])
def test_what_one_network_alone_takes_for_another_character_is_never_sure(
    mistakes: list[str], wrong: str
) -> None:
    first, second = (
        Counted(name, mistakes if name == wrong else ()) for name in ("recogniser", "verifier")
    )
    printed = "".join(PASSPORT.lines)
    assert any(character in printed for pair in mistakes for character in pair)
    decoded = decode(characters(upright(PASSPORT), first, second).log_p, THRESHOLDS)
    assert decoded.status is Status.DOUBTFUL


class Spaced:
    """A network that sees a character every so many px, and nothing between."""

    def __init__(self, pitch: int) -> None:
        self._pitch = pitch

    def look_at(self, pictures: np.ndarray) -> list[Floats]:
        lines, _, width = pictures.shape
        out = np.zeros((lines, 1, width // STEP, CLASSES + 3), np.float32)
        inked = (np.arange(width // STEP) * STEP) % self._pitch < self._pitch // 3
        out[:, 0, inked, 0] = 8
        out[:, 0, ~inked, BLANK] = 8
        return [out]


@pytest.mark.parametrize("lines", [2, 3])
@pytest.mark.parametrize("length", [400, 600])
@pytest.mark.parametrize("pitch", [10, 16, 22, 26, 27])
def test_lines_of_any_pitch_are_led_on_beyond_their_ends(
    lines: int, length: int, pitch: int
) -> None:
    ends = [((100.0, 100.0 + 40 * i), (100.0 + length, 100.0 + 40 * i)) for i in range(lines)]
    block = Block(tuple(Line(start, end, (16.0, 16.0), 0.9) for start, end in ends))
    frame = Pyramid(np.full((400, 900), 200, np.uint8))
    recogniser = Recogniser(Spaced(pitch), Spaced(pitch))  # type: ignore[arg-type]
    for beyond in range(0, 26):
        found = recogniser.read(frame, block, beyond=beyond)
        assert found is None or found.log_p.shape[:2] in {(2, 44), (2, 36), (3, 30)}
