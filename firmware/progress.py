"""How far a long run has come, on standard error: a terminal sees one line that changes, a file or
a pipe a line every so many files.

A run of a few files that nobody watches says nothing.
"""

import time
from collections.abc import Callable
from typing import TextIO

EVERY = 100
"""Files between two lines where standard error is no terminal."""

CLEAR = "\r\x1b[K"
"""Takes the line that the cursor is on away."""


class Progress:
    """Counts files as they are done. `whole` is how many there are; without a `stream` (standard
    error may be closed) nothing is told."""

    def __init__(
        self, whole: int, stream: TextIO | None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._whole = whole
        self._stream = stream
        self._clock = clock
        self._began = clock()
        self._live = bool(stream and stream.isatty() and whole > 1)
        self.done = 0
        self.failed = 0

    def count(self, failed: bool, same_file: bool = False) -> None:
        """One document is done; `same_file` where the one before came from the same file."""
        self.done += not same_file
        self.failed += failed
        if self._live:
            self._write(f"{CLEAR}{self.told()}")
        elif not same_file and self.done % EVERY == 0 and self.done < self._whole:
            self._write(f"{self.told()}\n")

    def make_room(self) -> None:
        """Takes the changing line away, before something else is written to the terminal."""
        if self._live:
            self._write(CLEAR)

    def finish(self) -> None:
        """The last word on a run that was long enough to have had one before."""
        self.make_room()
        if self._whole >= EVERY:
            self._write(f"{self.told()}\n")

    def told(self) -> str:
        failed = f", {self.failed} of them in error" if self.failed else ""
        left = self._whole - self.done
        spent = self._clock() - self._began
        rest = f", {span_left(spent / self.done * left)} left" if self.done and left > 0 else ""
        return f"{self.done} of {self._whole} files{failed}{rest}"

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def span_left(seconds: float) -> str:
    """`about 40 s`, `about 12 min`, `about 3 h 20 min`."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 90 else f"about {minutes // 60} h {minutes % 60} min"
