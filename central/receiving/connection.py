"""One connection of the receiver to an MQTT broker, with a client of its own.

Messages are acknowledged to the broker by hand, once they are stored. The session ends with the
connection: a worker that dies leaves nothing at the broker that only it could have taken, and what
was under way to it the devices send again, as they do with everything that central has not
acknowledged to them.

What every device says in sequence is shared among the workers by a shared subscription; statuses,
which are retained and small, every worker hears.
"""

import time
from collections import deque
from threading import Event, get_ident
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.brokers.mqtt_client import CONNECT_WITHIN_S, connect, new_client, place
from central.receiving.inflow import Delivery, LinkDown, Source
from central.settings import BrokerSettings
from scanner.alert import MAX_PAYLOAD, TABLE
from scanner.mqtt_turn import turn
from scanner.waker import Waker

GOODBYE_WITHIN_S = 1.0
MOST_AT_ONCE = 1000
"""Messages that an MQTT 5 broker may have under way to one worker."""


def brokers(settings: BrokerSettings, password: str | None) -> list[Source]:
    """Every broker that is configured."""

    def source(host: str, port: int) -> Source:
        return Source(place(host, port), lambda: Connection(settings, host, port, password))

    return [source(*address) for address in settings.addresses]


def _subscriptions(group: str) -> list[str]:
    """What every device says; what is in sequence comes to one worker of `group` each."""
    said = [row for row in TABLE.values() if not row.from_central]
    return [
        f"$share/{group}/{topic}" if row.sequenced and group else topic
        for row in said
        for topic in [row.topic.replace("<device>", "+")]
    ]


class Connection:
    """An `Inflow` by MQTT."""

    def __init__(
        self, settings: BrokerSettings, host: str, port: int, password: str | None
    ) -> None:
        self._settings = settings
        self._host, self._port = host, port
        self._failure: str | None = None
        self._subscribed = False
        self._waker = Waker()
        self._to_publish: deque[tuple[str, bytes]] = deque()
        self._thread = get_ident()
        self.inbox: list[Delivery] = []
        client = new_client(settings, password, manual_ack=True)
        client.max_inflight_messages_set(MOST_AT_ONCE)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    def open(self, stop: Event) -> None:
        settings, where = self._settings, place(self._host, self._port)
        options: dict[str, Any] = {}
        if settings.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = 2 * MAX_PAYLOAD
            properties.ReceiveMaximum = MOST_AT_ONCE
            options = {"clean_start": True, "properties": properties}
        keepalive = settings.keepalive_seconds
        connect(self._client, settings, self._host, self._port, keepalive=keepalive, **options)
        deadline = time.monotonic() + CONNECT_WITHIN_S
        while not self._subscribed:
            if stop.is_set():
                raise LinkDown("stopped")
            if time.monotonic() > deadline:
                raise LinkDown(f"{where}: no MQTT broker answers there")
            self._once(0.1)

    def turn(self, wait_s: float, most: int) -> None:
        while True:
            self._flush()
            before = len(self.inbox)
            self._once(0.0 if len(self.inbox) >= most else wait_s)
            if len(self.inbox) == before or len(self.inbox) >= most:
                break
            wait_s = 0.0
        self._flush()

    def acknowledge(self, count: int) -> None:
        for delivery in self.inbox[:count]:
            self._client.ack(*delivery.token)
        del self.inbox[:count]

    def publish(self, topic: str, payload: bytes) -> None:
        self._to_publish.append((topic, payload))
        if get_ident() != self._thread:
            self.wake()

    def wake(self) -> None:
        self._waker.wake()

    def close(self) -> None:
        try:
            self._flush()
            self._client.disconnect()
            deadline = time.monotonic() + GOODBYE_WITHIN_S
            while self._client.want_write() and time.monotonic() < deadline:
                self._once(0.05)
        except LinkDown:
            pass
        finally:
            sock: Any = self._client.socket()
            if sock is not None:
                sock.close()
            self._waker.close()

    def _flush(self) -> None:
        while self._to_publish:
            self._client.publish(*self._to_publish.popleft(), qos=1)

    def _once(self, wait_s: float) -> None:
        """Waits for the network or a `wake`, and handles what there is."""
        holds = turn(self._client, self._waker, wait_s)
        if self._failure is not None or not holds:
            raise LinkDown(self._failure or "the connection broke")

    def _on_connect(
        self, client: mqtt.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            self._failure = f"the broker refuses the connection: {reason}"
        else:
            client.subscribe([(topic, 1) for topic in _subscriptions(self._settings.group)])

    def _on_subscribe(self, _c: Any, _u: Any, _m: int, reasons: list[ReasonCode], _p: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._failure = "the broker refuses a subscription; look at its access rules"
        else:
            self._subscribed = True

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        self._failure = self._failure or f"the connection broke: {reason}"

    def _on_message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        token = (message.mid, message.qos)
        self.inbox.append(Delivery(topic, bytes(message.payload), message.retain, token))
