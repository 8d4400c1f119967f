"""A Mosquitto as `borderpost-central broker config` sets it up, and whoever connects to it."""

import getpass
import signal
import ssl
import subprocess
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from central.brokers import files as broker_files
from central.enrolment.authority import Authority
from tests.delivery.both_ends import wait_for
from tests.delivery.broker import MOSQUITTO, free_port, listens


class SiteBroker:
    """Use as a context: it runs, and is gone at the end."""

    def __init__(self, authority: Authority, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.log = folder / "log"
        broker_files.write(
            authority, folder, ["localhost", "127.0.0.1"], port=self.port, bind="127.0.0.1"
        )
        with (folder / "mosquitto.conf").open("a") as conf:
            conf.write(f"user {getpass.getuser()}\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SiteBroker":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGKILL)

    def start(self) -> None:
        assert MOSQUITTO, "mosquitto is not installed (Debian: apt-get install mosquitto)"
        with self.log.open("ab") as log:
            self._process = process = subprocess.Popen(
                [MOSQUITTO, "-c", str(self.folder / "mosquitto.conf")], stderr=log
            )
        wait_for(lambda: listens(self.port) or process.poll() is not None)
        assert process.poll() is None, self.log.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None

    def wait_for_log(self, words: str) -> None:
        """Waits until the broker has logged `words`."""
        wait_for(lambda: words in self.log.read_text())


class Refused(Exception):
    """The broker did not take the connection."""


class Client:
    """Somebody at the broker with the TLS files in `folder`."""

    def __init__(
        self,
        port: int,
        folder: Path | None,
        *,
        ca: Path | None = None,
        client_id: str = "",
        will: tuple[str, bytes] | None = None,
        keep: bool = False,
        five: bool = True,
    ) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.reasons: list[Any] = []
        self.ended: list[Any] = []
        self._connected: list[Any] = []
        self._subscribed: list[Any] = []
        self._client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id or "anyone",
            clean_session=None if five else not keep,
            protocol=MQTTProtocolVersion.MQTTv5 if five else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        context = ssl.create_default_context(
            cafile=str(ca or (folder / "ca.crt" if folder else ca))
        )
        if folder is not None:
            context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        client.tls_set_context(context)
        if will is not None:
            client.will_set(*will, qos=1, retain=True)
        client.on_connect = lambda *a: self._connected.append(a[3])
        client.on_disconnect = lambda *a: self.ended.append(a[3])
        client.on_subscribe = lambda *a: self._subscribed.append(a[3])
        client.on_message = lambda _c, _u, one: self.heard.append((one.topic, one.payload))
        client.on_publish = lambda *a: self.reasons.append(a[3])
        options: dict[str, Any] = {}
        if five:
            properties = Properties(PacketTypes.CONNECT)
            properties.SessionExpiryInterval = 3600 if keep else 0
            options = {"clean_start": not keep, "properties": properties}
        try:
            client.connect("127.0.0.1", port, keepalive=10, **options)
        except OSError as error:
            raise Refused(str(error)) from None
        client.loop_start()
        wait_for(lambda: self._connected or self.ended)
        if not self._connected or self._connected[0].is_failure:
            client.loop_stop()
            raise Refused(str((self._connected or self.ended)[0]))

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def listen(self, *topics: str) -> None:
        before = len(self._subscribed)
        self._client.subscribe([(topic, 1) for topic in topics])
        wait_for(lambda: len(self._subscribed) > before)

    def say(self, topic: str, payload: bytes = b"x", *, retain: bool = False) -> bool:
        """Publishes, and whether the broker says that it took it (MQTT 5)."""
        before = len(self.reasons)
        self._client.publish(topic, payload, qos=1, retain=retain)
        wait_for(lambda: len(self.reasons) > before or self.ended)
        return len(self.reasons) > before and not self.reasons[before].is_failure

    def vanish(self) -> None:
        """Cuts the connection without a word."""
        sock: Any = self._client.socket()
        sock.shutdown(2)
        self._client.loop_stop()
