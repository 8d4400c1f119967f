"""A camera over the desk: yields one capture a document, with its sharpest few frames.

A capture goes out as soon as its document lies still; whoever reads it may ask for further frames
for as long as the very same document lies there (`Further`).

A thread of its own reads the camera and watches for documents, so one that is exchanged while the
last is still being read is not missed, and a device that hangs never holds up who consumes.
"""

import logging
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Lock, Thread

import cv2
import numpy as np

from scanner.backoff import Backoff
from scanner.said import said
from scanner.sources.capture import Capture, Frame, Health
from scanner.sources.further import Further
from scanner.sources.presence import Presence, Seen, State, Thresholds
from scanner.sources.streams import (
    FrameStream,
    RpicamStream,
    StreamEnded,
    StreamError,
    V4l2Stream,
)

__all__ = ["Camera", "FrameStream", "RpicamStream", "StreamEnded", "StreamError", "V4l2Stream"]

log = logging.getLogger(__name__)

SMALL_WIDTH = 160
DARK = 20.0
"""Mean brightness (of 255) below which nothing can be read."""
_LOOK_EVERY_S = 0.2
"""How often whoever waits for a document looks whether to go on."""


class Camera:
    """Documents under one camera.

    `keep` is the most frames in a capture, sharpest first, all in grey. `further` makes what gives
    more of them: `Further`, with its bounds. So many documents as `waiting` may wait
    to be read; then the oldest gives way. `backoff_s` is the first and the longest pause before a
    camera that was lost is opened again.
    """

    def __init__(
        self,
        name: str,
        frames: FrameStream,
        *,
        keep: int = 3,
        further: Callable[[], Further] = Further,
        waiting: int = 8,
        thresholds: Thresholds | None = None,
        no_frames_s: float = 3.0,
        backoff_s: tuple[float, float] = (0.5, 10.0),
    ) -> None:
        self._name = name
        self._stream = frames
        self._keep = keep
        self._make_further = further
        self._further = further()
        self._waiting = waiting
        self._presence = Presence(thresholds)
        self._no_frames_s = no_frames_s
        self._backoff_s = backoff_s
        self._lock = Lock()
        self._health = Health(False, said("{name}: not started yet", name=name))
        self._frame_at = 0.0
        self._state = State.LEARNING
        self._latest: Frame | None = None
        self._listeners: list[Callable[[], None]] = []
        self._best: list[tuple[float, Frame]] = []
        self._thread: Thread | None = None
        self._asked = Event()

    @property
    def name(self) -> str:
        return self._name

    @property
    def health(self) -> Health:
        with self._lock:
            silence = time.monotonic() - self._frame_at
            if self._health.ok and silence > self._no_frames_s:
                return Health(
                    False,
                    said(
                        "{name}: no frames for over {seconds} s; check the camera's cable",
                        name=self._name,
                        seconds=f"{self._no_frames_s:.0f}",
                    ),
                )
            return self._health

    @property
    def state(self) -> State:
        """What is under the camera, as far as it is known."""
        return self._state

    @property
    def latest(self) -> Frame | None:
        """What the camera sees now, in grey, or None while it sees nothing."""
        return self._latest

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` whenever `state` changes, in the camera's thread."""
        self._listeners.append(listener)

    def trigger(self) -> None:
        """Has what lies there captured now, also where it was captured already."""
        self._asked.set()

    def captures(self, stop: Event) -> Iterator[Capture]:
        """Yields one capture a document until `stop`, or until a recording ends."""
        found: queue.Queue[Capture] = queue.Queue(self._waiting)
        quit_, previous = Event(), self._thread
        while previous and previous.is_alive():  # the device hung when this was last stopped
            if stop.wait(0.05):
                return
        thread = Thread(target=self._watch, args=(quit_, found), name=self._name, daemon=True)
        self._thread = thread
        thread.start()
        try:
            while not stop.is_set():
                over = not thread.is_alive()
                try:
                    yield found.get(timeout=_LOOK_EVERY_S)
                except queue.Empty:
                    if over:
                        return
        finally:
            quit_.set()
            thread.join(0.8)
            if thread.is_alive():
                log.warning("%s: the camera does not answer; it is left behind", self._name)
            self._say(Health(False, said("{name}: stopped", name=self._name)))

    def _watch(self, stop: Event, found: "queue.Queue[Capture]") -> None:
        backoff = Backoff(*self._backoff_s)
        while not stop.is_set():
            opened = time.monotonic()
            try:
                self._stream.open()
                while not stop.is_set():
                    frame = self._stream.read()
                    if frame is not None:
                        self._take(frame, found)
            except StreamEnded:
                return
            except StreamError as error:
                self._say(Health(False, str(error)))
            except Exception as error:
                # Whatever a driver or a codec comes up with must not end the watch in silence.
                log.error("%s: %s in reading the camera", self._name, type(error).__name__)
                self._say(
                    Health(False, said("{name}: the camera failed; trying again", name=self._name))
                )
            finally:
                self._further.end()
                self._stream.close()
                self._best.clear()
                self._note(State.LEARNING, None)
            if self._frame_at > opened:
                backoff.reset()
            backoff.wait(stop)

    def _take(self, frame: Frame, found: "queue.Queue[Capture]") -> None:
        grey = _grey(frame)
        height, width = grey.shape
        size = (SMALL_WIDTH, max(1, round(height * SMALL_WIDTH / width)))
        # Every other row: for so small a picture the rest would add nothing but time.
        small = np.asarray(cv2.resize(grey[::2], size, interpolation=cv2.INTER_AREA), np.uint8)
        now = time.monotonic()
        with self._lock:
            self._frame_at = now
        dark = small.mean() < DARK
        self._say(
            Health(False, said("{name}: too dark; switch the lamp on", name=self._name))
            if dark
            else GOOD
        )
        sharpness = Sharpness(grey)
        if self._asked.is_set():
            self._asked.clear()
            self._presence.forget()
        seen = self._presence.see(small, now, sharpness)
        self._note(seen.state, grey)
        self._collect(grey, sharpness, seen)
        if not seen.lasts:
            self._further.end()
        if seen.captured:
            self._give(found)
        elif seen.lasts and seen.state is State.HOLDING:
            self._further.offer(grey, sharpness)

    def _collect(self, grey: Frame, sharpness: "Sharpness", seen: Seen) -> None:
        if not seen.keep:
            self._best.clear()
            return
        self._best.append((sharpness(), grey))
        self._best.sort(key=lambda pair: pair[0], reverse=True)
        del self._best[self._keep :]

    def _give(self, found: "queue.Queue[Capture]") -> None:
        self._further.end()
        self._further = self._make_further()
        frames = tuple(frame for _, frame in self._best)
        capture = Capture(self._name, frames=frames, more=self._further)
        self._best.clear()
        if found.full():
            log.warning("%s: documents come faster than they are read; one is lost", self._name)
            with suppress(queue.Empty):
                found.get_nowait()
        found.put_nowait(capture)

    def _note(self, state: State, frame: Frame | None) -> None:
        self._latest = frame
        changed, self._state = state is not self._state, state
        if changed:
            for listener in self._listeners:
                listener()

    def _say(self, health: Health) -> None:
        with self._lock:
            changed, self._health = health != self._health, health
        if changed and health.message:
            log.warning("%s", health.message)


GOOD = Health(True)


def _grey(frame: Frame) -> Frame:
    if frame.ndim == 2:
        return frame
    return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY), np.uint8)


class Sharpness:
    """How sharp a grey frame is: the variance of its Laplacian, worked out when first asked."""

    def __init__(self, grey: Frame) -> None:
        self._grey = grey
        self._value: float | None = None

    def __call__(self) -> float:
        if self._value is None:
            deviation = cv2.meanStdDev(cv2.Laplacian(self._grey, cv2.CV_16S))[1]
            self._value = float(deviation[0, 0]) ** 2
        return self._value
