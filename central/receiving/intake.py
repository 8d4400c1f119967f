"""Takes in what comes from one broker: verify, commit, and only then acknowledge.

Messages that the network brings are gathered into a batch, each checked against its device's key,
and committed in one transaction; only when that has returned are they acknowledged to the broker
and, signed, to the devices. A receiver that is killed at any point has either committed a message
or leaves it to come again; what comes again is absorbed and acknowledged again.

What is not genuine is counted, said, and never stored.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from threading import Event as Signal

from central.answering.key_telling import KeyTeller
from central.answering.voice import ToDevice, Voice
from central.enrolment.authority import Authority
from central.receiving.counting import Counting
from central.receiving.inflow import Delivery, Inflow, LinkDown, Source
from central.store.sequence import numbers
from central.store.store import AlertRow, Committed, Received, Store, StoreFault, Unstorable
from scanner.alert import (
    MAX_ACKS,
    AckData,
    Acknowledged,
    KeyFault,
    Refusals,
    Refused,
    address_of,
)
from scanner.backoff import Backoff

log = logging.getLogger(__name__)

TURN_S = 0.2
BATCH = 400
"""The most messages that are stored together."""
STORE_PAUSE_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 15.0


class Intake:
    """Run `run(stop)` in a thread of its own. `show` is given the alerts that are new in each
    batch, when they are safely stored."""

    def __init__(
        self,
        source: Source,
        store: Store,
        authority: Authority,
        voice: Voice,
        keys: KeyTeller,
        counting: Counting,
        show: Callable[[Sequence[AlertRow]], None],
    ) -> None:
        self._source = source
        self._store = store
        self._authority = authority
        self._voice = voice
        self._keys = keys
        self._counting = counting
        self._show = show
        self._refusals = Refusals(log)
        self._inflow: Inflow | None = None
        self._said: str | None = None
        self._store_fault: str | None = None
        self._store_at = 0.0
        self._singly = 0
        """How many messages to take in one by one."""

    @property
    def connected(self) -> bool:
        """Whether the broker is there and took the subscriptions."""
        return self._inflow is not None

    @property
    def refused(self) -> int:
        """Messages that were not believed since the start."""
        return self._refusals.counts.total()

    def run(self, stop: Signal) -> None:
        """Takes in until `stop`. Whatever the broker or the store does, it is tried again."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S, spreading=True)
        while not stop.is_set():
            try:
                self._serve(stop)
            except LinkDown as down:
                if self.connected:
                    backoff.reset()
                if not stop.is_set():
                    self._say(logging.WARNING, f"not receiving: {down}")
            finally:
                self._inflow = None
            backoff.wait(stop)

    def publish(self, topic: str, payload: bytes) -> None:
        """Publishes by the present connection, if there is one. For any thread."""
        if (inflow := self._inflow) is not None:
            inflow.publish(topic, payload)

    def wake(self) -> None:
        """Ends the present waiting. For any thread."""
        if (inflow := self._inflow) is not None:
            inflow.wake()

    def _serve(self, stop: Signal) -> None:
        """One connection, from subscribing to the good-bye. Raises LinkDown."""
        inflow = self._source.connect()
        try:
            inflow.open(stop)
            self._inflow = inflow
            self._say(logging.INFO, f"receiving from {self._source.name}")
            while not stop.is_set():
                inflow.turn(TURN_S, most=BATCH)
                if inflow.inbox and time.monotonic() >= self._store_at:
                    self._with_store(inflow)
        finally:
            inflow.close()

    def _with_store(self, inflow: Inflow) -> None:
        """Takes in a batch. While the store refuses, nothing is acknowledged and all is kept."""
        try:
            self._take_in(inflow)
        except Unstorable:
            self._set_aside(inflow)
        except StoreFault as fault:
            self._store_at = time.monotonic() + STORE_PAUSE_S
            self._counting.store_refused()
            if self._store_fault != str(fault):
                self._store_fault = str(fault)
                log.warning("%s; nothing is acknowledged until it takes it", fault)
        else:
            self._store_fault = None

    def _set_aside(self, inflow: Inflow) -> None:
        """Something in the batch cannot be stored: it is found by taking in one by one, and must
        hold up nothing else. Its device is not told that it is stored, and shows it as queued."""
        if self._singly == 0:
            self._singly = len(_first(inflow.inbox))
            return
        address = address_of(inflow.inbox[0].topic)
        self._refuse(address.message if address else "another topic", "unstorable")
        inflow.acknowledge(1)
        self._singly -= 1

    def _take_in(self, inflow: Inflow) -> None:
        batch = inflow.inbox[:1] if self._singly else _first(inflow.inbox)
        genuine = [one for one in map(self._checked, batch) if one is not None]
        began = time.monotonic()
        committed = self._store.commit(genuine, datetime.now(UTC)) if genuine else Committed()
        took_s = time.monotonic() - began
        inflow.acknowledge(len(batch))
        self._singly = max(0, self._singly - 1)
        self._show(committed.alerts)
        self._tell(inflow, genuine, committed)
        self._report(committed)
        if genuine:
            self._counting.stored(genuine, committed, took_s)

    def _tell(self, inflow: Inflow, genuine: list[Received], committed: Committed) -> None:
        """Tells the devices what is stored. What they are not told they send again."""
        try:
            for said in (*_acknowledgements(genuine, committed.counters), *committed.tallies):
                inflow.publish(*self._voice.say(said))
            for status in committed.heard:
                self._keys.offer(status.device, status.data.central_keys, inflow.publish)
        except KeyFault as fault:
            self._say(logging.ERROR, f"nothing can be acknowledged: {fault}")

    def _checked(self, delivery: Delivery) -> Received | None:
        """The message, if its device said it."""
        address = address_of(delivery.topic)
        try:
            event = self._authority.unseal(delivery.topic, delivery.payload)
        except Refused as refused:
            self._refuse(address.message if address else "another topic", refused.code)
            return None
        if address is None or address.device is None:
            self._refuse("another topic", "not for central")
            return None
        return Received(address.device, event, delivery.payload, delivery.retained)

    def _refuse(self, where: str, why: str) -> None:
        self._refusals.note(where, why)
        self._counting.refused(why)

    def _report(self, committed: Committed) -> None:
        for gap in committed.arrived:
            log.info("%s: %s came after all", gap.device, numbers(gap))
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


def _first(inbox: list[Delivery]) -> list[Delivery]:
    """As many messages as go into a batch, and of one device into an acknowledgement."""
    of_device: Counter[str] = Counter()
    for count, delivery in enumerate(inbox[:BATCH]):
        device = delivery.topic.rpartition("/")[0]
        if of_device[device] == MAX_ACKS:
            return inbox[:count]
        of_device[device] += 1
    return inbox[:BATCH]


def _acknowledgements(genuine: list[Received], counters: dict[str, int]) -> list[ToDevice]:
    """What tells each device which of its messages are committed."""
    of_device: dict[str, list[Acknowledged]] = defaultdict(list)
    for received in genuine:
        event = received.event
        if event.epoch is not None and event.n is not None:
            one = Acknowledged(id=event.id, epoch=event.epoch, n=event.n)
            of_device[received.device].append(one)
    return [
        AckData(device=device, counter=counters[device], committed=tuple(every))
        for device, every in of_device.items()
    ]
