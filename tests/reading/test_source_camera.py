"""A camera gives one capture a document, says how it is, and stops at once, whatever its device."""

import itertools
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from scanner.sources.camera import (
    Camera,
    FrameStream,
    RpicamStream,
    StreamEnded,
    StreamError,
    V4l2Stream,
)
from scanner.sources.capture import Frame
from scanner.sources.further import Further
from scanner.sources.presence import Thresholds
from tests.reading.desk_scenes import Desk, document, joined
from tests.reading.source_consumer import Consumer, held, wait_until

FPS = 60
FIRST, SECOND = document(1), document(2)
QUICK = Thresholds(steady_s=0.1, sharpest_for_s=0.05, focus_s=0.4, learn_s=0.15)
STAND_IN = Path(__file__).with_name("rpicam_stand_in.py")


class Scenes:
    """A camera that shows scenes at FPS; an exception among them is raised, None waits."""

    def __init__(self, scenes: Callable[[], Iterable[Frame | Exception | None]]) -> None:
        self._make = scenes
        self._scenes: Iterator[Frame | Exception | None] = iter(())
        self.opened = 0
        self.closed = 0

    def open(self) -> None:
        self.opened += 1
        self._scenes = iter(self._make())

    def read(self) -> Frame | None:
        time.sleep(1 / FPS)
        scene = next(self._scenes, StreamEnded())
        if isinstance(scene, Exception):
            raise scene
        return None if scene is None else cv2.resize(scene, (640, 360)).astype(np.uint8)

    def close(self) -> None:
        self.closed += 1


def camera_of(stream: FrameStream, **options: Any) -> Camera:
    """A camera with less patience, so that the tests are quick."""
    return Camera("desk-1", stream, thresholds=QUICK, **options)


def blurred(frame: Frame, radius: float) -> Frame:
    return np.asarray(cv2.GaussianBlur(frame, (0, 0), radius), np.uint8)


def visit(desk: Desk, page: Frame) -> Iterator[Frame]:
    return joined(desk.brought(page), desk.lying(page, 18), desk.taken(page), desk.empty(10))


def test_each_document_gives_one_capture_and_a_recording_ends(tmp_path: Path) -> None:
    desk = Desk(noise=1.0)
    path = tmp_path / "desk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (640, 360))
    for scene in joined(desk.empty(20), visit(desk, FIRST), visit(desk, SECOND)):
        writer.write(cv2.cvtColor(cv2.resize(scene, (640, 360)), cv2.COLOR_GRAY2BGR))
    writer.release()
    camera = camera_of(V4l2Stream(str(path), recording=True))
    captures = list(camera.captures(threading.Event()))
    assert len(captures) == 2
    for capture, page in zip(captures, (FIRST, SECOND), strict=True):
        assert capture.source == "desk-1"
        assert capture.fault is None
        assert 1 <= len(capture.frames) <= 3
        lying = cv2.resize(capture.frames[0][80:280, 160:464], (76, 50))
        assert np.corrcoef(lying.ravel(), page.ravel())[0, 1] > 0.8


def test_a_trigger_has_what_lies_there_captured_again() -> None:
    desk = Desk()
    camera = camera_of(
        Scenes(lambda: joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 60)))
    )
    taken = 0
    for _ in camera.captures(threading.Event()):
        taken += 1
        if taken == 1:
            camera.trigger()
    assert taken == 2


def test_the_sharpest_frame_comes_first() -> None:
    desk = Desk(noise=1.0)
    scenes = joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 30))
    blurs = itertools.cycle((1.5, 0.2, 1.0, 1.3, 0.6))

    class Unsteady(Scenes):
        def read(self) -> Frame | None:
            frame = super().read()
            return None if frame is None else blurred(frame, next(blurs))

    camera = camera_of(Unsteady(lambda: scenes))
    (capture,) = camera.captures(threading.Event())
    sharp = [float(cv2.Laplacian(frame, cv2.CV_64F).var()) for frame in capture.frames]
    assert len(sharp) == 3
    assert sharp == sorted(sharp, reverse=True)


def test_documents_exchanged_while_the_last_is_still_being_read_are_not_missed() -> None:
    desk = Desk()
    scenes = joined(desk.empty(20), visit(desk, FIRST), visit(desk, SECOND))
    camera = camera_of(Scenes(lambda: scenes))
    captures = camera.captures(threading.Event())
    next(captures)
    time.sleep(1.6)
    assert next(captures).frames


def test_a_reader_is_given_further_frames_while_the_document_lies_there_and_no_others() -> None:
    desk = Desk(noise=1.0)
    scenes = joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 60), visit(desk, SECOND))
    camera = camera_of(
        Scenes(lambda: scenes), further=lambda: Further(most=99, within_s=20.0, apart_s=0.05)
    )
    captures = camera.captures(threading.Event())
    more = list(next(captures).more)
    assert len(more) >= 3
    for frame in more:
        lying = cv2.resize(frame[80:280, 160:464], (76, 50))
        assert np.corrcoef(lying.ravel(), FIRST.ravel())[0, 1] > 0.8
    lying = cv2.resize(next(captures).frames[0][80:280, 160:464], (76, 50))
    assert np.corrcoef(lying.ravel(), SECOND.ravel())[0, 1] > 0.8


