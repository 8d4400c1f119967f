"""The status that a device publishes: what its parts say of themselves, and what the link knows.

It is published when it changes. What is at fault, which lists and which answers the device has, is
told within a second; mere counts, which change with every alert, and how far an update has come, at
most every few seconds, or a fleet would say more about its alerts than the alerts themselves. What
comes first on a connection and the last will carry them all.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from firmware.database import DiskFault
from firmware.delivery.answers import Answers
from firmware.delivery.connection import Connection
from firmware.delivery.outbox import Outbox
from firmware.identity.keys import DeviceKeys
from scanner.alert import (
    MAX_FAULTS,
    Event,
    Message,
    StatusData,
    device_fault,
    new_id,
    seal,
    source_of,
    topic_of,
)

COUNTS = ("queued", "last_n", "refused", "updating")
"""What changes too often to be told each time."""
SAID_FOR = timedelta(days=7)
"""How long a technician is told that the device's memory was set back."""


class Reporting:
    """For the one thread that drives the connection. `status` gives what only the rest of the
    device knows; `refused` how many messages were not believed."""

    def __init__(
        self,
        device: str,
        outbox: Outbox,
        answers: Answers,
        keys: DeviceKeys,
        status: Callable[[], StatusData],
        refused: Callable[[], int],
        clock: Callable[[], datetime],
        counts_every_s: float,
    ) -> None:
        self._device = device
        self._outbox = outbox
        self._answers = answers
        self._keys = keys
        self._status = status
        self._refused = refused
        self._clock = clock
        self._counts_every_s = counts_every_s
        self._boot = self._connection = self._revision = 0
        self._told: StatusData | None = None
        self._counts_told_at = 0.0
        self._counts: dict[str, object] = {"queued": 0, "last_n": 0}

    def begin(self, boot: int) -> bytes:
        """A new connection: its last will."""
        self._boot = boot
        self._connection += 1
        self._revision = 0
        self._told = None
        return self._seal(self._offline())

    def tell(self, connection: Connection, now: float) -> None:
        """Publishes the status where it is time to; `now` is monotonic seconds."""
        status = self._present()
        if self._told is not None:
            if status == self._told:
                return
            same = {name: getattr(self._told, name) for name in COUNTS}
            if (
                now - self._counts_told_at < self._counts_every_s
                and status.model_copy(update=same) == self._told
            ):
                return
        self._counts_told_at = now
        self._told = status
        self._publish(connection, status)

    def say_good_bye(self, connection: Connection) -> None:
        """Publishes that the device leaves."""
        self._publish(connection, self._offline())

    def _present(self) -> StatusData:
        """The status; a disk that refuses is part of it, and keeps nothing from being told."""
        status = self._status()
        faults = list(status.faults)
        known: dict[str, object] = {
            "online": True,
            "boot": self._boot,
            "connection": self._connection,
            "central_keys": self._keys.central_keys,
            "certificate_until": self._keys.certificate_until,
            "refused": self._refused(),
        }
        try:
            known["epoch"] = self._outbox.epoch()
            known["answers_held"] = self._answers.held()
            if fault := self._set_back():
                faults.insert(0, device_fault("memory", fault))
            self._counts = {"queued": self._outbox.queued(), "last_n": self._outbox.last_n()}
        except DiskFault as fault:
            faults.insert(0, device_fault("disk", str(fault)))
        return status.model_copy(
            update=known | self._counts | {"faults": tuple(faults[:MAX_FAULTS])}
        )

    def _set_back(self) -> str | None:
        at = self._outbox.set_back_at()
        if at is None or self._clock() - at > SAID_FOR:
            return None
        return f"found set back to an older state on {at:%Y-%m-%d}; was a card restored?"

    def _offline(self) -> StatusData:
        try:
            self._counts = {"queued": self._outbox.queued(), "last_n": self._outbox.last_n()}
            self._counts["epoch"] = self._outbox.epoch()
        except DiskFault:
            pass  # as last known
        return StatusData(online=False, boot=self._boot, connection=self._connection).model_copy(
            update=self._counts
        )

    def _publish(self, connection: Connection, status: StatusData) -> None:
        self._revision += 1
        numbered = status.model_copy(update={"revision": self._revision})
        topic = topic_of(Message.STATUS, self._device)
        connection.publish(topic, self._seal(numbered), retain=True)

    def _seal(self, status: StatusData) -> bytes:
        event = Event(Message.STATUS, new_id(), source_of(self._device), self._clock(), status)
        return seal(event, self._keys.signing)
