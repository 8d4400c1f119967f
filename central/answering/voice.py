"""What central says to a device, signed and ready to be published."""

from collections.abc import Sequence
from datetime import UTC, datetime

from central.enrolment.authority import Authority
from scanner.alert import (
    CENTRAL,
    AckData,
    AnswerData,
    CommandData,
    Event,
    KeysData,
    Message,
    TallyData,
    UpdateData,
    new_id,
    ring_topic,
    topic_of,
)

_MESSAGES = {
    AckData: Message.ACK,
    AnswerData: Message.ANSWER,
    CommandData: Message.COMMAND,
    KeysData: Message.KEYS,
    TallyData: Message.TALLY,
    UpdateData: Message.UPDATE,
}

ToDevice = AckData | AnswerData | CommandData | KeysData | TallyData
"""Whatever is for one device."""


class Voice:
    """Speaks with the key that is central's at that moment."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        authority.signing_key()  # without one nothing can be said: known at the start

    def say(self, data: ToDevice, event_id: str | None = None) -> tuple[str, bytes]:
        """The topic and the payload that say `data` to its device. Raises KeyFault."""
        event = self._event(data, event_id)
        return topic_of(event.message, data.device), self._authority.seal(event, data.device)

    def say_keys(self, data: KeysData, held: Sequence[str]) -> tuple[str, bytes]:
        """The same for keys, signed with one of those that the device holds. Raises KeyFault."""
        event = self._event(data, None)
        return topic_of(event.message, data.device), self._authority.seal_keys(event, held)

    def say_to_ring(self, data: UpdateData) -> tuple[str, bytes]:
        """The same for a hint to its ring."""
        return ring_topic(data.ring), self._authority.seal_to_all(self._event(data, None))

    def _event(self, data: ToDevice | UpdateData, event_id: str | None) -> Event:
        now = datetime.now(UTC)
        return Event(_MESSAGES[type(data)], event_id or new_id(), CENTRAL, now, data)
