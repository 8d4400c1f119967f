"""Growing pauses after failed sign-ins, held in memory.

The first few failures cost nothing; each further one doubles the pause. What is kept is bounded:
the oldest entries make room.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

FREE = 4
"""Failures that cost nothing: people mistype."""
LONGEST_S = 300.0
_KEPT = 10_000


def pause_after(failures: int, free: int = FREE, longest_s: float = LONGEST_S) -> float:
    """How long to wait after so many failures in a row, in seconds."""
    return 0.0 if failures <= free else min(longest_s, 2.0 ** min(failures - free, 16))


class Pauses:
    """By any key. For any thread."""

    def __init__(
        self,
        free: int = FREE,
        longest_s: float = LONGEST_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._free = free
        self._longest_s = longest_s
        self._clock = clock
        self._lock = Lock()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def left(self, key: str) -> float:
        """How long `key` must still wait, in seconds."""
        with self._lock:
            _, until = self._failures.get(key, (0, 0.0))
        return max(0.0, until - self._clock())

    def failed(self, key: str) -> None:
        """One more failure of `key`."""
        with self._lock:
            count = self._failures.pop(key, (0, 0.0))[0] + 1
            pause = pause_after(count, self._free, self._longest_s)
            self._failures[key] = (count, self._clock() + pause)
            while len(self._failures) > _KEPT:
                self._failures.popitem(last=False)

    def forget(self, key: str) -> None:
        """`key` has done well."""
        with self._lock:
            self._failures.pop(key, None)
