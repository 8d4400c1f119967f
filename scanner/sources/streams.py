"""Frames from a camera: V4L2 devices through OpenCV, the Pi's camera through `rpicam-vid`.

The Pi's camera is read from a subprocess and not by importing its Python bindings, which belong to
the system's Python and clash with a private environment's NumPy.
"""

import fcntl
import os
import select
import shlex
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

import cv2
import numpy as np

from scanner.said import Said, said
from scanner.sources.capture import Frame


class StreamError(OSError):
    """A camera that cannot be opened or was lost: one line (what, where, what to do)."""


class StreamEnded(Exception):
    """A recording has been played to its end."""


class FrameStream(Protocol):
    """A camera's frames, one after another. All three are called from one thread."""

    def open(self) -> None:
        """Opens the camera. Raises StreamError."""
        ...

    def read(self) -> Frame | None:
        """The next frame, or None where none came within about half a second. Raises
        StreamError when the camera is lost, StreamEnded after a recording's last frame."""
        ...

    def close(self) -> None:
        """Lets the camera go; without effect where it is not open."""
        ...


class V4l2Stream:
    """A V4L2 device (`/dev/video0`, or one of `/dev/v4l/by-id`), as grey or BGR frames.

    `width`, `height` (pixels) and `fps` are asked for; the device may choose others. With
    `recording`, `device` is a video file instead, played at its own speed: for tests and
    demonstrations.
    """

    def __init__(
        self,
        device: str,
        width: int = 1920,
        height: int = 1080,
        fps: int = 15,
        *,
        recording: bool = False,
    ) -> None:
        self._device = device
        self._size = (width, height)
        self._fps = fps
        self._recording = recording
        self._pause = 0.0
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        if not Path(self._device).exists():
            message = said(
                "{device}: no such camera; plug it in or correct the device", device=self._device
            )
            raise StreamError(message)
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # we say it ourselves
        backend = cv2.CAP_ANY if self._recording else cv2.CAP_V4L2
        capture = cv2.VideoCapture(self._device, backend)
        if not capture.isOpened():
            capture.release()
            raise StreamError(
                said("{device}: cannot be opened as a camera; is it in use?", device=self._device)
            )
        if not self._recording:
            # Uncompressed frames of this size do not fit through USB 2 at a useful rate.
            capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
            capture.set(cv2.CAP_PROP_FPS, self._fps)
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 2)
        self._capture = capture
        self._pause = 1 / max(1.0, capture.get(cv2.CAP_PROP_FPS)) if self._recording else 0.0

    def read(self) -> Frame | None:
        if self._capture is None:
            raise StreamError(said("{device}: the camera is not open", device=self._device))
        if self._pause:
            time.sleep(self._pause)
        came, frame = self._capture.read()
        if came and frame is not None:
            return np.asarray(frame, np.uint8)
        if self._recording:
            raise StreamEnded
        if not Path(self._device).exists():
            raise StreamError(
                said("{device}: the camera was unplugged; plug it in again", device=self._device)
            )
        raise StreamError(
            said("{device}: the camera sends no frames; plug it in anew", device=self._device)
        )

    def close(self) -> None:
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()


WIDTH_STEP = 128
"""`rpicam-vid` writes rows as the camera's hardware lays them out: padded to a multiple of 64
bytes on the Pi 4 and of 128 on the Pi 5, and says nowhere that it did. Widths that are multiples
of both come unpadded from either."""

_PIPE_BYTES = 1 << 20
"""What a pipe may hold without asking for leave (/proc/sys/fs/pipe-max-size)."""
START_S = 10.0
"""How long the process may take until its first frame: it searches and sets up the camera."""


