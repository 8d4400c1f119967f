"""Frames come whole from `rpicam-vid` and from V4L2, and whatever fails says so in one line."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from scanner.sources.capture import Frame
from scanner.sources.streams import RpicamStream, StreamEnded, StreamError, V4l2Stream
from tests.reading.source_consumer import held

STAND_IN = Path(__file__).with_name("rpicam_stand_in.py")
WIDTH, HEIGHT = 256, 144


def rpicam(folder: Path, mode: str, **options: float) -> RpicamStream:
    command = (sys.executable, str(STAND_IN), mode, str(folder / "starts"))
    return RpicamStream(command, WIDTH, HEIGHT, 15, **options)


def started(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "starts").read_text().split()]


def next_frame(stream: RpicamStream | V4l2Stream, timeout: float = 5.0) -> Frame:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        frame = stream.read()
        if frame is not None:
            return frame
    raise AssertionError("no frame came")


def is_gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    before = held()
    yield
    assert held() == before


def test_frames_are_the_brightness_plane_whole_and_in_order(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "steady")
    stream.open()
    for number in range(10):
        frame = next_frame(stream)
        assert frame.shape == (HEIGHT, WIDTH)
        assert frame[:, 0].tolist() == [row % 200 for row in range(HEIGHT)]
        assert (frame[:, 1:] == 100 + number).all()
    stream.close()


def test_closing_ends_the_process_and_leaves_no_zombie(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "steady")
    stream.open()
    next_frame(stream)
    stream.close()
    stream.close()
    assert all(is_gone(process) for process in started(tmp_path))


def test_a_process_that_does_not_heed_is_killed(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "stubborn")
    stream.open()
    while not (tmp_path / "starts").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    began = time.monotonic()
    stream.close()
    assert time.monotonic() - began < 0.6
    assert all(is_gone(process) for process in started(tmp_path))


def test_a_process_that_dies_is_said_with_its_status(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "die")
    stream.open()
    for _ in range(3):
        next_frame(stream)
    with pytest.raises(StreamError, match=r"ended with status 3; is a camera connected\?"):
        next_frame(stream)
    stream.close()


def test_after_a_frame_cut_short_the_next_start_is_whole(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "truncate")
    for _ in range(2):
        stream.open()
        assert [int(next_frame(stream)[5, 5]) for _ in range(2)] == [100, 101]
        with pytest.raises(StreamError):
            next_frame(stream)
    stream.close()


def test_a_process_that_hangs_is_said_and_never_blocks(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "hang", frame_timeout_s=0.5)
    stream.open()
    next_frame(stream)
    began = time.monotonic()
    with pytest.raises(StreamError, match=r"no frames for 0\.5 s; check the camera's cable"):
        next_frame(stream)
    assert time.monotonic() - began < 1.0
    stream.close()


def test_a_process_that_floods_standard_error_is_not_blocked(tmp_path: Path) -> None:
    stream = rpicam(tmp_path, "loud")
    stream.open()
    assert next_frame(stream)[5, 5] == 100
    stream.close()


def test_a_program_that_is_not_installed_is_said(tmp_path: Path) -> None:
    stream = RpicamStream(f"{tmp_path}/rpicam-vid --camera 1")
    with pytest.raises(StreamError, match=r"rpicam-vid: cannot be started \(No such file"):
        stream.open()
    stream.close()


@pytest.mark.parametrize(("width", "nearest"), [(1640, 1664), (2028, 2048), (64, 128), (0, 128)])
def test_a_width_whose_rows_would_be_padded_is_refused(width: int, nearest: int) -> None:
    with pytest.raises(ValueError, match=f"not a multiple of 128; use {nearest}"):
        RpicamStream(width=width)


def test_an_odd_height_is_refused() -> None:
    with pytest.raises(ValueError, match="height 1081 must be even"):
        RpicamStream(height=1081)


def test_a_recording_is_played_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "desk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 60, (64, 48))
    for number in range(5):
        writer.write(np.full((48, 64, 3), 40 * number, np.uint8))
    writer.release()
    stream = V4l2Stream(str(path), recording=True)
    stream.open()
    greys = [float(next_frame(stream).mean()) for _ in range(5)]
    assert greys == pytest.approx([0, 40, 80, 120, 160], abs=3)
    with pytest.raises(StreamEnded):
        stream.read()
    stream.close()


def test_a_device_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="no such camera; plug it in or correct the device"):
        V4l2Stream(str(tmp_path / "video9")).open()


def test_a_file_is_no_device_unless_it_is_said_to_be_a_recording(tmp_path: Path) -> None:
    path = tmp_path / "desk.avi"
    path.write_bytes(b"no video")
    with pytest.raises(StreamError, match="cannot be opened as a camera"):
        V4l2Stream(str(path)).open()
