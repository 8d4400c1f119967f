"""Further frames of a document that still lies under the camera, for a reader that wants more.

Most documents are read from the frames of their capture. Where those are not enough, the reader
asks for more, and only then is anything kept here: one frame, the sharpest since the last one that
was handed over. Frames that are handed over are `apart_s` from each other, because neighbours show
the same glare and the same tremor twice.

Two threads meet here. The camera's offers frames and never waits. The reader's takes them and
waits, but never longer than `within_s` in all, whatever the camera does; and no longer than the
document lies there: whoever offers says when that is over.
"""

import time
from collections.abc import Callable, Iterator
from threading import Condition

from scanner.sources.capture import Frame


class Further:
    """An iterator over further frames of one document: at most `most`, within `within_s` of the
    first that is asked for."""

    def __init__(self, *, most: int = 12, within_s: float = 2.5, apart_s: float = 0.2) -> None:
        self._most = most
        self._within_s = within_s
        self._apart_s = apart_s
        self._changed = Condition()
        self._sharpest: tuple[float, Frame] | None = None
        self._given = 0
        self._given_at = 0.0
        self._deadline: float | None = None
        """None until the first frame is asked for."""
        self._over = False

    @property
    def wanted(self) -> bool:
        """Whether a reader has asked, so that offering frames is worth while."""
        with self._changed:
            return self._deadline is not None and not self._over

    def offer(self, frame: Frame, sharpness: Callable[[], float]) -> None:
        """One frame of the document, as it comes; `sharpness` is asked only where it counts."""
        if not self.wanted:
            return
        sharp = sharpness()
        with self._changed:
            if self._sharpest is None or sharp > self._sharpest[0]:
                self._sharpest = sharp, frame
            self._changed.notify()

    def end(self) -> None:
        """The document no longer lies there, or the camera is lost."""
        with self._changed:
            self._over = True
            self._changed.notify()

    def __iter__(self) -> Iterator[Frame]:
        return self

    def __next__(self) -> Frame:
        with self._changed:
            if self._deadline is None:
                self._given_at = time.monotonic()
                self._deadline = self._given_at + self._within_s
            while self._given < self._most and self._waits():
                pass
            if self._given >= self._most or self._sharpest is None:
                return self._stop()
            frame, self._sharpest = self._sharpest[1], None
            self._given += 1
            self._given_at = time.monotonic()
            return frame

    def _waits(self) -> bool:
        """Waits a while for a frame that can be handed over; False where none need be waited
        for any more."""
        now = time.monotonic()
        until = self._deadline or now
        if self._sharpest is not None:
            until = min(until, self._given_at + self._apart_s)
        if self._over or now >= until:
            return False
        self._changed.wait(until - now)
        return True

    def _stop(self) -> Frame:
        self._over = True
        raise StopIteration
