"""Shows each alert to the operator once, as it is stored, whichever receiver stored it.

A receiver shows what it has stored itself, at once, and takes note of that a little later for many
together. What stays without such a note was stored by a receiver that is gone; whoever sees that
first shows it. Showing has a thread of its own: a terminal that stands still holds up nothing.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from threading import Event as Signal

from central.store.store import AlertRow, Store, StoreFault

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.3
LEFT_AFTER_S = 2.0
"""How old an alert is that its receiver has left without a note."""


class Showing:
    """Run `run(stop)` in a thread of its own."""

    def __init__(self, store: Store, show: Callable[[AlertRow], None]) -> None:
        self._store = store
        self._show = show
        self._new: deque[AlertRow] = deque()
        self._something = threading.Event()
        self._shown: dict[tuple[str, str], AlertRow] = {}
        """What was shown and is not yet noted."""
        self._note_at = self._look_at = 0.0
        self._fault: str | None = None

    def add(self, alerts: Sequence[AlertRow]) -> None:
        """These were stored just now. For any thread."""
        self._new.extend(alerts)
        self._something.set()

    def run(self, stop: Signal) -> None:
        """Shows until `stop`, and then what is left."""
        while not stop.is_set():
            self._once(time.monotonic())
            self._something.wait(LOOK_EVERY_S)
        self._note_at = 0.0
        self._once(time.monotonic())

    def wake(self) -> None:
        """Ends the present waiting. For any thread."""
        self._something.set()

    def _once(self, now: float) -> None:
        self._something.clear()
        while self._new:
            self._show_one(self._new.popleft())
        if now < self._note_at:
            return
        self._note_at = now + LOOK_EVERY_S
        try:
            self._take_note()
            if now >= self._look_at:
                self._look_at = now + LEFT_AFTER_S
                for alert in self._store.unshown(
                    datetime.now(UTC) - timedelta(seconds=LEFT_AFTER_S)
                ):
                    self._show_one(alert)
        except StoreFault as fault:
            self._note_at = now + LEFT_AFTER_S
            if self._fault != str(fault):
                self._fault = str(fault)
                log.warning("%s; what was shown is not noted until it takes it", fault)
        else:
            self._fault = None

    def _show_one(self, alert: AlertRow) -> None:
        name = (alert.device, alert.id)
        if name not in self._shown:
            self._show(alert)
            self._shown[name] = alert

    def _take_note(self) -> None:
        if self._shown:
            self._store.mark_shown(list(self._shown.values()), datetime.now(UTC))
            self._shown.clear()
