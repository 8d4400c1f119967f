"""The live picture of a camera, for an officer who aims a document: JPEG after JPEG with the place
of the MRZ drawn in, for as long as the page asks. Nothing of it is kept.

The locator is opened when the first picture is asked for, and runs between the pictures in a worker
thread; the reader that checks documents has its own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from threading import Lock

import cv2
import numpy as np
from anyio.to_thread import run_sync

from scanner.said import said
from scanner.sources.camera import Camera
from scanner.sources.capture import Frame
from scanner.vision.finder import Corners, Finder
from scanner.vision.reader import ReaderUnavailable
from scanner.web.problem import Problem

log = logging.getLogger(__name__)

BOUNDARY = "picture"
MOST_VIEWERS = 2
EVERY_S = 0.2
WIDTH = 640
_QUALITY = 70
_GREEN = (60, 160, 40)


class Live:
    """The live pictures of the desk's cameras. `hidden` says when nothing may be seen."""

    def __init__(self, cameras: tuple[Camera, ...], hidden: Callable[[], bool]) -> None:
        self._cameras = cameras
        self._hidden = hidden
        self._viewers = 0
        self._finder: Finder | None = None
        self._finds = True
        self._finding = Lock()

    def stream(self) -> AsyncIterator[bytes]:
        """The parts of a multipart body. Raises Problem."""
        if not self._cameras:
            raise Problem(404, "no_camera", said("this desk has no camera"))
        if self._hidden():
            raise Problem(403, "hidden", said("the page shows nothing now"))
        if self._viewers >= MOST_VIEWERS:
            raise Problem(503, "viewers", said("the live picture is looked at already"))
        return self._parts()

    async def _parts(self) -> AsyncIterator[bytes]:
        self._viewers += 1
        try:
            while not self._hidden():
                picture = await run_sync(self._picture)
                if picture is not None:
                    head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                    yield f"{head}Content-Length: {len(picture)}\r\n\r\n".encode() + picture
                    yield b"\r\n"
                await asyncio.sleep(EVERY_S)
        finally:
            self._viewers -= 1
            if not self._viewers:
                self._finder = None

    def _picture(self) -> bytes | None:
        frame = next((one.latest for one in self._cameras if one.latest is not None), None)
        if frame is None:
            return None
        scale = min(1.0, WIDTH / frame.shape[1])
        size = (round(frame.shape[1] * scale), round(frame.shape[0] * scale))
        small = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_AREA), np.uint8)
        drawn = cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
        corners = self._find(frame)
        if corners is not None:
            points = np.rint(np.array(corners) * scale).astype(np.int32)
            cv2.polylines(drawn, [points], isClosed=True, color=_GREEN, thickness=2)
        done, picture = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        return picture.tobytes() if done else None

    def _find(self, frame: Frame) -> Corners | None:
        with self._finding:
            if not self._finds:
                return None
            try:
                self._finder = self._finder or Finder()
                return self._finder.find(frame)
            except ReaderUnavailable:
                self._finds = False
            except Exception as error:
                # An odd picture must not end the view; its text could quote what is in it.
                log.error("the live picture's MRZ is not found: %s", type(error).__name__)
            return None
