"""A message as it crosses the network: a CloudEvents 1.0 JSON event in a compact JWS (RFC 7515).

A device signs what it says, central what it says, and no broker in between can make up or change a
word. The signature is Ed25519, named by RFC 9864's `Ed25519`: the older name `EdDSA` leaves the
curve open and that RFC deprecates it. The algorithm and the key come from who alone may speak on
the topic, never from the message; its header must say exactly what we would have said.

`unseal` refuses in this order, so that nothing is parsed before its sender is sure: size, form,
header, key, signature, event, and whether the event belongs on the topic that it came by.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Generic, Literal, TypeVar

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey
from joserfc.util import urlsafe_b64decode
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from uuid6 import uuid7

from scanner.alert.messages import Data, FromCentral, Id, Moment, Number, Said, UpdateData
from scanner.alert.thumbprints import thumbprint
from scanner.alert.topics import TABLE, Address, Message, address_of

MAX_PAYLOAD = 64 * 1024
"""The most bytes that a payload may have; more is refused unread."""

ALGORITHM = "Ed25519"
_FORM = re.compile(rb"[A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}")

D = TypeVar("D", bound=BaseModel)
Keys = Callable[[str], Sequence[OKPKey]]
"""From a CloudEvents source to the public keys that it may sign with; empty for a stranger."""


class Refused(Exception):
    """A payload that is not believed. `code` is stable; nothing of the payload is in it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Forged(Refused):
    """Not signed by whoever alone may say this on this topic."""


class Malformed(Refused):
    """Not one of our messages, or not in its form."""


@dataclass(frozen=True)
class Event:
    """One thing said. `epoch` and `n` are its place in the device's sequence, both None for a
    message that has none; `key` is the thumbprint of the key that has signed it, once it is read.
    """

    message: Message
    id: str
    source: str
    time: datetime
    data: Data
    epoch: str | None = None
    n: int | None = None
    key: str | None = field(default=None, compare=False)


class _Header(Said):
    alg: Literal["Ed25519"]
    kid: str = Field(min_length=1, max_length=128)
    typ: Literal["cloudevents+json"]


class _Envelope(BaseModel, Generic[D]):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    specversion: Literal["1.0"] = "1.0"
    id: Id
    source: str = Field(max_length=128)
    type: str = Field(max_length=64)
    time: Moment
    datacontenttype: Literal["application/json"] = "application/json"
    data: D


class _Sequenced(_Envelope[D], Generic[D]):
    epoch: Id
    n: Number


_ENVELOPES: dict[Message, Any] = {
    message: (_Sequenced if row.sequenced else _Envelope)[row.data]
    for message, row in TABLE.items()
}


def envelope_of(message: Message) -> type[BaseModel]:
    """The model of a whole event that carries `message`."""
    model: type[BaseModel] = _ENVELOPES[message]
    return model


def new_id() -> str:
    """A new UUIDv7, in lower case."""
    return str(uuid7())


def type_of(message: Message) -> str:
    """The CloudEvents type of `message`."""
    return f"org.borderpost.{message}.v1"


def seal(event: Event, key: OKPKey) -> bytes:
    """`event`, signed with the private `key`. Raises ValueError for an event that breaks its model
    or is over MAX_PAYLOAD."""
    return sign(body_of(event), key)


def body_of(event: Event) -> bytes:
    """`event` as it is signed: JSON. Raises ValueError for an event that breaks its model."""
    sequence = (
        {} if event.epoch is None and event.n is None else {"epoch": event.epoch, "n": event.n}
    )
    envelope: BaseModel = _ENVELOPES[event.message](
        id=event.id,
        source=event.source,
        type=type_of(event.message),
        time=event.time,
        data=event.data,
        **sequence,
    )
    return envelope.model_dump_json().encode()


def body_around(
    data: bytes, *, message: Message, id: str, source: str, time: datetime, epoch: str, n: int
) -> bytes:
    """What `body_of` gives for an event in sequence, around `data` that is JSON already."""
    head = {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": type_of(message),
        "time": time.astimezone(UTC).isoformat(),
        "datacontenttype": "application/json",
        "epoch": epoch,
        "n": n,
    }
    return json.dumps(head, separators=(",", ":"))[:-1].encode() + b',"data":' + data + b"}"


def data_of(payload: bytes) -> bytes:
    """The data, as JSON, of a payload that `seal` gave."""
    data = json.loads(jws.extract_compact(payload).payload)["data"]
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def sign(body: bytes, key: OKPKey) -> bytes:
    """A body, signed with the private `key`. Raises ValueError where it is over MAX_PAYLOAD."""
    header = {"alg": ALGORITHM, "kid": thumbprint(key), "typ": "cloudevents+json"}
    sealed = jws.serialize_compact(header, body, key, algorithms=[ALGORITHM]).encode()
    if len(sealed) > MAX_PAYLOAD:
        raise ValueError(f"the message has {len(sealed)} bytes; {MAX_PAYLOAD} are allowed")
    return sealed


def unseal(topic: str, payload: bytes, keys: Keys) -> Event:
    """What was said on `topic`. Raises Forged or Malformed, and nothing else, on any bytes."""
    address = address_of(topic)
    if address is None:
        raise Malformed("topic")
    body, key = _verified(payload, keys(address.source))
    try:
        envelope = _ENVELOPES[address.message].model_validate_json(body)
    except ValidationError:
        raise Malformed("event") from None
    _check_belonging(envelope, address)
    return Event(
        message=address.message,
        id=envelope.id,
        source=envelope.source,
        time=envelope.time,
        data=envelope.data,
        epoch=getattr(envelope, "epoch", None),
        n=getattr(envelope, "n", None),
        key=key,
    )


def _verified(payload: bytes, keys: Sequence[OKPKey]) -> tuple[bytes, str]:
    """The signed bytes and the key's thumbprint, once the signature is found true."""
    if len(payload) > MAX_PAYLOAD:
        raise Malformed("oversize")
    if not _FORM.fullmatch(payload):
        raise Malformed("form")
    try:
        signed = jws.extract_compact(payload)
    except (JoseError, ValueError, TypeError, RecursionError):
        raise Forged("header") from None
    kid = _kid_in(payload[: payload.index(b".")])
    if not keys:
        raise Forged("sender")
    key = next((key for key in keys if thumbprint(key) == kid), None)
    if key is None:
        raise Forged("key")
    try:
        if not jws.validate_compact(signed, key, algorithms=[ALGORITHM]):
            raise Forged("signature")
    except (JoseError, ValueError, TypeError):
        raise Forged("signature") from None
    return signed.payload, kid


@lru_cache(maxsize=20_000)
def _kid_in(header: bytes) -> str:
    """The key that a JWS header names, once for each header: a device's messages share theirs.
    Raises Forged where it is not exactly what we would have said."""
    try:
        return _Header.model_validate_json(urlsafe_b64decode(header)).kid
    except (ValidationError, JoseError, ValueError):
        raise Forged("header") from None


def _check_belonging(envelope: Any, address: Address) -> None:
    """That the event says of itself what the topic says of it."""
    if envelope.source != address.source:
        raise Forged("source")
    if envelope.type != type_of(address.message):
        raise Malformed("type")
    data = envelope.data
    if isinstance(data, FromCentral) and data.device != address.device:
        raise Forged("device")
    if isinstance(data, UpdateData) and data.ring != address.ring:
        raise Forged("ring")
