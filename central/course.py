"""How far a long command is, on standard error: a terminal sees one line that changes, a file or a
pipe a line now and then."""

import sys
import time

_WORD_EVERY_S = 30.0


class Course:
    """Used with `with`. Standard error may be closed; then nothing is told."""

    def __init__(self) -> None:
        stream = sys.stderr
        self._stream = stream
        self._live = bool(stream and stream.isatty())
        self._shown = 0
        self._begun = self._last = time.monotonic()

    def __enter__(self) -> "Course":
        return self

    def __exit__(self, *_: object) -> None:
        self.make_room()

    def show(self, line: str) -> None:
        """What is told now: each time on a terminal, else if the last time was a while ago."""
        now = time.monotonic()
        if self._live:
            self._write(f"\r{line:<{self._shown}}")
            self._shown = len(line)
        elif now - self._last >= _WORD_EVERY_S:
            self._last = now
            self._write(f"{line}\n")

    def show_records(self, done: int, total: int) -> None:
        """How many records are done, of how many, and the time that the rest may take."""
        share = done / max(1, total)
        spent = time.monotonic() - self._begun
        left = spent / share - spent if share > 0.01 else None
        self.show(f"{share:.0%}, {done:,} of {total:,} records{time_left(left)}")

    def make_room(self) -> None:
        """Takes the changing line away, before something else is written to the terminal."""
        if self._shown:
            self._write(f"\r{'':<{self._shown}}\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        if self._stream:
            print(text, end="", file=self._stream, flush=True)


def time_left(seconds: float | None) -> str:
    """`, about 12 min left`; empty where that is not known."""
    if seconds is None:
        return ""
    told = f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(1, seconds):.0f} s"
    return f", about {told} left"
