"""Publishes what waits in the outbox, and takes central's word for what need wait no longer.

The window says what is due and how much may be on its way; the outbox says what still waits. A
message is signed when it goes, with the device's key of that moment, and encrypted where the broker
may not see what is in it.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime

from firmware.delivery.connection import Connection
from firmware.delivery.outbox import Outbox, Waiting
from firmware.delivery.window import Window
from firmware.identity.keys import DeviceKeys
from scanner.alert import AckData, TallyData, sign, topic_of

log = logging.getLogger(__name__)


class Sending:
    """For the one thread that drives the connection."""

    def __init__(
        self,
        device: str,
        outbox: Outbox,
        keys: DeviceKeys,
        window: Window,
        clock: Callable[[], datetime],
    ) -> None:
        self._device = device
        self._outbox = outbox
        self._keys = keys
        self._window = window
        self._clock = clock
        self._published_to = 0
        """The place up to which everything that waits is in the window."""

    def start_over(self) -> None:
        """On a new connection everything that is not acknowledged goes again."""
        self._window.forget()
        self._published_to = 0

    def until_due(self) -> float:
        """Seconds until something is due again; 0 or less where it is already."""
        return self._window.until_due(time.monotonic())

    def publish_due(self, connection: Connection) -> None:
        """Publishes what is due again, then what is new, as far as there is room."""
        now = time.monotonic()
        free = connection.room
        due = self._window.due(now)[:free]
        again = self._outbox.waiting_of(due) if due else []
        self._window.drop(set(due) - {one.place for one in again})
        fresh = min(self._window.room, free - len(again))
        new = self._outbox.waiting(fresh, after=self._published_to) if fresh > 0 else []
        self._published_to = max([self._published_to, *(one.place for one in new)])
        for one in (*again, *(one for one in new if one.place not in self._window)):
            self._publish(connection, one, now)

    def acknowledged(self, ack: AckData) -> bool:
        """Central has these. False for an acknowledgement that was said before."""
        places = self._outbox.acknowledge(ack, self._clock())
        if places is None:
            return False
        self._window.done(places, time.monotonic())
        return True

    def reconcile(self, tally: TallyData) -> bool:
        """Central has this much of the device's sequence. False for a tally said before."""
        reconciled = self._outbox.reconcile(tally, self._clock())
        if reconciled is None:
            return False
        self._window.heard(time.monotonic())
        if reconciled.set_back:
            log.warning("uplink: this device's memory is older than what it once told central")
            self.start_over()
        if reconciled.again:
            log.warning("uplink: central lacks %d delivered messages", reconciled.again)
        if reconciled.first is not None:
            self._published_to = min(self._published_to, reconciled.first - 1)
        return True

    def heard(self) -> None:
        """Central said something, whatever it was: it is there."""
        self._window.heard(time.monotonic())

    def _publish(self, connection: Connection, one: Waiting, now: float) -> None:
        if one.body is None:
            return
        try:
            payload = self._keys.conceal(sign(one.body, self._keys.signing))
        except ValueError as error:
            log.error("uplink: message %s cannot be sent: %s", one.id, error)
            return
        connection.publish(topic_of(one.message, self._device), payload)
        self._window.sent(one.place, now)
