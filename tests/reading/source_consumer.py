"""Consumes a source in a thread, as the daemon does, and says what the process still holds."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from scanner.sources.capture import Capture, Source


class Consumer:
    """Collects a source's captures until the context ends; `error` is what escaped, if anything."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.stop = threading.Event()
        self.captures: queue.Queue[Capture] = queue.Queue()
        self.error: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="consumer")

    def _run(self) -> None:
        try:
            for capture in self.source.captures(self.stop):
                self.captures.put(capture)
        except BaseException as error:
            self.error = error

    def __enter__(self) -> "Consumer":
        self.thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self.halt() < 1.0
        assert self.error is None

    def halt(self) -> float:
        """Stops the source; gives how many seconds it took."""
        began = time.monotonic()
        self.stop.set()
        self.thread.join(5)
        assert not self.thread.is_alive()
        return time.monotonic() - began

    def next(self, timeout: float = 5.0) -> Capture:
        return self.captures.get(timeout=timeout)

    def nothing_for(self, seconds: float) -> bool:
        try:
            self.captures.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


def wait_until(true: Callable[[], bool], timeout: float = 5.0) -> None:
    deadline = time.monotonic() + timeout
    while not true():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.005)


def held() -> tuple[int, int]:
    """How many file descriptors and threads the process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()), threading.active_count()
