"""A reader gets further frames of a document for as long as it lies there, and never waits long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest

from scanner.sources.capture import Frame
from scanner.sources.further import Further


def frame(number: int) -> Frame:
    return np.full((4, 4), number, np.uint8)


def quick(most: int = 7, within_s: float = 2.0, apart_s: float = 0.1) -> Further:
    return Further(most=most, within_s=within_s, apart_s=apart_s)


@contextmanager
def camera(further: Further, sharpness: tuple[float, ...] = (1.0,)) -> Iterator[None]:
    """Offers a frame every 10 ms, numbered from 0, of each sharpness in turn."""
    stop = threading.Event()

    def offer() -> None:
        number = 0
        while not stop.wait(0.01):
            sharp = sharpness[number % len(sharpness)]
            further.offer(frame(number), partial(float, sharp))
            number += 1

    thread = threading.Thread(target=offer)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_nothing_is_looked_at_before_a_reader_asks() -> None:
    further = quick()

    def asked() -> float:
        raise AssertionError

    further.offer(frame(1), asked)
    assert not further.wanted


def test_the_sharpest_frame_since_the_last_one_is_handed_over() -> None:
    further = quick(apart_s=0.3)
    with camera(further, (1.0, 2.0, 9.0, 3.0, 2.0, 1.0)):
        taken = [int(next(further)[0, 0]) for _ in range(3)]
    assert [number % 6 for number in taken] == [2, 2, 2]
    assert len(set(taken)) == 3


def test_frames_that_are_handed_over_are_apart() -> None:
    further = quick(apart_s=0.15)
    with camera(further):
        began = time.monotonic()
        for _ in range(3):
            next(further)
        assert time.monotonic() - began >= 0.45


def test_there_is_an_end_to_a_document_that_lies_there_for_ever() -> None:
    further = quick(most=3, apart_s=0.02)
    with camera(further):
        assert len(list(further)) == 3
        assert list(further) == []
    assert not further.wanted


def test_the_time_that_a_reader_is_held_is_bounded_in_all() -> None:
    further = quick(within_s=0.4, apart_s=0.1)
    with camera(further):
        began = time.monotonic()
        taken = list(further)
        assert time.monotonic() - began < 1.0
    assert 1 <= len(taken) <= 4


def test_a_camera_that_hangs_does_not_hold_the_reader() -> None:
    began = time.monotonic()
    assert list(quick(within_s=0.3)) == []
    assert 0.3 <= time.monotonic() - began < 1.0


def test_a_reader_that_waits_goes_on_at_once_when_the_document_is_taken_away() -> None:
    further = quick(within_s=30.0)
    threading.Timer(0.1, further.end).start()
    began = time.monotonic()
    assert list(further) == []
    assert time.monotonic() - began < 5.0


def test_a_frame_seen_before_the_document_was_taken_away_is_still_handed_over() -> None:
    further = quick(within_s=30.0, apart_s=0.01)
    with camera(further):
        next(further)
        time.sleep(0.3)
    further.end()
    assert len(list(further)) == 1


def test_nothing_comes_from_a_document_that_was_taken_away_before_a_reader_asked() -> None:
    further = quick(within_s=30.0)
    further.end()
    with camera(further), pytest.raises(StopIteration):
        next(further)
