"""Who may connect to a NATS cluster and what each may say and hear, as text for its configuration.

The server takes the name in a client's certificate (`verify_and_map`) and looks it up among the
users named here: a device that is not, or no longer, among them is refused, so this file is also
where a revocation counts. A device says what devices say and hears what central says to it, by MQTT
and under its own name alone. The gateway for MQTT needs `$MQTT.sub.>` besides, by which it
delivers; a device cannot subscribe to that by MQTT, and other ways in are closed to it.
"""

from collections.abc import Sequence

from central.brokers.nats_names import SAID, STATUS, subject_of
from scanner.alert import TABLE

DEVICE, WORKER = "urn:borderpost:device:", "urn:borderpost:central:"
"""What certificates say of devices and of central's workers."""

_HEAD = """\
# Who may say and hear what: the users of the account BORDERPOST. `borderpost-central broker
# nats-users` writes this file: a change made here by hand is lost. The servers read it again at
# `nats-server --signal reload`; whoever is no longer named in it is then disconnected.

"""
_DELIVERY = "$MQTT.sub.>"
_ASKED_OF_STREAMS = (
    "STREAM.INFO.{0}",
    "STREAM.CREATE.{0}",
    "STREAM.UPDATE.{0}",
    "CONSUMER.INFO.{0}.*",
    "CONSUMER.DURABLE.CREATE.{0}.*",
    "CONSUMER.CREATE.{0}",
    "CONSUMER.CREATE.{0}.>",
    "CONSUMER.MSG.NEXT.{0}.*",
)


def users(workers: Sequence[str], devices: Sequence[str]) -> str:
    """The file for these workers of central and these devices."""
    every = [
        *(_worker(name) for name in workers),
        *(_device(name) for name in devices),
    ]
    return f"{_HEAD}users: [\n{''.join(every)}]\n"


def _device(name: str) -> str:
    says = [_of(topic, name) for topic in _topics(from_central=False)]
    hears = [_of(topic, name) for topic in _topics(from_central=True)]
    return _user(f"{DEVICE}{name}", ["MQTT"], says, [*hears, _DELIVERY])


def _worker(name: str) -> str:
    says = [_of(topic, "+") for topic in _topics(from_central=True)]
    asks = [
        f"$JS.API.{ask.format(stream)}" for stream in (SAID, STATUS) for ask in _ASKED_OF_STREAMS
    ]
    acks = f"$JS.ACK.{SAID}.>"
    hears = ["borderpost.>", "_INBOX.>", _DELIVERY]
    return _user(f"{WORKER}{name}", ["STANDARD", "MQTT"], [*says, *asks, acks], hears)


def _topics(*, from_central: bool) -> list[str]:
    return [row.topic for row in TABLE.values() if row.from_central is from_central]


def _of(topic: str, device: str) -> str:
    return subject_of(topic.replace("<device>", device).replace("<ring>", "+"))


def _user(name: str, ways: Sequence[str], says: Sequence[str], hears: Sequence[str]) -> str:
    return (
        f'  {{\n    user: "{name}"\n    allowed_connection_types: [{_quoted(ways)}]\n'
        f"    permissions: {{\n      publish: [{_quoted(says)}]\n"
        f"      subscribe: [{_quoted(hears)}]\n    }}\n  }}\n"
    )


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
