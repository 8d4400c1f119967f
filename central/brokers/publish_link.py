"""A connection to a broker for publishing only, each message at QoS 1, and done only when the
broker has acknowledged it: for what other systems are told, and for hints to the devices of a ring.
"""

import threading
from typing import Any, Protocol

import paho.mqtt.client as mqtt
from paho.mqtt.reasoncodes import ReasonCode

from central.brokers.mqtt_client import CONNECT_WITHIN_S, BrokerAccess, connect, new_client, place
from central.receiving.inflow import LinkDown

ACKNOWLEDGED_WITHIN_S = 15.0


class Broker(BrokerAccess, Protocol):
    """A broker and how to speak to it."""

    @property
    def host(self) -> str: ...
    @property
    def port(self) -> int: ...


class Link:
    """One connection; thrown away when it breaks. Raises LinkDown."""

    def __init__(self, settings: Broker, password: str | None) -> None:
        self._settings = settings
        self._connected = threading.Event()
        self._failure: str | None = None
        self._acknowledged: set[int] = set()
        self._moved = threading.Condition()
        client = new_client(settings, password, manual_ack=False)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        self._client = client

    def open(self) -> None:
        """Connects."""
        settings = self._settings
        where = place(settings.host, settings.port)
        connect(self._client, settings, settings.host, settings.port, keepalive=10)
        self._client.loop_start()
        with self._moved:
            self._moved.wait_for(self._is_decided, CONNECT_WITHIN_S)
        if not self._connected.is_set() or self._failure is not None:
            raise LinkDown(f"{where}: {self._failure or 'no MQTT broker answers there'}")

    def publish(self, messages: list[tuple[str, bytes]], *, retain: bool = False) -> None:
        """Publishes all of them; the broker has them when this returns."""
        self._acknowledged.clear()
        sent: set[int] = set()
        for topic, payload in messages:
            info = self._client.publish(topic, payload, qos=1, retain=retain)
            if info.rc is not mqtt.MQTT_ERR_SUCCESS:
                raise LinkDown(self._failure or "the connection broke")
            sent.add(info.mid)
        with self._moved:
            done = self._moved.wait_for(
                lambda: sent <= self._acknowledged or self._failure is not None,
                ACKNOWLEDGED_WITHIN_S,
            )
            if self._failure is not None:
                raise LinkDown(self._failure)
            if not done:
                raise LinkDown("the broker does not acknowledge what is published")

    def close(self) -> None:
        """Says good-bye, where there is somebody to say it to."""
        self._client.disconnect()
        self._client.loop_stop()

    def _is_decided(self) -> bool:
        return self._connected.is_set() or self._failure is not None

    def _fail(self, why: str) -> None:
        with self._moved:
            self._failure = self._failure or why
            self._moved.notify_all()

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._fail(f"the broker refuses the connection: {reason}")
            return
        with self._moved:
            self._connected.set()
            self._moved.notify_all()

    def _on_disconnect(self, _c: Any, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        self._fail(f"the connection broke: {reason}")

    def _on_publish(self, _c: Any, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._fail(f"the broker refuses what is published ({reason}); look at its access rules")
            return
        with self._moved:
            self._acknowledged.add(mid)
            self._moved.notify_all()
