"""What the choice of thresholds promises: nothing wrong is *read*, nor comes near to it."""

from collections.abc import Iterator
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.training import thresholds
from models.training.pages import Scene
from models.training.thresholds import (
    COLUMNS,
    MARGIN,
    Choice,
    NotSafe,
    Steps,
    choose,
    drawn,
    unknowable,
)
from models.training.typeface import FONTS, OCR_B, OTHERS
from scanner.vision.decode import Evidence, Thresholds
from scanner.vision.interpreter import MODELS

CLEAR = {
    "found": 1.0,
    "right": 1.0,
    "agree": 1.0,
    "checked": 1.0,
    "unchecked": 1.0,
    "misprinted": 1.0,
    "gap": 0.0,
    "borne_out": 1.0,
    "confidence": 1.0,
    "mean_log_p": 0.0,
    "lines": 2.0,
    "legible": 1.0,
}
ONE_FAILS = {"agree": 0.0, "gap": 20.0}
COARSE: Steps = {
    "unchecked": (0.8, 0.9, 0.945, 0.95, 0.98),
    "confidence": (0.4, 0.6, 0.85),
    "checked": (0.7, 0.8, 0.98),
    "borne_out": (0.5, 0.9, 0.99),
    "unaided": (0.7, 0.9, 0.95, 0.99),
    "misprinted": (0.9, 0.95, 0.97, 0.99),
    "gap": (8.0, 10.0, 16.0),
}
"""Some of the steps of each threshold."""


@pytest.fixture(scope="module", autouse=True)
def a_coarse_grid() -> Iterator[None]:
    """How thresholds are chosen is the same on every grid; the time that it takes is not."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ALWAYS", "BORNE_OUT", "MISPRINTED"):
            whole = getattr(thresholds, name)
            assert all(set(COARSE[one]) <= set(steps) for one, steps in whole.items())
            patch.setattr(thresholds, name, {one: COARSE[one] for one in whole})
        yield


def frame(**changes: float) -> list[float]:
    """A frame's row: perfectly clear and right, but for what is said."""
    return [(CLEAR | changes)[name] for name in COLUMNS]


def chosen(*frames: list[float], apart: tuple[int, ...] = ()) -> Choice:
    rows = np.array(frames, np.float32)
    return choose(rows, np.isin(np.arange(len(rows)), apart))


def is_read(row: list[float], limits: Thresholds) -> bool:
    """By the very rule of the device."""
    told = dict(zip(COLUMNS, np.array(row, np.float32), strict=True))
    return bool(told["found"]) and Evidence(
        agree=bool(told["agree"]),
        least_checked=told["checked"],
        least_unchecked=told["unchecked"],
        least_misprinted=told["misprinted"],
        borne_out=told["borne_out"],
        confidence=told["confidence"],
        gap=told["gap"],
        held=(),
        failed=(),
        misfits=0,
        mean_log_p=told["mean_log_p"],
        odds=0.0,
    ).is_read(limits)


def widened(limits: Thresholds) -> Thresholds:
    """The thresholds with what they leave to 1 widened by the margin, and the gap narrowed."""
    lower = {
        one.name: 1 - (1 - getattr(limits, one.name)) / (1 - MARGIN)
        for one in fields(limits)
        if one.name not in ("gap", "repair")
    }
    return replace(limits, **lower, gap=limits.gap * (1 - MARGIN))


shares = st.floats(0.6, 1.0)
some_frame = st.builds(
    frame,
    found=st.sampled_from([1.0, 1.0, 1.0, 0.0]),
    right=st.sampled_from([1.0, 1.0, 0.0]),
    agree=st.sampled_from([1.0, 0.0]),
    checked=shares,
    unchecked=shares,
    misprinted=shares,
    gap=st.floats(0.0, 25.0),
    borne_out=shares,
    confidence=shares,
)