class RpicamStream:
    """The Pi's camera as grey frames, through a `rpicam-vid` process.

    `command` is the program and any options of its own, as words or as one line. Only the
    brightness plane of each YUV420 frame is kept: an MRZ is read in grey. Raises ValueError for a
    size that cannot be read unambiguously.
    """

    def __init__(
        self,
        command: Sequence[str] | str = ("rpicam-vid",),
        width: int = 1920,
        height: int = 1080,
        fps: int = 15,
        *,
        frame_timeout_s: float = 5.0,
    ) -> None:
        if width <= 0 or width % WIDTH_STEP:
            nearest = max(WIDTH_STEP, round(width / WIDTH_STEP) * WIDTH_STEP)
            message = f"camera width {width} is not a multiple of {WIDTH_STEP}; use {nearest}"
            raise ValueError(message)
        if height <= 0 or height % 2:
            raise ValueError(f"camera height {height} must be even and above 0")
        self._command = (
            *(shlex.split(command) if isinstance(command, str) else command),
            *("--timeout", "0", "--nopreview", "--verbose", "0", "--flush"),
            *("--codec", "yuv420", "--width", str(width), "--height", str(height)),
            *("--framerate", str(fps), "--output", "-"),
        )
        self._shape = (height, width)
        self._frame_bytes = width * height * 3 // 2
        self._frame_timeout_s = frame_timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._bright = np.empty(height * width, np.uint8)
        self._filled = 0
        self._nowhere = -1
        self._last_byte = 0.0
        self._came = False

    def open(self) -> None:
        self.close()
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # nobody reads it: a pipe would fill and block
                bufsize=0,
            )
        except OSError as error:
            message = said(
                "{command}: cannot be started ({error}); install it",
                command=self._command[0],
                error=error.strerror,
            )
            raise StreamError(message) from error
        pipe = self._pipe.fileno()
        os.set_blocking(pipe, False)
        with suppress(OSError):  # a frame in a few reads instead of fifty
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._nowhere = os.open(os.devnull, os.O_WRONLY)
        self._last_byte = time.monotonic()
        self._came = False

    def read(self) -> Frame | None:
        deadline = time.monotonic() + 0.2
        while self._filled < self._frame_bytes:
            wait = deadline - time.monotonic()
            if wait <= 0 or not select.select([self._pipe], [], [], wait)[0]:
                self._check_alive()
                return None
            self._fill()
        frame, self._filled = self._bright.reshape(self._shape), 0
        self._bright = np.empty_like(self._bright)
        return frame

    def close(self) -> None:
        """Ends the process and waits for it; one that does not heed is killed."""
        process, self._process = self._process, None
        self._filled = 0
        if process is None:
            return
        if self._nowhere >= 0:
            os.close(self._nowhere)
            self._nowhere = -1
        process.terminate()
        if process.stdout:
            process.stdout.close()
        try:
            process.wait(timeout=0.3)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    @property
    def _pipe(self) -> IO[bytes]:
        if self._process is None or self._process.stdout is None:
            raise StreamError(said("{command}: the camera is not open", command=self._command[0]))
        return self._process.stdout

    def _fill(self) -> None:
        """Takes what has come: brightness straight into the frame; the colours behind it, which
        nobody looks at, are never copied out of the pipe."""
        pipe, bright = self._pipe.fileno(), self._bright.data[self._filled :]
        try:
            if bright:
                came = os.readv(pipe, [bright])
            else:
                came = os.splice(pipe, self._nowhere, self._frame_bytes - self._filled)
        except BlockingIOError:
            return
        if not came:
            raise StreamError(self._ended())
        self._filled += came
        self._came = True
        self._last_byte = time.monotonic()

    def _check_alive(self) -> None:
        limit = self._frame_timeout_s if self._came else max(START_S, self._frame_timeout_s)
        if time.monotonic() - self._last_byte > limit:
            raise StreamError(
                said(
                    "{command}: no frames for {seconds} s; check the camera's cable",
                    command=self._command[0],
                    seconds=f"{limit:g}",
                )
            )

    def _ended(self) -> Said:
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                return said(
                    "{command}: ended with status {status}; is a camera connected?",
                    command=self._command[0],
                    status=self._process.wait(timeout=0.2),
                )
        return said("{command}: ended; is a camera connected?", command=self._command[0])
