"""Takes in what devices say: verify, commit, and only then acknowledge.

One thread drives the connection. Messages that the network brings are gathered into a batch, each
checked against its device's key, and committed in one transaction; only when that has returned are
they acknowledged to the broker and, signed, to the devices. A receiver that is killed at any point
has either committed a message or leaves it to come again; what comes again is absorbed and
acknowledged again.

What is not genuine is counted, said, and never stored. Answers that devices are owed go out from
here too.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event as Signal

import paho.mqtt.client as mqtt

from central.authority import Authority
from central.connection import Connection, LinkDown
from central.sequence import Gap
from central.settings import BrokerSettings
from central.store import AlertRow, Committed, Received, Store, StoreFault
from scanner.alert import (
    CENTRAL,
    MAX_ACKS,
    AckData,
    Acknowledged,
    AnswerData,
    Event,
    Message,
    Refusals,
    Refused,
    address_of,
    heard_by_central,
    new_id,
    seal,
    topic_of,
    unseal,
)
from scanner.backoff import Backoff

log = logging.getLogger(__name__)

TURN_S = 0.2
ANSWERS_EVERY_S = 0.5
STORE_PAUSE_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class Receiver:
    """Run `run(stop)` in a thread of its own. `show` is given each alert once, when it is safely
    stored; alerts that an earlier receiver stored and did not show come first."""

    def __init__(
        self,
        broker: BrokerSettings,
        store: Store,
        authority: Authority,
        show: Callable[[AlertRow], None],
        *,
        password: str | None = None,
    ) -> None:
        self._broker = broker
        self._store = store
        self._authority = authority
        self._key = authority.signing_key()
        self._show = show
        self._password = password
        self._refusals = Refusals(log)
        self.connected = False
        """Whether the broker is there and took the subscriptions."""
        self._said: str | None = None
        self._store_fault: str | None = None
        self._answers_at = self._store_at = 0.0
        self._shown: set[tuple[str, str]] = set()

    @property
    def refused(self) -> int:
        """Messages that were not believed since the start."""
        return self._refusals.counts.total()

    def run(self, stop: Signal) -> None:
        """Receives until `stop`. Whatever the broker or the store does, it is tried again."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, spreading=True)
        while not stop.is_set():
            try:
                self._serve(stop)
            except LinkDown as down:
                if self.connected:
                    backoff.reset()
                self._say(logging.WARNING, f"not receiving: {down}")
            finally:
                self.connected = False
            backoff.wait(stop)

    def _serve(self, stop: Signal) -> None:
        """One connection, from subscribing to the good-bye. Raises LinkDown."""
        connection = Connection(self._broker, self._password)
        try:
            connection.open(heard_by_central())
            self.connected = True
            self._say(logging.INFO, f"receiving from {self._broker.host}:{self._broker.port}")
            while not stop.is_set():
                connection.turn(TURN_S, most=MAX_ACKS)
                self._with_store(connection, time.monotonic())
        finally:
            connection.close()

    def _with_store(self, connection: Connection, now: float) -> None:
        """What needs the store. While it refuses, nothing is acknowledged and all is kept."""
        if now < self._store_at:
            return
        try:
            if connection.inbox:
                self._take_in(connection)
            if now - self._answers_at >= ANSWERS_EVERY_S:
                self._answers_at = now
                self._send_answers(connection)
                self._show_new()
        except StoreFault as fault:
            self._store_at = now + STORE_PAUSE_S
            if self._store_fault != str(fault):
                self._store_fault = str(fault)
                log.warning("%s; nothing is acknowledged until it takes it", fault)
        else:
            self._store_fault = None

    def _take_in(self, connection: Connection) -> None:
        """A batch of at most as many messages as one acknowledgement can name."""
        batch = connection.inbox[:MAX_ACKS]
        genuine = [one for one in map(self._checked, batch) if one is not None]
        committed = self._store.commit(genuine, datetime.now(UTC)) if genuine else Committed()
        connection.acknowledge(batch)
        self._acknowledge(connection, genuine, committed.counters)
        self._report(committed)
        if committed.alerts:
            self._show_new()

    def _checked(self, message: mqtt.MQTTMessage) -> Received | None:
        """The message, if its device said it."""
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        address = address_of(topic)
        payload = bytes(message.payload)
        try:
            event = unseal(topic, payload, self._authority.keys_of)
        except Refused as refused:
            self._refusals.note(address.message if address else "another topic", refused.code)
            return None
        if address is None or address.device is None:
            self._refusals.note("another topic", "not for central")
            return None
        return Received(address.device, event, payload)

    def _acknowledge(
        self, connection: Connection, genuine: list[Received], counters: dict[str, int]
    ) -> None:
        """Tells each device which of its messages are committed."""
        of_device: dict[str, list[Acknowledged]] = defaultdict(list)
        for received in genuine:
            event = received.event
            if event.epoch is not None and event.n is not None:
                one = Acknowledged(id=event.id, epoch=event.epoch, n=event.n)
                of_device[received.device].append(one)
        for device, every in of_device.items():
            ack = AckData(device=device, counter=counters[device], committed=tuple(every))
            self._tell(connection, Message.ACK, new_id(), ack)

    def _send_answers(self, connection: Connection) -> None:
        for due in self._store.due_answers(datetime.now(UTC)):
            self._tell(connection, Message.ANSWER, due.id, due.data)

    def _tell(
        self, connection: Connection, message: Message, event_id: str, data: AckData | AnswerData
    ) -> None:
        event = Event(message, event_id, CENTRAL, datetime.now(UTC), data)
        connection.publish(topic_of(message, data.device), seal(event, self._key))

    def _show_new(self) -> None:
        """Shows what is new, each alert once also where the store refuses to take note of it."""
        refused: StoreFault | None = None
        for alert in self._store.unshown():
            name = (alert.device, alert.id)
            if name not in self._shown:
                self._show(alert)
                self._shown.add(name)
            if refused is None:
                try:
                    self._store.mark_shown(alert, datetime.now(UTC))
                except StoreFault as fault:
                    refused = fault
                else:
                    self._shown.discard(name)
        if refused is not None:
            raise refused

    def _report(self, committed: Committed) -> None:
        for gap in committed.missing:
            log.warning("%s: %s missing of what it has said", gap.device, _those(gap))
        for gap in committed.arrived:
            log.info("%s: %s came after all", gap.device, _numbers(gap))
        for device in committed.repeated:
            log.warning(
                "%s: a place in its sequence was used twice; its memory was perhaps set back",
                device,
            )

    def _say(self, level: int, state: str) -> None:
        """Logs the link's state when it changes."""
        if state != self._said:
            self._said = state
            log.log(level, "%s", state)


def _numbers(gap: Gap) -> str:
    if gap.first == gap.last:
        return f"message {gap.first}"
    return f"messages {gap.first} to {gap.last}"


def _those(gap: Gap) -> str:
    return f"{_numbers(gap)} {'is' if gap.first == gap.last else 'are'}"
