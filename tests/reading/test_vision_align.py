"""Places of characters in what a recogniser says of columns; made up here, so they are known."""

from collections.abc import Sequence

import numpy as np
import pytest

from scanner.mrz.layouts import CHARACTERS
from scanner.vision.align import (
    Alignment,
    Columns,
    align,
    expected,
    goes_on,
    pitch_of,
    seen_at,
    slots,
)
from scanner.vision.shapes import BLANK, CAP, CLASSES, EDGE, PITCH, STEP
from tests.reading.specimens_9303 import TD2, TD3

LONG, SHORT = TD3, TD2
FAR = 4.0 * PITCH


def columns(
    lines: Sequence[str], centres: np.ndarray, width: float, *, hidden: Sequence[int] = ()
) -> Columns:
    """What a good recogniser says of lines whose characters stand at `centres`; those `hidden` are
    nothing that it knows."""
    count = int(width) // STEP
    x = (np.arange(count) + 0.5) * STEP - 0.5
    chances = np.full((len(lines), count, CLASSES), 1e-4, np.float32)
    geometry = np.zeros((len(lines), count, 3), np.float32)
    for i, line in enumerate(lines):
        chances[i, :, BLANK] = 1.0
        for k, (character, centre) in enumerate(zip(line, centres, strict=True)):
            ink = np.clip(1.5 - np.abs(x - centre) / (0.22 * PITCH), 0, 1)
            clear = ink > 0
            told = 0.9 if k not in hidden else 1 / BLANK
            chances[i, clear, :BLANK] += (ink[clear] * (1 - told) / BLANK)[:, None]
            chances[i, clear, CHARACTERS.index(character)] += ink[clear] * told
            chances[i, clear, BLANK] -= ink[clear]
            geometry[i, clear, 0] = (centre - x[clear]) / PITCH
    chances = np.maximum(chances, 1e-4)
    return Columns(chances / chances.sum(axis=2, keepdims=True), geometry)


def evenly(count: int, pitch: float, first: float) -> np.ndarray:
    return first + pitch * np.arange(count)


def cut_for(guess: int) -> float:
    """How long a strip is that is cut for so many characters."""
    return 2 * EDGE + guess * PITCH


def text(columns_: Columns, alignment: Alignment) -> tuple[str, ...]:
    likeliest = slots(columns_, alignment.places).argmax(axis=2)
    return tuple("".join(CHARACTERS[k] for k in row) for row in likeliest)


@pytest.mark.parametrize("pitch", [14.0, 16.0, 17.5])
@pytest.mark.parametrize("off", [-14.0, 0.0, 24.0])
def test_places_are_found_though_the_locator_was_off_in_length_and_place(
    pitch: float, off: float
) -> None:
    truth = evenly(44, pitch, EDGE + 8 + off - (pitch - PITCH) * 21.5)
    seen = columns(LONG, truth, cut_for(44) + 120)
    reach = FAR + abs(pitch - PITCH) * 22
    found = align(seen, expected(44, 44), reach)
    assert np.abs(found.places - truth).max() < 3.0
    assert text(seen, found) == LONG


@pytest.mark.parametrize(("lines", "count", "other"), [(LONG, 44, 36), (SHORT, 36, 44)])
@pytest.mark.parametrize("guess", [36, 44])
def test_the_right_number_of_characters_fits_better_whatever_the_strip_was_cut_for(
    lines: tuple[str, ...], count: int, other: int, guess: int
) -> None:
    seen = columns(lines, expected(count, guess), cut_for(guess))
    found = {number: align(seen, expected(number, guess), FAR) for number in (count, other)}
    assert found[count].score > found[other].score
    if guess == count:
        assert text(seen, found[count]) == lines


def test_a_pitch_that_changes_along_the_line_is_followed() -> None:
    pitches = np.linspace(14.0, 18.0, 43)
    truth = EDGE + 8 + np.concatenate([[0], np.cumsum(pitches)])
    seen = columns(LONG, truth, cut_for(44))
    assert text(seen, align(seen, expected(44, 44), FAR)) == LONG


def test_a_character_that_nobody_can_read_keeps_its_place_and_shifts_no_other() -> None:
    seen = columns(LONG, expected(44, 44), cut_for(44), hidden=[9, 10])
    found = align(seen, expected(44, 44), FAR)
    read = text(seen, found)
    for line, told in zip(LONG, read, strict=True):
        assert (told[:9], told[11:]) == (line[:9], line[11:])
    doubt = np.exp(slots(seen, found.places)).max(axis=2)
    assert doubt[:, [9, 10]].max() < 0.3
    assert np.delete(doubt, [9, 10], axis=1).min() > 0.8


def test_what_falls_on_blank_is_spread_over_all_characters() -> None:
    seen = columns(LONG, expected(44, 44), cut_for(44))
    between = expected(44, 44) + PITCH / 2
    told = np.exp(slots(seen, np.stack([between, between])))
    assert told.sum(axis=2) == pytest.approx(np.ones((2, 44)), abs=1e-4)
    assert told.max() < 0.2


@pytest.mark.parametrize("pitch", [13.0, 16.0, 21.0])
def test_the_pitch_is_told_by_the_blanks_between_characters(pitch: float) -> None:
    seen = columns(SHORT, evenly(36, pitch, 60.0), 60 + 37 * pitch)
    assert pitch_of(seen) == pytest.approx(pitch, rel=0.05)


def test_a_line_that_was_cut_short_is_seen_to_go_on() -> None:
    seen = columns(LONG, expected(44, 44), cut_for(44))
    whole = np.stack([expected(44, 44)] * 2)
    assert not goes_on(seen, whole)
    assert goes_on(seen, whole[:, :-1])
    assert goes_on(seen, whole[:, 1:])


def test_where_characters_really_are_is_told_by_the_columns_about_them() -> None:
    truth = expected(44, 44)
    seen = columns(LONG, truth, cut_for(44))
    seen.geometry[..., 1] = 3 / CAP
    seen.geometry[..., 2] = np.log(1.2)
    centres, rises, heights, trust = seen_at(seen, np.stack([truth + 3.0] * 2))
    assert np.abs(centres - truth).max() < 0.7
    assert rises == pytest.approx(np.full((2, 44), 3.0), abs=0.1)
    assert heights == pytest.approx(np.full((2, 44), 1.2), abs=0.02)
    assert trust.min() > 0.5


def test_where_nothing_is_printed_nothing_is_trusted() -> None:
    seen = columns(("",), np.array([]), cut_for(44))
    *_, trust = seen_at(seen, expected(44, 44)[None])
    assert trust.max() < 0.05
