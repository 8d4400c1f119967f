"""Takes in what central says to the device, and believes nothing else.

A message counts only where it came by one of the device's own topics, one of central's keys has
signed it for this device, and its counter is above every earlier one's of its kind. Anything else
changes nothing; it is counted and logged without its content. That goes for a broker that repeats
what central once said, too.

A hint that something is published for the device's ring is the one message that a broker keeps: it
gives it again on every connection, and that alone is no replay.
"""

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

from firmware.delivery.answers import Answers, Taken
from firmware.delivery.sending import Sending
from firmware.identity.keys import DeviceKeys, KeyFault
from scanner.alert import (
    MAX_HELD,
    AckData,
    AnswerData,
    CommandData,
    KeysData,
    Message,
    Refusals,
    Refused,
    TallyData,
    UpdateData,
    address_of,
    heard_by_device,
    unseal,
)

log = logging.getLogger(__name__)

_REPLAYED = "replayed"


class Hearing:
    """For the one thread that drives the connection. `on_answer` is told of each answer once, when
    it is safely held, `on_command` of each command, and `on_update` of each hint for `ring`, which
    is None for a device that fetches no lists by itself. An answer that is over by the device's
    clock is not held, but told: the officer sees until when it was meant to hold, and a clock may
    be years off. Raises DiskFault where the disk refuses: a message is then as if it had not come,
    and central says it again."""

    def __init__(
        self,
        device: str,
        answers: Answers,
        keys: DeviceKeys,
        sending: Sending,
        clock: Callable[[], datetime],
        on_answer: Callable[[AnswerData], None],
        on_command: Callable[[CommandData], None],
        ring: str | None = None,
        on_update: Callable[[UpdateData], None] = lambda hint: None,
    ) -> None:
        self.topics = heard_by_device(device, ring)
        self._answers = answers
        self._keys = keys
        self._sending = sending
        self._clock = clock
        self._on_answer = on_answer
        self._on_command = on_command
        self._on_update = on_update
        self._kept_comes = False
        """Whether the hint that the broker keeps may still come on this connection."""
        self._refusals = Refusals(log)
        self._told_over: deque[str] = deque(maxlen=MAX_HELD)
        self.changed = False
        """Whether something came that the status tells of; whoever tells it resets this."""

    @property
    def refused(self) -> int:
        """Messages that were not believed since the start."""
        return self._refusals.counts.total()

    def begin(self) -> None:
        """There is a new connection."""
        self._kept_comes = True

    def hear(self, topic: str, payload: bytes) -> None:
        """One message from the broker. Raises DiskFault."""
        address = address_of(topic)
        if address is None or topic not in self.topics:
            self._refusals.note("another topic", "not for this device")
            return
        try:
            event = unseal(topic, self._keys.reveal(payload), self._keys.of)
        except Refused as refused:
            self._refusals.note(address.message, refused.code)
            return
        if self._believe(event.id, event.data):
            self._sending.heard()

    def _believe(self, event_id: str, data: object) -> bool:
        """Does what a genuine message asks for; False where it was said before."""
        if isinstance(data, AckData):
            return self._is_new(Message.ACK, self._sending.acknowledged(data))
        if isinstance(data, TallyData):
            self.changed = True
            return self._is_new(Message.TALLY, self._sending.reconcile(data))
        if isinstance(data, AnswerData):
            return self._take_answer(event_id, data)
        if isinstance(data, CommandData):
            new = self._is_new(Message.COMMAND, self._answers.is_new("command", data.counter))
            if new:
                self._on_command(data)
            return new
        if isinstance(data, KeysData):
            return self._take_keys(data)
        if isinstance(data, UpdateData):
            self._take_hint(data)
        return False  # a hint may be old: it does not say that central is there now

    def _take_answer(self, event_id: str, answer: AnswerData) -> bool:
        taken = self._answers.take(event_id, answer, self._clock())
        if taken is Taken.HELD:
            self.changed = True
            self._on_answer(answer)
        elif taken is not Taken.HELD_ALREADY:
            self._refusals.note(Message.ANSWER, taken)
        if taken is Taken.OVER and event_id not in self._told_over:
            self._told_over.append(event_id)
            self._on_answer(answer)
        return taken is not Taken.REPLAYED

    def _take_keys(self, keys: KeysData) -> bool:
        if not self._is_new(Message.KEYS, self._answers.is_new("keys", keys.counter)):
            return False
        try:
            self._keys.take(keys)
        except KeyFault as fault:
            log.error("uplink: central's new keys are not taken: %s", fault)
        else:
            self.changed = True
            log.info("uplink: central signs with other keys from now on")
        return True

    def _take_hint(self, hint: UpdateData) -> None:
        name = f"update {hint.ring}"
        if self._answers.is_new(name, hint.counter):
            self._on_update(hint)
        elif self._kept_comes and self._answers.is_highest(name, hint.counter):
            self._kept_comes = False
        else:
            self._refusals.note(Message.UPDATE, _REPLAYED)

    def _is_new(self, message: Message, new: bool) -> bool:
        if not new:
            self._refusals.note(message, _REPLAYED)
        return new
