"""Growing pauses between tries, for whatever may be away: a broker, a scanner, a camera."""

import random
from threading import Event


def spread(pause_s: float) -> float:
    """`pause_s` give or take a fifth, so that a fleet does not speak in chorus."""
    return pause_s * random.uniform(0.8, 1.2)  # noqa: S311


class Backoff:
    """Pauses in seconds that double from the first to the longest; `spreading` varies each."""

    def __init__(self, first_s: float, longest_s: float, *, spreading: bool = False) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._spreading = spreading
        self._pause_s = first_s

    def reset(self) -> None:
        """It was there: the next pause is the first again."""
        self._pause_s = self._first_s

    def wait(self, stop: Event) -> None:
        """Waits for one pause, or until `stop`."""
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, self._longest_s)
        stop.wait(spread(pause_s) if self._spreading else pause_s)
