"""Parts that run for as long as the box does: started in order, stopped in reverse.

Each part is a `run(stop)` in a thread of its own. One that ends or raises before it is asked to is
started again after a pause; one that keeps dying takes the whole daemon down, loudly, so that
systemd starts everything afresh. Nothing is ever left silently dead.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event

from scanner.failing import where

log = logging.getLogger(__name__)

RESTARTS = 5
"""How often a part may die within WINDOW_S before the daemon gives up."""
WINDOW_S = 60.0
PAUSE_S = 0.5
STOP_WITHIN_S = 10.0


@dataclass(frozen=True)
class Part:
    """One thing that runs. `may_end` is for parts that have an end of their own (a replay)."""

    name: str
    run: Callable[[Event], None]
    may_end: bool = False


@dataclass
class _Running:
    part: Part
    thread: threading.Thread
    stop: Event
    failed: Event = field(default_factory=Event)
    deaths: deque[float] = field(default_factory=deque)
    restart_at: float | None = None


class GaveUp(Exception):
    """A part died too often; the message names it."""


class Supervisor:
    """Keeps `parts` running. Not for use from several threads."""

    def __init__(self, parts: Sequence[Part], *, pause_s: float = PAUSE_S) -> None:
        self._parts = parts
        self._pause_s = pause_s
        self._running: list[_Running] = []

    def start(self) -> None:
        """Starts every part, in order."""
        for part in self._parts:
            self._running.append(self._launch(part))

    def watch(self) -> None:
        """Looks after the dead, once. Raises GaveUp where one has died too often."""
        now = time.monotonic()
        for running in self._running:
            if running.thread.is_alive():
                continue
            if running.restart_at is None:
                self._note_death(running, now)
            elif now >= running.restart_at:
                self._relaunch(running)

    def ended(self, name: str) -> bool:
        """Whether the part of that name, which may end, has ended by itself."""
        return any(
            r.part.name == name and not r.thread.is_alive() and not r.failed.is_set()
            for r in self._running
        )

    def stop(self) -> None:
        """Asks each part to stop and waits for it, in reverse order."""
        for running in reversed(self._running):
            running.stop.set()
            running.thread.join(STOP_WITHIN_S)
            if running.thread.is_alive():
                log.error("%s did not stop within %.0f s", running.part.name, STOP_WITHIN_S)
        self._running.clear()

    def _launch(self, part: Part) -> _Running:
        stop, failed = Event(), Event()
        thread = threading.Thread(
            target=_guarded, args=(part, stop, failed), name=part.name, daemon=True
        )
        thread.start()
        log.debug("%s started", part.name)
        return _Running(part, thread, stop, failed)

    def _note_death(self, running: _Running, now: float) -> None:
        if running.part.may_end and not running.failed.is_set():
            return
        running.deaths.append(now)
        while running.deaths and now - running.deaths[0] > WINDOW_S:
            running.deaths.popleft()
        if len(running.deaths) > RESTARTS:
            raise GaveUp(f"{running.part.name} died {len(running.deaths)} times within a minute")
        running.restart_at = now + self._pause_s * 2 ** (len(running.deaths) - 1)
        log.error("%s died; it is started again", running.part.name)

    def _relaunch(self, running: _Running) -> None:
        fresh = self._launch(running.part)
        running.thread, running.stop, running.failed = fresh.thread, fresh.stop, fresh.failed
        running.restart_at = None


def _guarded(part: Part, stop: Event, failed: Event) -> None:
    try:
        part.run(stop)
    except Exception as error:
        # Only the kind of error and where it arose: its text could quote a document.
        failed.set()
        log.error("%s failed: %s at %s", part.name, type(error).__name__, where(error))