@settings(max_examples=30, deadline=None)
@given(st.lists(some_frame, min_size=1, max_size=40))
def test_nothing_wrong_is_read_also_with_thresholds_lower_by_the_margin(
    frames: list[list[float]],
) -> None:
    try:
        choice = chosen(*frames)
    except NotSafe:
        return
    wrong = [row for row in frames if not row[COLUMNS.index("right")]]
    right = [row for row in frames if row[COLUMNS.index("right")]]
    assert not any(is_read(row, widened(choice.thresholds)) for row in wrong)
    assert choice.read == sum(is_read(row, choice.thresholds) for row in right)


def test_a_wrong_name_that_is_nearly_clear_raises_the_threshold_beyond_the_margin() -> None:
    limits = chosen(frame(unchecked=0.93, right=0.0), frame(unchecked=0.95)).thresholds
    assert 0.944 < limits.unchecked <= 0.95


def test_of_thresholds_that_are_safe_those_are_taken_that_read_most() -> None:
    choice = chosen(
        frame(unchecked=0.85, confidence=0.45, right=0.0),
        frame(unchecked=0.82, confidence=0.9),
        frame(unchecked=0.84, confidence=0.9),
        frame(unchecked=0.97, confidence=0.45),
    )
    assert choice.read == 2
    assert choice.thresholds.unchecked <= 0.82


def test_a_wrong_reading_of_a_misprinted_check_digit_leaves_the_other_readings_alone() -> None:
    clear = frame(unchecked=0.81, checked=0.71, borne_out=0.51, confidence=0.41)
    choice = chosen(
        clear,
        frame(misprinted=0.94, right=0.0, **ONE_FAILS),
        frame(misprinted=0.99, **ONE_FAILS),
    )
    assert choice.read == 2
    assert choice.thresholds.misprinted > 0.94
    assert is_read(clear, choice.thresholds)


def test_where_a_check_digit_fails_the_other_fields_must_be_as_clear() -> None:
    choice = chosen(
        frame(checked=0.8),
        frame(checked=0.9, misprinted=0.985, right=0.0, **ONE_FAILS),
        frame(checked=0.99, misprinted=0.96, **ONE_FAILS),
        frame(checked=0.99, misprinted=0.97, **ONE_FAILS),
    )
    assert choice.read == 3
    assert choice.thresholds.checked <= 0.8
    assert choice.thresholds.unaided > 0.9


def test_what_nobody_can_know_counts_as_neither_right_nor_wrong() -> None:
    choice = chosen(frame(right=0.0), frame(unchecked=0.81), apart=(0,))
    assert (choice.frames, choice.right, choice.read, choice.apart) == (2, 1, 1, 1)
    assert choice.thresholds.unchecked <= 0.81


def test_a_wrong_reading_that_is_perfectly_clear_leaves_no_thresholds() -> None:
    with pytest.raises(NotSafe, match="of 2 frames"):
        chosen(frame(), frame(right=0.0))


def test_the_bound_is_three_over_all_frames_and_the_share_is_of_legible_ones() -> None:
    choice = chosen(
        frame(), frame(unchecked=0.3), frame(legible=0.0, found=0.0), frame(lines=0.0, found=0.0)
    )
    assert choice.bound == 3 / 4
    assert choice.with_mrz == 3
    assert choice.read_of_legible == 0.5


@pytest.mark.skipif(
    not all((FONTS / font).exists() for font in (*OCR_B, *OTHERS)), reason="needs Debian's fonts"
)
@pytest.mark.timeout(180)
def test_only_wrong_readings_that_come_near_are_asked_whether_anyone_can_know() -> None:
    scenes: list[Scene] = []
    while not (any(one.cut_off for one in scenes) and any(not one.lines for one in scenes)):
        scenes.append(drawn(len(scenes)))
    cut_off = next(i for i, scene in enumerate(scenes) if scene.cut_off)
    without = next(i for i, scene in enumerate(scenes) if not scene.lines)

    def told(**changes: float) -> list[int]:
        rows = np.array([frame(found=0.0, right=0.0) for _ in scenes], np.float32)
        for number in (cut_off, without):
            rows[number] = frame(right=0.0, **changes)
        return np.flatnonzero(unknowable(MODELS, rows)).tolist()

    assert told() == [cut_off]
    assert told(unchecked=0.5) == []
