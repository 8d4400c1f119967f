"""One connection to the broker, driven by the thread that opened it.

paho-mqtt keeps what it could not send in memory and sends it again by itself; here the outbox alone
decides what is sent, so each connection has a client of its own that is thrown away with it. paho's
loop functions for a foreign event loop run in one thread of ours: a message is handled before it is
acknowledged to the broker, an error comes out where it can be seen, and `wake` lets another thread
end the waiting at once.

The session outlasts the connection: in MQTT 5, what central says meanwhile waits at the broker.
"""

import logging
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from firmware.delivery.link import Address, Link, LinkDown, Unanswered, Version, VersionRefused
from scanner.alert import MAX_PAYLOAD, KeyFault
from scanner.mqtt_turn import send_at_once, turn
from scanner.waker import Waker

log = logging.getLogger(__name__)

SESSION_S = 7 * 24 * 3600
"""How long the broker keeps the session of a device that is away (MQTT 5; 3.1.1 has no limit)."""
CONNECT_WITHIN_S = 5.0
INSTEAD_OF_DOT = "~"
"""NATS takes no dot in a client's id; no device has this in its name."""
IN_FLIGHT = 20
"""The most messages published and not yet acknowledged by the broker."""


@dataclass(frozen=True)
class Will:
    """What the broker publishes, retained, when the connection breaks."""

    topic: str
    payload: bytes


class Connection:
    """A connection with one client; every method is for one thread."""

    def __init__(
        self,
        link: Link,
        address: Address,
        version: Version,
        will: Will | None,
        waker: Waker,
        on_message: Callable[[str, bytes], None],
    ) -> None:
        self._link = link
        self._address = address
        self._version = version
        self._waker = waker
        self._on_message = on_message
        self._answered = False
        self._failure: LinkDown | None = None
        self._in_flight = 0
        self._most = IN_FLIGHT
        self.refused_by_broker = 0
        """Messages that the broker said it does not take (MQTT 5)."""
        self._client = self._new_client(will)

    def open(self, stop: Event) -> None:
        """Connects and waits for the broker's word. Raises LinkDown."""
        options: dict[str, Any] = {}
        if self._version == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            properties.MaximumPacketSize = 2 * MAX_PAYLOAD
            options = {"clean_start": False, "properties": properties}
        address = self._address
        self._secure()
        try:
            self._client.connect(
                address.host, address.port, keepalive=self._link.keepalive_s, **options
            )
        except (OSError, ValueError) as error:
            raise LinkDown(f"{address}: {in_words(error)}") from None
        deadline = time.monotonic() + CONNECT_WITHIN_S
        while not self._answered:
            if stop.is_set():
                raise LinkDown("stopped")
            if time.monotonic() > deadline:
                raise Unanswered(f"{address}: no MQTT broker answers there")
            self.turn(0.1)

    @property
    def room(self) -> int:
        """How many messages may be published now: what the broker takes at a time (MQTT 5 says it)
        and paho holds in memory, without those that the broker has not yet acknowledged."""
        return max(0, self._most - self._in_flight)

    def subscribe(self, topics: tuple[str, ...]) -> None:
        """Subscribes, in MQTT 3.1.1 at QoS 0: whatever central says is said again until the device
        shows that it has it, and in a NATS cluster each subscription at QoS 1 would be a replicated
        queue of its own. A refusal shows at a later `turn`."""
        qos = 1 if self._version == "5" else 0
        self._client.subscribe([(topic, qos) for topic in topics])

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        """Publishes at QoS 1."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        if info.rc is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._broken()
        self._in_flight += 1

    def turn(self, timeout_s: float) -> None:
        """Waits for the network or a `wake`, at most `timeout_s`, and handles what there is.
        Raises LinkDown."""
        holds = turn(self._client, self._waker, timeout_s)
        if self._failure is not None or not holds:
            raise self._broken()

    def settle(self, within_s: float) -> None:
        """Waits for the broker to acknowledge what was published. Raises LinkDown."""
        deadline = time.monotonic() + within_s
        while self._in_flight and time.monotonic() < deadline:
            self.turn(0.05)

    def close(self, within_s: float) -> None:
        """Waits for the broker to acknowledge what was published, then says good-bye."""
        self.settle(within_s)
        self._client.disconnect()

    def drop(self) -> None:
        """Lets go of the socket without a word."""
        sock: Any = self._client.socket()
        if sock is not None:
            sock.close()

    def _secure(self) -> None:
        """Gives the client the TLS of the moment."""
        if self._link.tls is None:
            return
        try:
            self._client.tls_set_context(self._link.tls())
        except (OSError, ValueError, KeyFault) as error:
            raise LinkDown(f"the certificate for the broker cannot be used: {error}") from None

    def _broken(self) -> LinkDown:
        return self._failure or LinkDown(f"{self._address}: the connection broke")

    def _new_client(self, will: Will | None) -> mqtt.Client:
        link = self._link
        five = self._version == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=link.client_id.replace(".", INSTEAD_OF_DOT),
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        client.on_socket_open = send_at_once
        client.max_inflight_messages_set(IN_FLIGHT)
        if will is not None:
            client.will_set(will.topic, will.payload, qos=1, retain=True)
        if link.username is not None:
            client.username_pw_set(link.username, link.password)
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscribed
        client.on_publish = self._published
        client.on_message = self._message
        return client

    def _connected(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, properties: Any) -> None:
        self._answered = True
        if not reason.is_failure:
            self._most = min(IN_FLIGHT, getattr(properties, "ReceiveMaximum", IN_FLIGHT))
            return
        kind = VersionRefused if reason == "Unsupported protocol version" else LinkDown
        self._failure = kind(f"{self._address}: the broker refuses the connection: {reason}")

    def _disconnected(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        if self._failure is None:
            kind = LinkDown if self._answered else Unanswered
            self._failure = kind(f"{self._address}: the connection broke: {reason}")

    def _subscribed(self, _c: Any, _u: Any, _m: int, reasons: list[ReasonCode], _p: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._failure = LinkDown(
                f"{self._address}: the broker refuses a subscription; look at its access rules"
            )

    def _published(self, _c: Any, _u: Any, _m: int, reason: ReasonCode, _p: Any) -> None:
        self._in_flight -= 1
        if reason.is_failure:
            self.refused_by_broker += 1
            if self.refused_by_broker == 1:
                log.warning(
                    "uplink: %s does not take what this device says (%s); look at its access rules",
                    self._address,
                    reason,
                )

    def _message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._on_message(topic, bytes(message.payload))


def in_words(error: OSError | ValueError) -> str:
    """Why a broker was not reached, in a line."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = getattr(error, "verify_message", None) or error.args[-1]
        return f"the broker's certificate is not believed: {why}"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
