"""Many devices in one process: paho clients, driven together by epoll.

Each speaks as the device's uplink does: a persistent session, its will and its status signed and
retained, every topic of its own subscribed to, an alert published until central's signed
acknowledgement names it. The uplink itself drives one connection a thread; ten thousand of those
would measure Python's threads.
"""

import select
import ssl
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from benchmarks.delivering.signed import alert_event
from firmware.identity.keys import load_keys
from scanner.alert import (
    AckData,
    Event,
    Message,
    Refused,
    StatusData,
    heard_by_device,
    new_id,
    seal,
    source_of,
    topic_of,
    unseal,
)

KEEPALIVE_S = 60
AGAIN_S = 20.0
"""After which an alert is said again; it doubles each time."""
VANISHING = 100
"""One in so many devices vanishes; at least one."""
_MISC_EVERY_S = 10.0
_SESSION_S = 7 * 24 * 3600


class Device:
    """One device's connection."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self._folder = folder / f"for-{name}"
        self._keys = load_keys(self._folder)
        self.ready = False
        """Whether it is connected, subscribed, and the broker has its status."""
        self.acknowledged = False
        self._alert = alert_event(name, new_id(), 1, "L898902C3")
        self.client = client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.will_set(topic_of(Message.STATUS, name), self._status(online=False), 1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message

    def connect(self, port: int) -> None:
        context = ssl.create_default_context(cafile=str(self._folder / "ca.crt"))
        context.load_cert_chain(self._folder / "tls.crt", self._folder / "tls.key")
        self.client.tls_set_context(context)
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = _SESSION_S
        self.client.connect(
            "127.0.0.1", port, KEEPALIVE_S, clean_start=False, properties=properties
        )

    def say_alert(self) -> None:
        topic = topic_of(Message.ALERT, self.name)
        self.client.publish(topic, seal(self._alert, self._keys.signing), 1)

    def _status(self, *, online: bool) -> bytes:
        status = StatusData(
            online=online, boot=1, connection=1, central_keys=tuple(self._keys.central_keys)
        )
        now = datetime.now(UTC)
        event = Event(Message.STATUS, new_id(), source_of(self.name), now, status)
        return seal(event, self._keys.signing)

    def _on_connect(self, _c: Any, _u: Any, _f: Any, reason: Any, _p: Any) -> None:
        if not reason.is_failure:
            self.client.subscribe([(topic, 1) for topic in heard_by_device(self.name)])

    def _on_subscribe(self, *_: Any) -> None:
        topic = topic_of(Message.STATUS, self.name)
        self.client.publish(topic, self._status(online=True), 1, retain=True)

    def _on_publish(self, *_: Any) -> None:
        self.ready = True

    def _on_message(self, _c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        try:
            data = unseal(message.topic, message.payload, self._keys.of).data
        except Refused:
            return
        if isinstance(data, AckData):
            self.acknowledged |= any(one.id == self._alert.id for one in data.committed)


class Loop:
    """Drives the devices' connections."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._clients: dict[int, mqtt.Client] = {}
        self._misc_at = time.monotonic() + _MISC_EVERY_S

    def add(self, client: mqtt.Client) -> None:
        """Before it connects."""
        client.on_socket_open = lambda _c, _u, sock: self._open(client, sock)
        client.on_socket_close = lambda _c, _u, sock: self._close(sock)
        both = select.EPOLLIN | select.EPOLLOUT
        client.on_socket_register_write = lambda _c, _u, sock: self._watch(sock, both)
        client.on_socket_unregister_write = lambda _c, _u, sock: self._watch(sock, select.EPOLLIN)

    def turn(self, wait_s: float) -> None:
        for number, events in self._epoll.poll(wait_s, 1_000):
            client = self._clients.get(number)
            if client is None:
                continue
            if events & ~select.EPOLLOUT:
                client.loop_read()
                sock: Any = client.socket()
                while sock is not None and sock.pending():
                    client.loop_read()
                    sock = client.socket()
            if events & select.EPOLLOUT:
                client.loop_write()
        if time.monotonic() >= self._misc_at:
            self._misc_at = time.monotonic() + _MISC_EVERY_S
            for client in list(self._clients.values()):
                client.loop_misc()

    def until(self, every: Iterable[Device], is_done: Callable[[Device], bool]) -> None:
        """Turns until it is done for every device."""
        left = list(every)
        while left:
            self.turn(0.1)
            left = [one for one in left if not is_done(one)]

    def _open(self, client: mqtt.Client, sock: Any) -> None:
        self._clients[sock.fileno()] = client
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def _close(self, sock: Any) -> None:
        self._clients.pop(sock.fileno(), None)
        self._epoll.unregister(sock.fileno())

    def _watch(self, sock: Any, events: int) -> None:
        if sock.fileno() in self._clients:
            self._epoll.modify(sock.fileno(), events)


def crew(pipe: Connection, folder: Path, names: list[str], port: int) -> None:
    """In a process of its own: does what the pipe says, and how many devices did it. What goes
    wrong is said as text."""
    try:
        loop = Loop()
        devices = [Device(folder, name) for name in names]
        pipe.send(len(devices))
        doing = {"connect": _connect, "alert": _alert, "vanish": _vanish}
        while True:
            while not pipe.poll():
                loop.turn(0.05)
            pipe.send(doing[pipe.recv()](loop, devices, port))
    except Exception as error:
        pipe.send(f"the devices: {type(error).__name__}: {error}")


def _connect(loop: Loop, devices: list[Device], port: int) -> int:
    for device in devices:
        loop.add(device.client)
        device.connect(port)
        loop.turn(0.0)
    loop.until(devices, lambda device: device.ready)
    return sum(device.client.is_connected() for device in devices)


def _alert(loop: Loop, devices: list[Device], _port: int) -> int:
    again_at, pause_s = 0.0, AGAIN_S
    while left := [device for device in devices if not device.acknowledged]:
        if time.monotonic() >= again_at:
            again_at = time.monotonic() + pause_s
            pause_s *= 2
            for device in left:
                device.say_alert()
                loop.turn(0.0)
        loop.turn(0.1)
    return sum(device.acknowledged for device in devices)


def _vanish(_loop: Loop, devices: list[Device], _port: int) -> int:
    going = devices[: max(1, len(devices) // VANISHING)]
    for device in going:
        sock: Any = device.client.socket()
        sock.shutdown(2)
    return len(going)
