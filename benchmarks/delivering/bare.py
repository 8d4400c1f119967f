"""The least that carries a message durably from one end to the other: SQLite commits it, paho
publishes it at QoS 1 through the same Mosquitto, paho receives it, SQLite commits it. No signature,
no acknowledgement from end to end, no sequence, no second try."""

import sqlite3
import threading
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

TOPIC = "bare"
_PAYLOAD = bytes(1_500)
_WITHIN_S = 20.0

_spawn = get_context("spawn")


class Peer:
    """A sender and a receiver, each in a process of its own. Use as a context."""

    def __init__(self, port: int, folder: Path) -> None:
        self._sender, sends = _spawn.Pipe()
        self._receiver, receives = _spawn.Pipe()
        self._processes = [
            _spawn.Process(target=_receive, args=(receives, port, folder / "in.db"), daemon=True),
            _spawn.Process(target=_send, args=(sends, port, folder / "out.db"), daemon=True),
        ]

    def __enter__(self) -> "Peer":
        for process in self._processes:
            process.start()
        for pipe in (self._receiver, self._sender):
            _next(pipe)
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.kill()
            process.join()

    def sample(self) -> float:
        """Seconds from before the commit at one end to after the commit at the other."""
        self._sender.send("send")
        return _next(self._receiver) - _next(self._sender)


def _next(pipe: Connection) -> float:
    if not pipe.poll(_WITHIN_S):
        raise RuntimeError("the bare peer does not answer")
    return float(pipe.recv())


def _send(pipe: Connection, port: int, path: Path) -> None:
    db = _database(path)
    client = _client(port)
    client.loop_start()
    while not client.is_connected():
        time.sleep(0.01)
    pipe.send(0.0)
    while pipe.recv() == "send":
        begun = time.monotonic()
        _commit(db, _PAYLOAD)
        client.publish(TOPIC, _PAYLOAD, qos=1)
        pipe.send(begun)


def _receive(pipe: Connection, port: int, path: Path) -> None:
    db: list[sqlite3.Connection] = []

    def on_message(_client: Any, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        if not db:
            db.append(_database(path))
        _commit(db[0], message.payload)
        pipe.send(time.monotonic())

    client = _client(port)
    client.on_message = on_message
    client.on_subscribe = lambda *_: pipe.send(0.0)
    client.subscribe(TOPIC, 1)
    client.loop_start()
    threading.Event().wait()


def _client(port: int) -> mqtt.Client:
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    client.connect("127.0.0.1", port)
    return client


def _database(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=FULL")
    db.execute("CREATE TABLE IF NOT EXISTS message (n INTEGER PRIMARY KEY, payload BLOB)")
    return db


def _commit(db: sqlite3.Connection, payload: bytes) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO message (payload) VALUES (?)", (payload,))
    db.execute("COMMIT")
