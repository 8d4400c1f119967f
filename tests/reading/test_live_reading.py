"""Documents under the Pi's camera, read by our own reader while they lie there: frames add up, a
blurred one costs time and nothing else, and one document gives one reading."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from scanner.mrz.reading import Reading, Status, Why
from scanner.sources.camera import Camera, RpicamStream
from scanner.sources.capture import Capture
from scanner.sources.further import Further
from scanner.vision.litert import LitertReader
from scanner.vision.reader import Frame

STAND_IN = Path(__file__).with_name("rpicam_desk.py")
FIRST, SECOND = "01-passport.jpg", "02-passport-stolen.jpg"
PRINTED = {specimen.file: specimen.lines for specimen in SPECIMENS}
PATIENT = 20.0
"""Seconds: the machine that runs the tests may be busy."""


@pytest.fixture(scope="module")
def reader() -> LitertReader:
    return LitertReader()


@contextmanager
def captures(*scenes: str) -> Iterator[Iterator[Capture]]:
    """What the camera yields over a desk with these scenes (`rpicam_desk.py`)."""
    command = [sys.executable, str(STAND_IN)]
    command += [str(SPECIMENS_FOLDER / one) if one[0] != "-" else one for one in scenes]
    stream = RpicamStream(command, 1664, 1080)
    camera = Camera("desk", stream, further=lambda: Further(within_s=PATIENT))
    stop = threading.Event()
    try:
        yield camera.captures(stop)
    finally:
        stop.set()


class Counted:
    """Frames, and how many of them were taken."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = iter(frames)
        self.taken = 0

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        frame = next(self._frames)
        self.taken += 1
        return frame


def read(reader: LitertReader, capture: Capture) -> tuple[Reading, int]:
    """The reading, and how many frames beyond the capture's own it took."""
    more = Counted(capture.more)
    return reader.read(chain(capture.frames, more)), more.taken


def test_a_sharp_document_is_read_from_what_was_captured_and_no_frame_is_waited_for(
    reader: LitertReader,
) -> None:
    with captures("-:1.5:0", f"{FIRST}:99:0") as live:
        reading, further = read(reader, next(live))
    assert reading.status is Status.READ
    assert reading.lines == PRINTED[FIRST]
    assert further == 0


def test_a_document_that_comes_into_focus_late_costs_time_and_is_read(
    reader: LitertReader,
) -> None:
    with captures("-:1.5:0", f"{FIRST}:2.5:8", f"{FIRST}:99:0") as live:
        reading, further = read(reader, next(live))
    assert reading.status is Status.READ
    assert reading.lines == PRINTED[FIRST]
    assert further >= 1


def test_a_document_that_stays_out_of_focus_is_told_as_such_and_never_read_wrongly(
    reader: LitertReader,
) -> None:
    with captures("-:1.5:0", f"{FIRST}:99:6.5") as live:
        reading, further = read(reader, next(live))
    assert reading.status is not Status.READ
    assert reading.why is Why.MOVING
    assert further == 12


def test_a_document_exchanged_while_the_first_is_still_looked_at_is_never_mixed_with_it(
    reader: LitertReader,
) -> None:
    scenes = ("-:1.5:0", f"{FIRST}:2.5:6.5", "-:1.5:0", f"{SECOND}:99:0")
    with captures(*scenes) as live:
        reading, _ = read(reader, next(live))
        assert reading.status is not Status.READ
        reading, _ = read(reader, next(live))
    assert reading.status is Status.READ
    assert reading.lines == PRINTED[SECOND]


def test_one_document_gives_one_reading_however_long_it_lies_there(reader: LitertReader) -> None:
    scenes = ("-:1.5:0", f"{FIRST}:2.5:6.5", f"{FIRST}:3:0", "-:1.5:0", f"{SECOND}:99:0")
    with captures(*scenes) as live:
        first, second = (read(reader, capture)[0] for capture in islice(live, 2))
    # Whether it is in focus before the last frame is looked at is a matter of the machine's speed.
    assert first.status is not Status.READ or first.lines == PRINTED[FIRST]
    assert second.lines == PRINTED[SECOND]
