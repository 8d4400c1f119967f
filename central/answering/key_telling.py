"""Tells devices which keys central signs with from now on, until their own statuses name those.

A device is told when a status of its shows that it holds others, and again after a pause as long as
it does. When central's keys change, every device that is online is looked at once.
"""

import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Lock

from central.answering.voice import Voice
from central.enrolment.authority import Authority
from central.store.store import Store
from scanner.alert import KeysData, PublicKey

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 30.0
LOOK_EVERY_S = 2.0
ALL_EVERY_S = 300.0

Publish = Callable[[str, bytes], None]


class KeyTeller:
    """For any thread. Raises StoreFault and KeyFault."""

    def __init__(self, store: Store, authority: Authority, voice: Voice) -> None:
        self._store = store
        self._authority = authority
        self._voice = voice
        self._lock = Lock()
        self._known: tuple[PublicKey, ...] | None = None
        self._look_at = self._all_at = 0.0

    def offer(self, device: str, held: Sequence[str], publish: Publish) -> None:
        """Tells `device`, which holds the keys `held`, what it lacks, unless it was just told."""
        owed = self._authority.keys_owed(held) if held else ()
        if not owed:
            return  # it holds just those, or does not say what it holds
        counter = self._store.counter_for_keys(device, datetime.now(UTC), AGAIN_AFTER_S)
        if counter is not None:
            keys = KeysData(device=device, counter=counter, keys=owed)
            publish(*self._voice.say_keys(keys, held))

    def offer_to_all(self, publish: Publish) -> None:
        """Tells every device that is online and lacks keys, where it is time to look."""
        with self._lock:
            now = time.monotonic()
            if now < self._look_at:
                return
            self._look_at = now + LOOK_EVERY_S
            keys = self._authority.keys_owed(())
            if keys == self._known and now < self._all_at:
                return
            self._known, self._all_at = keys, now + ALL_EVERY_S
        for device, held in self._store.keys_held():
            self.offer(device, held, publish)
