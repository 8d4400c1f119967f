"""A device's delivery half and headquarters', each with real files, keys and threads."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from central.enrolment.authority import Authority
from central.receiving.connection import brokers
from central.receiving.inflow import Source
from central.receiving.receiver import Receiver
from central.settings import BrokerSettings
from central.store.store import AlertRow, Store
from firmware.delivery.answers import Answers
from firmware.delivery.outbox import Outbox
from firmware.delivery.uplink import Link, Uplink
from firmware.delivery.window import Window
from firmware.identity.keys import load_keys
from scanner.alert import (
    AlertData,
    AnswerData,
    CommandData,
    Place,
    StatusData,
    UpdateData,
    alert_data,
)
from scanner.mrz.document import Checks, Document, Format, Kind, NumberRule
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    ListHealth,
    ListState,
    ListStatus,
    Match,
)
from tests.delivery.stores import sqlite_store

Protocol = Literal["5", "3.1.1"]
over_both_databases = pytest.mark.parametrize("store_url", ["sqlite", "postgresql"], indirect=True)
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PLACE = Place(site="Utopia North", lane="1")
MARKS = b"a secret to remember documents by"[:32]


def document(number: str = "L898902C3") -> Document:
    """A passport of Doc 9303's specimen holder."""
    return Document(
        format=Format.TD3,
        code="P",
        issuer="UTO",
        number=number,
        number_rule=NumberRule.STANDARD,
        surname="ERIKSSON",
        given_names="ANNA MARIA",
        name_truncated=False,
        nationality="UTO",
        birth_date="1974-08-12",
        sex="F",
        expiry_date="2034-04-15",
        optional=None,
        optional_2=None,
        checks=Checks(),
        kind=Kind.PASSPORT,
    )


def alert(number: str = "L898902C3", answer_until: datetime | None = None) -> AlertData:
    """A hit on that passport."""
    match = Match(
        list="sltd",
        certainty=Certainty.EXACT,
        status=ListStatus.STOLEN,
        kind=Kind.PASSPORT,
        recorded=date(2026, 1, 5),
        asked_as=AskedAs.NUMBER,
    )
    return alert_data(
        document(number),
        outcome="HIT",
        matches=[match],
        lists=[ListState("sltd", 7, NOW, 3600.0, ListHealth.OK)],
        place=PLACE,
        captured_at=NOW,
        answer_until=answer_until,
    )


def wait_for(condition: Callable[[], Any], within_s: float = 15.0) -> Any:
    """What `condition` gives once it is truthy; fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"it did not come about within {within_s} s")


class Desk:
    """One device: its outbox, answers and, in `running`, its uplink."""

    def __init__(self, folder: Path, name: str, keys: Path, port: int, protocol: Protocol) -> None:
        self.folder, self.name, self.key_folder = folder, name, keys
        self.keys = load_keys(keys)
        self.outbox = Outbox(folder / "outbox.db", name, self.keys.marks)
        self.answers = Answers(folder / "answers.db", self.keys.marks, self.outbox.document_of)
        self.link = Link("127.0.0.1", port, protocol, client_id=name, keepalive_s=1)
        self.answered: list[AnswerData] = []
        self.ring: str | None = None
        self.hinted: list[UpdateData] = []
        self.on_answer: Callable[[AnswerData], None] = self.answered.append
        self.on_command: Callable[[CommandData], Any] = lambda command: None
        self.clock_is_off = timedelta()
        self.uplink = self.new_uplink()

    def new_uplink(self) -> Uplink:
        return Uplink(
            self.link,
            self.name,
            self.outbox,
            self.answers,
            self.keys,
            lambda: StatusData(place=PLACE),
            on_answer=self.on_answer,
            on_command=self.on_command,
            ring=self.ring,
            on_update=self.hinted.append,
            clock=self.now,
            window=Window(first_s=0.4),
        )

    def process(self) -> subprocess.Popen[bytes]:
        """This desk's uplink in a process of its own."""
        link = self.link
        return victim(
            "desk", str(self.folder), self.name, str(self.key_folder), str(link.port), link.protocol
        )

    def raise_alert(self, number: str = "L898902C3") -> str:
        return self.outbox.put_alert(alert(number), datetime.now(UTC))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.clock_is_off

    @contextmanager
    def running(self) -> Iterator[Uplink]:
        self.uplink = self.new_uplink()
        with running(self.uplink.run):
            yield self.uplink


class HeadOffice:
    """Headquarters: register, store and, in `receiving`, its receiver."""

    def __init__(self, folder: Path, port: int, protocol: Protocol, url: str | None = None) -> None:
        self.folder = folder
        self.authority = Authority(folder / "keys")
        self.url = url or sqlite_store(folder)
        self.store = Store(self.url)
        self.broker = BrokerSettings(
            host="127.0.0.1", port=port, protocol=protocol, keepalive_seconds=2
        )
        self.shown: list[AlertRow] = []
        self.config = folder / "central.toml"
        self.config.write_text(
            f'[broker]\nhost = "127.0.0.1"\nport = {port}\nprotocol = "{protocol}"\n'
            f'[store]\nurl = "{self.url}"\n[keys]\nfolder = "{folder}/keys"\n'
        )

    def enrol(self, name: str) -> Path:
        out = self.folder / f"for-{name}"
        self.authority.enrol(name, out)
        return out

    def sources(self) -> list[Source]:
        """Where it listens."""
        return brokers(self.broker, None)

    @contextmanager
    def receiving(self) -> Iterator[Receiver]:
        receiver = Receiver(self.sources(), self.store, self.authority, self.shown.append)
        with running(receiver.run):
            yield receiver

    def process(self) -> subprocess.Popen[str]:
        """A receiver of its own, as an operator starts it."""
        return subprocess.Popen(
            [sys.executable, "-m", "central.cli", "receive", "--config", str(self.config)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def process_killed_at(self, point: str) -> subprocess.Popen[bytes]:
        """A receiver that kills itself `before_commit` or `after_commit` of its first alert."""
        return victim("receive", str(self.config), point)

    def alert_ids(self) -> list[str]:
        return [row.id for row in self.store.all_alerts()]

    def device(self, name: str) -> dict[str, Any]:
        return next((row for row in self.store.devices() if row["device"] == name), {})


def victim(*arguments: str) -> subprocess.Popen[bytes]:
    """A process of `victim.py`."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.delivery.victim", *arguments], stdout=subprocess.PIPE
    )


@contextmanager
def running(run: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs a part in a thread; it must stop promptly and must not have died."""
    stop = threading.Event()
    died: list[BaseException] = []

    def guarded() -> None:
        try:
            run(stop)
        except BaseException as error:
            died.append(error)
            raise

    thread = threading.Thread(target=guarded)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(8)
    assert not thread.is_alive(), "it did not stop"
    assert not died, died


class Stranger:
    """Somebody with a connection to the broker and no key that anyone trusts."""

    def __init__(self, port: int) -> None:
        self.heard: list[mqtt.MQTTMessage] = []
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_message = lambda _c, _u, message: self.heard.append(message)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def __enter__(self) -> "Stranger":
        wait_for(self._client.is_connected)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def listen(self, topic: str) -> None:
        done = threading.Event()
        self._client.on_subscribe = lambda *_: done.set()
        self._client.subscribe(topic, 1)
        assert done.wait(5)

    def say(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)
