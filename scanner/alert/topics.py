"""Where each message goes: the one table of topics, for both ends.

A topic names the device that a message is from or for, so a broker can hold each device to its own
topics, and whoever unseals a message can hold its signature against the topic that it came by.
"""

from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from scanner.alert.messages import (
    AckData,
    AlertData,
    AnswerData,
    CommandData,
    Data,
    DeviceName,
    DrillData,
    KeysData,
    OutcomeData,
    RingName,
    RolloutData,
    StatsData,
    StatusData,
    TallyData,
    UpdateData,
)
from scanner.device_names import is_device_name

PREFIX = "borderpost/v1"
CENTRAL = "borderpost/central"
"""The CloudEvents source of whatever central says."""

_DEVICE_NAME: TypeAdapter[str] = TypeAdapter(DeviceName)
_RING_NAME: TypeAdapter[str] = TypeAdapter(RingName)


class Message(StrEnum):
    """Every kind of message."""

    ALERT = "alert"
    OUTCOME = "outcome"
    STATS = "stats"
    ROLLOUT = "rollout"
    DRILL = "drill"
    STATUS = "status"
    ACK = "ack"
    ANSWER = "answer"
    COMMAND = "command"
    TALLY = "tally"
    KEYS = "keys"
    UPDATE = "update"


@dataclass(frozen=True)
class Row:
    """One row of the table. `sequenced` messages have a place in their device's gapless sequence,
    rest in its outbox and are acknowledged; all are published at QoS 1."""

    topic: str
    data: type[Data]
    from_central: bool = False
    retained: bool = False
    sequenced: bool = False
    qos: int = 1


TABLE: dict[Message, Row] = {
    Message.ALERT: Row(f"{PREFIX}/<device>/alert", AlertData, sequenced=True),
    Message.OUTCOME: Row(f"{PREFIX}/<device>/outcome", OutcomeData, sequenced=True),
    Message.STATS: Row(f"{PREFIX}/<device>/stats", StatsData, sequenced=True),
    Message.ROLLOUT: Row(f"{PREFIX}/<device>/rollout", RolloutData, sequenced=True),
    Message.DRILL: Row(f"{PREFIX}/<device>/drill", DrillData, sequenced=True),
    Message.STATUS: Row(f"{PREFIX}/<device>/status", StatusData, retained=True),
    Message.ACK: Row(f"{PREFIX}/<device>/ack", AckData, from_central=True),
    Message.ANSWER: Row(f"{PREFIX}/<device>/answer", AnswerData, from_central=True),
    Message.COMMAND: Row(f"{PREFIX}/<device>/command", CommandData, from_central=True),
    Message.TALLY: Row(f"{PREFIX}/<device>/tally", TallyData, from_central=True),
    Message.KEYS: Row(f"{PREFIX}/<device>/keys", KeysData, from_central=True),
    Message.UPDATE: Row(
        f"{PREFIX}/ring/<ring>/update", UpdateData, from_central=True, retained=True
    ),
}


@dataclass(frozen=True)
class Address:
    """What a topic says: the kind of message, and the device or the ring (exactly one of them)."""

    message: Message
    device: str | None = None
    ring: str | None = None

    @property
    def source(self) -> str:
        """Who alone may say something here."""
        if TABLE[self.message].from_central or self.device is None:
            return CENTRAL
        return source_of(self.device)


def source_of(device: str) -> str:
    """The CloudEvents source of what `device` says."""
    return f"borderpost/device/{device}"


def topic_of(message: Message, device: str) -> str:
    """The topic of `message` from or for `device`. Raises ValueError for a name that is none."""
    if message is Message.UPDATE:
        raise ValueError("an update goes to a ring")
    return TABLE[message].topic.replace("<device>", _DEVICE_NAME.validate_python(device))


def ring_topic(ring: str) -> str:
    """The topic of the updates for `ring`. Raises ValueError for a name that is none."""
    return TABLE[Message.UPDATE].topic.replace("<ring>", _RING_NAME.validate_python(ring))


def address_of(topic: str) -> Address | None:
    """What `topic` says, or None where it is none of ours."""
    parts = topic.removeprefix(f"{PREFIX}/").split("/") if topic.startswith(f"{PREFIX}/") else []
    if len(parts) == 3 and parts[0] == "ring" and parts[2] == Message.UPDATE:
        return Address(Message.UPDATE, ring=parts[1]) if _is_ring_name(parts[1]) else None
    if len(parts) != 2 or not is_device_name(parts[0]) or parts[1] not in set(Message):
        return None
    message = Message(parts[1])
    return None if message is Message.UPDATE else Address(message, device=parts[0])


def heard_by_central() -> tuple[str, ...]:
    """The topic filters that central subscribes to: what every device says."""
    return tuple(
        row.topic.replace("<device>", "+") for row in TABLE.values() if not row.from_central
    )


def heard_by_device(device: str, ring: str | None = None) -> tuple[str, ...]:
    """The topics that `device` subscribes to: what central says to it alone, and to its ring."""
    alone = tuple(
        topic_of(message, device)
        for message, row in TABLE.items()
        if row.from_central and message is not Message.UPDATE
    )
    return alone if ring is None else (*alone, ring_topic(ring))


def _is_ring_name(name: str) -> bool:
    try:
        _RING_NAME.validate_python(name)
    except ValidationError:
        return False
    return True
