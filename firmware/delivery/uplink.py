"""Carries the outbox to central, and what central says to the device.

One thread, one connection at a time. A message counts as told only when central's signed
acknowledgement has named it; the broker's word for it is not enough, for a broker forgets. What is
not acknowledged is published again, with growing pauses, and all of it after every reconnection.
Nothing that is to last rests in here or in the MQTT client: kill the process at any point and the
outbox knows what is still to be told.

What is sent is in `sending`, what is heard in `hearing`, what the device tells of itself in
`reporting`; in here is when: which broker, for how long, and how the desk learns of it.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event as Signal

from firmware.database import DiskFault
from firmware.delivery.answers import Answers
from firmware.delivery.connection import Connection, Will
from firmware.delivery.hearing import Hearing
from firmware.delivery.link import Brokers, Link, LinkDown, LinkState
from firmware.delivery.outbox import Outbox
from firmware.delivery.reporting import Reporting
from firmware.delivery.sending import Sending
from firmware.delivery.window import Window
from firmware.identity.keys import DeviceKeys
from scanner.alert import AnswerData, CommandData, Message, StatusData, UpdateData, topic_of
from scanner.backoff import Backoff, spread
from scanner.waker import Waker

log = logging.getLogger(__name__)

__all__ = ["Link", "Uplink"]

TURN_S = 0.25
"""The longest wait between two looks at `stop`."""
STATUS_EVERY_S = 1.0
"""How often the device's status is looked at, and at most published."""
COUNTS_EVERY_S = 10.0
"""How often it is published for a count alone."""
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
    uplink fills in the rest. `on_answer` is told of each answer once, when it is safely held,
    `on_command` of each command, and `on_update` of each hint that something is published for
    `ring`; all are called in the uplink's thread.
    """

    def __init__(
        self,
        link: Link,
        device: str,
        outbox: Outbox,
        answers: Answers,
        keys: DeviceKeys,
        status: Callable[[], StatusData],
        *,
        on_answer: Callable[[AnswerData], None] = lambda answer: None,
        on_command: Callable[[CommandData], None] = lambda command: None,
        ring: str | None = None,
        on_update: Callable[[UpdateData], None] = lambda hint: None,
        clock: Callable[[], datetime] = _utc_now,
        keep: timedelta = timedelta(days=30),
        window: Window | None = None,
        brokers: Brokers | None = None,
        counts_every_s: float = COUNTS_EVERY_S,
    ) -> None:
        self._link = link
        self._device = device
        self._outbox = outbox
        self._answers = answers
        self._keys = keys
        self._clock = clock
        self._keep = keep
        self._waker = Waker()
        self._brokers = brokers or Brokers(link)
        self._sending = Sending(device, outbox, keys, window or Window(), clock)
        self._hearing = Hearing(
            device,
            answers,
            keys,
            self._sending,
            clock,
            on_answer,
            on_command,
            ring,
            on_update,
        )
        self._reporting = Reporting(
            device, outbox, answers, keys, status, lambda: self.refused, clock, counts_every_s
        )
        self._boot = 0
        self._counted_from = 0.0
        self._looked_at = self._purged_at = float("-inf")
        self._queued = self._alerts = 0
        self._said: str | None = None
        self._disk: dict[str, str] = {}
        self._since = clock()
        self.connected = False
        """Whether the broker is there and took the connection."""
        outbox.listen(self._waker.wake)

    @property
    def queued(self) -> int:
        """Messages that central has not yet acknowledged (as last known, where the disk fails)."""
        return self.state().queued

    @property
    def refused(self) -> int:
        """Messages that were not believed since the start."""
        return self._hearing.refused

    def state(self) -> LinkState:
        """How the link is, and how much waits (as last known, where the disk fails). For any
        thread."""
        try:
            self._queued, self._alerts = self._outbox.queued(), self._outbox.queued_alerts()
        except DiskFault:
            log.debug("uplink: the number of queued messages is not known")
        return LinkState(
            self.connected, self._since, self._brokers.address, self._queued, self._alerts
        )

    def run(self, stop: Signal) -> None:
        """Keeps the link up until `stop`; whatever the brokers do, they are tried again."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, spreading=True)
        while not stop.is_set():
            all_failed = False
            try:
                self._serve(stop)
            except LinkDown as down:
                if self.connected:
                    backoff.reset()
                # Before the turn passes on: nobody may take the next broker for connected.
                self._now(False)
                all_failed = self._brokers.failed(down)
                if not stop.is_set():
                    self._say(logging.WARNING, f"down, alerts wait on the device: {down}")
            finally:
                self._now(False)
            if all_failed:
                backoff.wait(stop)
            else:
                stop.wait(spread(FIRST_PAUSE_S))

    def _serve(self, stop: Signal) -> None:
        """One connection, from the will to the good-bye: until `stop`, or until it `_is_over`.
        Raises LinkDown."""
        if self._clock_was_set():
            self._boot = self._next_boot()
        brokers, reporting = self._brokers, self._reporting
        signed_with = self._keys.signing.thumbprint()
        will = Will(topic_of(Message.STATUS, self._device), reporting.begin(self._boot))
        connection = Connection(
            self._link, brokers.address, brokers.version, will, self._waker, self._heard
        )
        self._hearing.begin()
        try:
            connection.open(stop)
            connection.subscribe(self._hearing.topics)
            brokers.connected()
            self._now(True)
            self._say(logging.INFO, f"up, to {brokers.address}")
            self._sending.start_over()
            self._looked_at = float("-inf")
            while not (stop.is_set() or self._is_over(signed_with)):
                # The status first: a long queue would leave it no room.
                self._on_disk("keeping", lambda: self._look_after(connection))
                self._on_disk("outbox", lambda: self._sending.publish_due(connection))
                connection.turn(self._until_due())
            connection.settle(GOODBYE_WITHIN_S)
            reporting.say_good_bye(connection)
            connection.close(GOODBYE_WITHIN_S)
        finally:
            connection.drop()

    def _is_over(self, signed_with: str) -> bool:
        """Whether the connection is to be made anew: the clock was set, the first broker is there
        again, or the keys were renewed. Its last will was signed with the key before, which central
        believes no longer once it has heard the new one."""
        return (
            self._clock_was_set()
            or self._brokers.first_is_back()
            or self._keys.signing.thumbprint() != signed_with
        )

    def _until_due(self) -> float:
        """How long to wait. What is due already and did not go (the disk or the broker does not
        take it now) waits for a whole turn; trying without a pause would only burn the processor.
        """
        until = self._sending.until_due()
        return min(TURN_S, until) if until > 0 else TURN_S

    def _look_after(self, connection: Connection) -> None:
        """Publishes the status when it has changed, and removes what is kept no longer."""
        now = time.monotonic()
        due = self._hearing.changed or now - self._looked_at >= STATUS_EVERY_S
        if due and connection.room:
            self._hearing.changed = False
            self._looked_at = now
            self._reporting.tell(connection, now)
        if now - self._purged_at >= PURGE_EVERY_S:
            self._purged_at = now
            self._outbox.purge(self._clock(), self._keep)
            self._answers.purge(self._clock())

    def _heard(self, topic: str, payload: bytes) -> None:
        self._on_disk("hearing", lambda: self._hearing.hear(topic, payload))

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
            return int(now.timestamp() * 1000)

    def _now(self, connected: bool) -> None:
        if connected != self.connected:
            self._since = self._clock()
            self.connected = connected

    def _say(self, level: int, state: str) -> None:
        """Logs the link's state when it changes."""
        if state != self._said:
            self._said = state
            log.log(level, "uplink: %s; queued alerts: %d", state, self.state().alerts)
