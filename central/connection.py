"""One connection of the receiver to an MQTT broker, with a client of its own.

Messages are acknowledged to the broker by hand, once they are stored. The session ends with the
connection: a worker that dies leaves nothing at the broker that only it could have taken, and what
was under way to it the devices send again, as they do with everything that central has not
acknowledged to them.

What every device says in sequence is shared among the workers by a shared subscription; statuses,
which are retained and small, every worker hears.
"""

import secrets
import select
import socket
import ssl
import time
from collections import deque
from pathlib import Path
from threading import Event, get_ident
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from central.inflow import Delivery, LinkDown, Source
from central.settings import BrokerSettings
from scanner.alert import MAX_PAYLOAD, TABLE
from scanner.waker import Waker

CONNECT_WITHIN_S = 5.0
GOODBYE_WITHIN_S = 1.0
MOST_AT_ONCE = 1000
"""Messages that an MQTT 5 broker may have under way to one worker."""


def brokers(settings: BrokerSettings, password: str | None) -> list[Source]:
    """Every broker that is configured."""

    def source(host: str, port: int) -> Source:
        return Source(_where(host, port), lambda: Connection(settings, host, port, password))

    return [source(*address) for address in settings.addresses]


def _where(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def tls_context(ca: Path, certificate: Path | None, private_key: Path | None) -> ssl.SSLContext:
    """What TLS is made with, read anew for each connection: a certificate that was renewed counts
    from the next one on. Raises LinkDown."""
    try:
        context = ssl.create_default_context(cafile=str(ca))
    except (OSError, ValueError) as error:
        raise LinkDown(f"{ca}: no certificate of an authority: {_why(error)}") from None
    if certificate is not None and private_key is not None:
        try:
            context.load_cert_chain(str(certificate), str(private_key))
        except (OSError, ValueError) as error:
            names = f"{certificate} and {private_key}"
            raise LinkDown(f"{names}: no certificate and its key: {_why(error)}") from None
    return context


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


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
        five = settings.protocol == "5"
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=f"{settings.client_id}-{secrets.token_hex(6)}",
            clean_session=None if five else True,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        client.on_socket_open = _send_at_once
        client.max_inflight_messages_set(MOST_AT_ONCE)
        if settings.username is not None:
            client.username_pw_set(settings.username, password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._client = client

    def open(self, stop: Event) -> None:
        settings, where = self._settings, _where(self._host, self._port)
        options: dict[str, Any] = {}
        if settings.protocol == "5":
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.MaximumPacketSize = 2 * MAX_PAYLOAD
            properties.ReceiveMaximum = MOST_AT_ONCE
            options = {"clean_start": True, "properties": properties}
        if settings.ca is not None:
            self._client.tls_set_context(
                tls_context(settings.ca, settings.certificate, settings.private_key)
            )
        try:
            self._client.connect(
                self._host, self._port, keepalive=settings.keepalive_seconds, **options
            )
        except ssl.SSLCertVerificationError as error:
            why = f"the broker's certificate is not believed: {error.verify_message}"
            raise LinkDown(f"{where}: {why}") from None
        except (OSError, ValueError) as error:
            raise LinkDown(f"{where}: {_why(error)}") from None
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
        client = self._client
        sock: Any = client.socket()
        if sock is None:
            raise LinkDown(self._failure or "the connection broke")
        buffered = getattr(sock, "pending", None)
        if buffered is not None and buffered() > 0:
            wait_s = 0.0
        writing = [sock] if client.want_write() else []
        readable, writable, _ = select.select([sock, self._waker.reader], writing, [], wait_s)
        if self._waker.reader in readable:
            self._waker.clear()
        code = MQTTErrorCode.MQTT_ERR_SUCCESS
        if sock in readable or wait_s == 0.0:
            code = client.loop_read()
        if sock in writable and not code:
            code = client.loop_write()
        code = code or client.loop_misc()
        if self._failure is not None or code is not MQTTErrorCode.MQTT_ERR_SUCCESS:
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


def _send_at_once(_client: mqtt.Client, _userdata: Any, sock: Any) -> None:
    """Each packet leaves when it is written. Otherwise the kernel holds a second small one back
    until the first is acknowledged (Nagle), which the other end delays by up to 40 ms."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
