"""The looks at a located block: as many as are needed, by two networks, of which neither is
believed alone."""

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS
from scanner.mrz.layouts import CHARACTERS
from scanner.mrz.reading import Status
from scanner.vision.decode import Thresholds, decode
from scanner.vision.interpreter import MODELS, Floats, Network, open_network
from scanner.vision.locate import Locator
from scanner.vision.recognise import Characters, Recogniser
from scanner.vision.rectify import Pyramid
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

    def run(self, pictures: Floats) -> list[Floats]:
        self.looks += 1
        (out,) = network(self._name).run(pictures)
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
