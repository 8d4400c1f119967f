"""Carries the outbox to central, and what central says to the device.

One thread, one connection at a time. A message counts as told only when central's signed
acknowledgement has named it; the broker's word for it is not enough, for a broker forgets. What is
not acknowledged is published again, with growing pauses, and all of it after every reconnection.
Nothing that is to last rests in here or in the MQTT client: kill the process at any point and the
outbox knows what is still to be told.

What comes in is believed only where central signed it for this device, with a counter above every
earlier one's. Anything else changes nothing; it is counted and logged without its content.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event as Signal

from firmware.answers import Answers, Taken
from firmware.connection import IN_FLIGHT, Connection, Will
from firmware.database import DiskFault
from firmware.keys import Keys
from firmware.link import Brokers, Link, LinkDown
from firmware.outbox import Outbox
from firmware.window import Window
from scanner.alert import (
    MAX_FAULTS,
    AckData,
    AnswerData,
    CommandData,
    Event,
    Message,
    Refusals,
    Refused,
    StatusData,
    address_of,
    device_fault,
    heard_by_device,
    new_id,
    seal,
    source_of,
    topic_of,
    unseal,
)
from scanner.backoff import Backoff, spread
from scanner.waker import Waker

log = logging.getLogger(__name__)

__all__ = ["Link", "Uplink"]

TURN_S = 0.25
"""The longest wait between two looks at `stop`."""
STATUS_EVERY_S = 1.0
"""How often the device's status is looked at, and at most published."""
PURGE_EVERY_S = 3600.0
GOODBYE_WITHIN_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
CLOCK_SET_S = 60.0
"""A clock that runs ahead of the time that passed by more than this was set."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Uplink:
    """The device's side of the link; run `run(stop)` in a thread of its own.

    `status` gives what only the rest of the device knows (place, software, lists, faults); the
    uplink fills in the rest. `on_answer` is told of each answer once, when it is safely held, and
    `on_command` of each command; both are called in the uplink's thread.
    """

    def __init__(
        self,
        link: Link,
        device: str,
        outbox: Outbox,
        answers: Answers,
        keys: Keys,
        status: Callable[[], StatusData],
        *,
        on_answer: Callable[[AnswerData], None] = lambda answer: None,
        on_command: Callable[[CommandData], None] = lambda command: None,
        clock: Callable[[], datetime] = _utc_now,
        keep: timedelta = timedelta(days=30),
        window: Window | None = None,
        brokers: Brokers | None = None,
    ) -> None:
        self._link = link
        self._device = device
        self._outbox = outbox
        self._answers = answers
        self._keys = keys
        self._status = status
        self._on_answer = on_answer
        self._on_command = on_command
        self._clock = clock
        self._keep = keep
        self._topics = heard_by_device(device)
        self._refusals = Refusals(log)
        self._waker = Waker()
        self._window = window or Window()
        self._brokers = brokers or Brokers(link)
        self._published_to = 0
        self._boot = 0
        self._counted_from = 0.0
        self._connection_number = 0
        self._revision = 0
        self._last_status: StatusData | None = None
        self._looked_at = self._purged_at = float("-inf")
        self._queued = 0
        self._said: str | None = None
        self._disk: dict[str, str] = {}
        self.connected = False
        """Whether the broker is there and took the connection."""
        outbox.listen(self._waker.wake)

    @property
    def queued(self) -> int:
        """Messages that central has not yet acknowledged (as last known, where the disk fails)."""
        try:
            self._queued = self._outbox.queued()
        except DiskFault:
            log.debug("uplink: the number of queued messages is not known")
        return self._queued

    @property
    def refused(self) -> int:
        """Messages that were not believed since the start."""
        return self._refusals.counts.total()

    def run(self, stop: Signal) -> None:
        """Keeps the link up until `stop`; whatever the brokers do, they are tried again."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, spreading=True)
        while not stop.is_set():
            try:
                self._serve(stop)
            except LinkDown as down:
                if self.connected:
                    backoff.reset()
                if not stop.is_set():
                    self._say(logging.WARNING, f"down, alerts wait on the device: {down}")
                round_is_over = self._brokers.failed(down)
                if round_is_over:
                    backoff.wait(stop)
                else:
                    stop.wait(spread(FIRST_PAUSE_S))
            finally:
                self.connected = False

    def _serve(self, stop: Signal) -> None:
        """One connection, from the will to the good-bye: until `stop`, until the clock is set, or
        until the first broker is there again. Raises LinkDown."""
        if self._clock_was_set():
            self._boot = self._next_boot()
        self._connection_number += 1
        self._revision = 0
        will = Will(topic_of(Message.STATUS, self._device), self._seal_status(self._offline()))
        brokers = self._brokers
        connection = Connection(
            self._link, brokers.address, brokers.version, will, self._waker, self._heard
        )
        try:
            connection.open(stop)
            connection.subscribe(self._topics)
            brokers.connected()
            self.connected = True
            self._say(logging.INFO, f"up, to {brokers.address}")
            self._start_over()
            while not (stop.is_set() or self._clock_was_set() or brokers.first_is_back()):
                self._on_disk("outbox", lambda: self._publish_due(connection))
                self._on_disk("keeping", lambda: self._look_after(connection))
                connection.turn(self._until_due())
            self._publish_status(connection, self._offline())
            connection.close(GOODBYE_WITHIN_S)
        finally:
            connection.drop()

    def _until_due(self) -> float:
        """How long to wait. What is due already and did not go (the disk or the broker does not
        take it now) waits for a whole turn; trying without a pause would only burn the processor.
        """
        until = self._window.until_due(time.monotonic())
        return min(TURN_S, until) if until > 0 else TURN_S

    def _start_over(self) -> None:
        """On a new connection everything that is not acknowledged goes again, and so does the
        status."""
        self._window.forget()
        self._published_to = 0
        self._last_status = None
        self._looked_at = float("-inf")

    def _publish_due(self, connection: Connection) -> None:
        """Publishes what is due again, then what is new, as far as there is room."""
        now = time.monotonic()
        free = IN_FLIGHT - connection.in_flight
        due = self._window.due(now)[: max(0, free)]
        again = self._outbox.waiting_of(due) if due else []
        self._window.drop(set(due) - {one.n for one in again})
        fresh = min(self._window.room, free - len(again))
        new = self._outbox.waiting(fresh, after=self._published_to) if fresh > 0 else []
        for one in (*again, *new):
            connection.publish(topic_of(one.message, self._device), one.payload)
            self._window.sent(one.n, now)
            self._published_to = max(self._published_to, one.n)

    def _look_after(self, connection: Connection) -> None:
        """Publishes the status when it has changed, and removes what is kept no longer."""
        now = time.monotonic()
        if now - self._looked_at >= STATUS_EVERY_S:
            self._looked_at = now
            status = self._present()
            if status != self._last_status:
                self._publish_status(connection, status)
                self._last_status = status
        if now - self._purged_at >= PURGE_EVERY_S:
            self._purged_at = now
            self._outbox.purge(self._clock(), self._keep)
            self._answers.purge(self._clock())

    def _present(self) -> StatusData:
        """The status; a disk that refuses is part of it, and keeps nothing from being told."""
        status = self._status()
        known: dict[str, object] = {
            "online": True,
            "boot": self._boot,
            "connection": self._connection_number,
        }
        try:
            known["queued"] = self._queued
            known["queued"] = self._queued = self._outbox.queued()
            known["epoch"] = self._outbox.epoch()
            known["answers_held"] = self._answers.held()
        except DiskFault as fault:
            said = device_fault("disk", str(fault))
            known["faults"] = (said, *status.faults)[:MAX_FAULTS]
        return status.model_copy(update=known)

    def _offline(self) -> StatusData:
        return StatusData(
            online=False, boot=self._boot, connection=self._connection_number, queued=self.queued
        )

    def _publish_status(self, connection: Connection, status: StatusData) -> None:
        self._revision += 1
        numbered = status.model_copy(update={"revision": self._revision})
        topic = topic_of(Message.STATUS, self._device)
        connection.publish(topic, self._seal_status(numbered), retain=True)

    def _seal_status(self, status: StatusData) -> bytes:
        event = Event(Message.STATUS, new_id(), source_of(self._device), self._clock(), status)
        return seal(event, self._keys.signing)

    def _heard(self, topic: str, payload: bytes) -> None:
        """One message from the broker; nothing but a true one of central's changes anything."""
        address = address_of(topic)
        if address is None or topic not in self._topics:
            self._refusals.note("another topic", "not for this device")
            return
        try:
            event = unseal(topic, payload, self._keys.of)
        except Refused as refused:
            self._refusals.note(address.message, refused.code)
            return
        self._on_disk("hearing", lambda: self._believe(event))

    def _believe(self, event: Event) -> None:
        data = event.data
        if isinstance(data, AckData):
            self._take_ack(data)
        elif isinstance(data, AnswerData):
            taken = self._answers.take(event.id, data, self._clock())
            if taken is Taken.HELD:
                self._looked_at = float("-inf")
                self._on_answer(data)
            elif taken is not Taken.HELD_ALREADY:
                self._refusals.note(Message.ANSWER, taken)
        elif isinstance(data, CommandData):
            if self._answers.is_new("command", data.counter):
                self._on_command(data)
            else:
                self._refusals.note(Message.COMMAND, "replayed")

    def _take_ack(self, ack: AckData) -> None:
        if self._outbox.acknowledge(ack, self._clock()) is None:
            self._refusals.note(Message.ACK, "replayed")
            return
        epoch = self._outbox.epoch()
        numbers = [one.n for one in ack.committed if one.epoch == epoch]
        self._window.done(numbers, time.monotonic())

    def _on_disk(self, name: str, step: Callable[[], None]) -> None:
        """Runs a step that needs the disk; a disk that refuses is said once and tried again."""
        try:
            step()
        except DiskFault as fault:
            if str(fault) not in self._disk.values():
                log.warning("uplink: %s", fault)
            self._disk[name] = str(fault)
        else:
            self._disk.pop(name, None)

    def _clock_was_set(self) -> bool:
        """Whether the clock was set ahead since this start was numbered, or it has no number yet.

        A Pi wakes with a clock that is behind. With a new card in it, a number taken then would be
        below those of its earlier starts, and central would take no status for a later one.
        """
        counted_from = self._clock().timestamp() - time.monotonic()
        return counted_from - self._counted_from > CLOCK_SET_S

    def _next_boot(self) -> int:
        now = self._clock()
        self._counted_from = now.timestamp() - time.monotonic()
        try:
            return self._outbox.next_boot(now)
        except DiskFault as fault:
            log.warning("uplink: %s", fault)
            return int(now.timestamp())

    def _say(self, level: int, state: str) -> None:
        """Logs the link's state when it changes."""
        if state != self._said:
            self._said = state
            log.log(level, "uplink: %s", state)
