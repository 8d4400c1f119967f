"""One connection of the receiver to the broker, with a client of its own.

Messages are acknowledged to the broker by hand, once they are stored; until then the broker keeps
them, also over a reconnection, for the session outlasts the connection. Each connection has a
client of its own, so an acknowledgement can never reach a later session.
"""

import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.settings import BrokerSettings
from scanner.alert import MAX_PAYLOAD

SESSION_S = 30 * 24 * 3600
"""How long the broker keeps messages for a receiver that is away (MQTT 5; 3.1.1 has no limit)."""
CONNECT_WITHIN_S = 5.0


class LinkDown(Exception):
    """There is no connection; the message says why."""


class Connection:
    """For one thread. `inbox` holds what has come and was not yet acknowledged, in order."""

    def __init__(self, broker: BrokerSettings, password: str | None) -> None:
        self._broker = broker
        self._failure: str | None = None
        self._subscribed = False
        self.inbox: list[mqtt.MQTTMessage] = []
        five = broker.protocol == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=broker.client_id,
            clean_session=None if five else False,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        if broker.username is not None:
            client.username_pw_set(broker.username, password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    def open(self, topics: tuple[str, ...]) -> None:
        """Connects and subscribes to `topics`. Raises LinkDown."""
        broker = self._broker
        where = f"{broker.host}:{broker.port}"
        options: dict[str, Any] = {}
        if broker.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_S
            properties.MaximumPacketSize = 2 * MAX_PAYLOAD
            options = {"clean_start": False, "properties": properties}
        self._topics = topics
        try:
            self._client.connect(
                broker.host, broker.port, keepalive=broker.keepalive_seconds, **options
            )
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise LinkDown(f"{where}: {why}") from None
        deadline = time.monotonic() + CONNECT_WITHIN_S
        while not self._subscribed:
            if time.monotonic() > deadline:
                raise LinkDown(f"{where}: no MQTT broker answers there")
            self._loop(0.1)

    def turn(self, wait_s: float, most: int) -> None:
        """Waits for the network and takes in all that is there, until the inbox holds `most`.
        Raises LinkDown."""
        while True:
            before = len(self.inbox)
            self._loop(wait_s)
            if len(self.inbox) == before or len(self.inbox) >= most:
                return
            wait_s = 0.0

    def acknowledge(self, messages: list[mqtt.MQTTMessage]) -> None:
        """Tells the broker that the first of the inbox are taken in, and removes them."""
        for message in messages:
            self._client.ack(message.mid, message.qos)
        del self.inbox[: len(messages)]

    def publish(self, topic: str, payload: bytes) -> None:
        """Publishes at QoS 1; whatever is lost is said again on another occasion."""
        self._client.publish(topic, payload, qos=1)

    def close(self) -> None:
        """Says good-bye."""
        self._client.disconnect()

    def _loop(self, wait_s: float) -> None:
        code = self._client.loop(wait_s)
        if self._failure is not None or code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise LinkDown(self._failure or "the connection broke")

    def _on_connect(
        self, client: mqtt.Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            self._failure = f"the broker refuses the connection: {reason}"
        else:
            client.subscribe([(topic, 1) for topic in self._topics])

    def _on_subscribe(self, _c: Any, _u: Any, _m: int, reasons: list[ReasonCode], _p: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._failure = "the broker refuses a subscription; look at its access rules"
        else:
            self._subscribed = True

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        self._failure = self._failure or f"the connection broke: {reason}"

    def _on_message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        self.inbox.append(message)