def test_a_reader_does_not_wait_for_a_camera_that_is_lost() -> None:
    desk = Desk()

    def scenes() -> Iterator[Frame | Exception | None]:
        yield from joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 30))
        yield StreamError("/dev/video0: the camera was unplugged; plug it in again")
        yield from itertools.repeat(None)

    camera = camera_of(Scenes(scenes), further=lambda: Further(most=99, within_s=60.0))
    with Consumer(camera) as consumer:
        capture = consumer.next()
        began = time.monotonic()
        list(capture.more)
        assert time.monotonic() - began < 10.0
        assert not camera.health.ok


def test_frames_are_kept_in_grey_whatever_the_camera_gives() -> None:
    desk = Desk()
    scenes = joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 20))
    coloured = (np.asarray(cv2.cvtColor(one, cv2.COLOR_GRAY2BGR), np.uint8) for one in scenes)
    (capture,) = camera_of(Scenes(lambda: coloured)).captures(threading.Event())
    assert {frame.ndim for frame in capture.frames} == {2}


def test_a_camera_that_is_lost_is_opened_again_and_the_document_is_not_read_twice() -> None:
    desk = Desk()
    first = [True]

    def scenes() -> Iterator[Frame | Exception | None]:
        if first:
            first.clear()
            yield from joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 20))
            yield StreamError("/dev/video0: the camera was unplugged; plug it in again")
        else:
            yield from desk.lying(FIRST, 20)
            yield from desk.taken(FIRST)
            yield from visit(desk, SECOND)

    stream = Scenes(scenes)
    camera = camera_of(stream, backoff_s=(0.3, 0.3))
    with Consumer(camera) as consumer:
        consumer.next()
        wait_until(lambda: "unplugged" in camera.health.message)
        assert not camera.health.ok
        wait_until(lambda: camera.health.ok)
        consumer.next()
        consumer.thread.join(5)
        assert consumer.nothing_for(0.0)
    assert stream.opened == 2
    assert stream.closed == 2


def test_an_error_that_nobody_foresaw_is_said_and_survived(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk = Desk()
    failing = [True]

    def scenes() -> Iterator[Frame | Exception | None]:
        if failing:
            failing.clear()
            yield ZeroDivisionError("a driver's bug")
        yield from joined(desk.empty(20), desk.brought(FIRST), desk.lying(FIRST, 20))

    camera = camera_of(Scenes(scenes), backoff_s=(0.05, 0.05))
    assert len(list(camera.captures(threading.Event()))) == 1
    assert "the camera failed; trying again" in caplog.text
    assert not any(record.exc_info for record in caplog.records)


def test_a_dark_desk_is_said() -> None:
    camera = camera_of(Scenes(lambda: (np.full((90, 160), 5, np.uint8) for _ in range(999))))
    with Consumer(camera):
        wait_until(lambda: "too dark; switch the lamp on" in camera.health.message)
        assert not camera.health.ok


def test_a_camera_without_frames_is_said() -> None:
    desk = Desk()
    stream = Scenes(lambda: itertools.chain(desk.empty(5), itertools.repeat(None)))
    camera = camera_of(stream, no_frames_s=0.3)
    with Consumer(camera):
        wait_until(lambda: camera.health.ok)
        wait_until(lambda: "no frames for" in camera.health.message)
        assert not camera.health.ok


def test_a_device_that_hangs_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    release = threading.Event()

    class Hanging(Scenes):
        def read(self) -> Frame | None:
            release.wait(10)
            return None

    stream = Hanging(lambda: ())
    camera = camera_of(stream, no_frames_s=0.2)
    with Consumer(camera) as consumer:
        wait_until(lambda: stream.opened == 1)
        assert not camera.health.ok
        assert consumer.halt() < 4.0
    assert "does not answer" in caplog.text
    with Consumer(camera):
        time.sleep(0.1)
        assert stream.opened == 1
        release.set()
        wait_until(lambda: stream.opened == 2)
    assert stream.closed == 2


def test_a_camera_that_cannot_be_opened_is_said_and_stops_at_once(tmp_path: Path) -> None:
    before = held()
    camera = camera_of(V4l2Stream(str(tmp_path / "video0")))
    with Consumer(camera) as consumer:
        wait_until(lambda: "no such camera" in camera.health.message)
        assert consumer.halt() < 0.5
    assert held() == before


def test_rpicam_is_started_again_whenever_it_dies_and_ends_with_the_camera(tmp_path: Path) -> None:
    before = held()
    starts = tmp_path / "starts"
    command = (sys.executable, str(STAND_IN), "die", str(starts))
    camera = camera_of(RpicamStream(command, 256, 144), backoff_s=(0.05, 0.1))
    with Consumer(camera):
        wait_until(lambda: starts.exists() and len(starts.read_text().split()) >= 3, 15)
    for process in starts.read_text().split():
        assert not Path("/proc", process).exists()
    assert held() == before


def test_a_full_queue_gives_up_its_oldest_document(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    desk = Desk()
    visits = [visit(desk, document(seed)) for seed in range(4)]
    stream = Scenes(lambda: joined(desk.empty(20), *visits))
    captures = camera_of(stream, waiting=1).captures(threading.Event())
    next(captures)
    wait_until(lambda: "documents come faster than they are read" in caplog.text, 15)
    assert next(captures).frames
    captures.close()  # type: ignore[attr-defined]
