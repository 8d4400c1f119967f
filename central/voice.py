"""Central's own words, signed: what it says to a device, ready to be published."""

from datetime import UTC, datetime

from central.authority import Authority
from scanner.alert import (
    CENTRAL,
    AckData,
    AnswerData,
    CommandData,
    Event,
    KeysData,
    Message,
    TallyData,
    new_id,
    seal,
    topic_of,
)

_MESSAGES = {
    AckData: Message.ACK,
    AnswerData: Message.ANSWER,
    CommandData: Message.COMMAND,
    KeysData: Message.KEYS,
    TallyData: Message.TALLY,
}

ToDevice = AckData | AnswerData | CommandData | KeysData | TallyData


class Voice:
    """Signs with central's key. Raises KeyFault where there is none."""

    def __init__(self, authority: Authority) -> None:
        self._key = authority.signing_key()

    def say(self, data: ToDevice, event_id: str | None = None) -> tuple[str, bytes]:
        """The topic and the payload that say `data` to its device."""
        message = _MESSAGES[type(data)]
        event = Event(message, event_id or new_id(), CENTRAL, datetime.now(UTC), data)
        return topic_of(message, data.device), seal(event, self._key)
