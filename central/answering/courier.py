"""Carries what is in the store to the devices that it is for: answers, central's new keys, and what
has come to be missing of what they said. A device that counts that as delivered says it again: the
store was set back to a copy while the device stayed connected.

It wakes with whatever is committed to the store, by this process or another, so an answer leaves
within milliseconds of being recorded; and it looks by itself now and then, for what falls due.
"""

import logging
import time
from datetime import UTC, datetime
from threading import Event as Signal
from typing import Protocol

from central.answering.key_telling import KeyTeller
from central.answering.voice import Voice
from central.store.sequence import numbers
from central.store.store import Store, StoreFault
from scanner.alert import KeyFault

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
BREATH_S = 0.005
"""The least time between two looks, however much is committed."""
MISSING_EVERY_S = 1.0
STORE_PAUSE_S = 1.0


class Outlet(Protocol):
    """Where signed messages leave for the devices."""

    @property
    def connected(self) -> bool: ...

    def publish(self, topic: str, payload: bytes) -> None: ...


class Courier:
    """Run `run(stop)` in a thread of its own."""

    def __init__(
        self,
        store: Store,
        voice: Voice,
        keys: KeyTeller,
        outlets: list[Outlet],
    ) -> None:
        self._store = store
        self._voice = voice
        self._keys = keys
        self._outlets = outlets
        self._watch = store.watch()
        self._missing_at = 0.0
        self._fault: str | None = None

    def wake(self) -> None:
        """There is something to do. For any thread."""
        self._watch.wake()

    def run(self, stop: Signal) -> None:
        """Carries until `stop`."""
        try:
            while not stop.is_set():
                self._watch.wait(LOOK_EVERY_S)
                pause_s = BREATH_S
                try:
                    self._send_answers()
                    self._say_what_is_missing()
                    self._keys.offer_to_all(self._publish)
                except (StoreFault, KeyFault) as fault:
                    pause_s = STORE_PAUSE_S
                    if self._fault != str(fault):
                        self._fault = str(fault)
                        log.warning("%s; answers wait", fault)
                else:
                    self._fault = None
                stop.wait(pause_s)
        finally:
            self._watch.close()

    def _send_answers(self) -> None:
        """By every broker that is there: which of them the device is at, the broker knows."""
        if any(outlet.connected for outlet in self._outlets):
            for due in self._store.due_answers(datetime.now(UTC)):
                self._publish(*self._voice.say(due.data, due.id))

    def _publish(self, topic: str, payload: bytes) -> None:
        for outlet in self._outlets:
            outlet.publish(topic, payload)

    def _say_what_is_missing(self) -> None:
        now = time.monotonic()
        if now < self._missing_at:
            return
        self._missing_at = now + MISSING_EVERY_S
        gaps = self._store.lasting_gaps(datetime.now(UTC))
        for gap in gaps:
            verb = "is" if gap.first == gap.last else "are"
            log.warning("%s: %s %s missing of what it has said", gap.device, numbers(gap), verb)
        if gaps:
            for tally in self._store.tallies(gaps, datetime.now(UTC)):
                self._publish(*self._voice.say(tally))
