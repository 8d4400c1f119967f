"""What stands on the other side of a guest's console, and what it must not lose.

One class for each kind of work: it makes what a new device's disk holds, remembers what the guest
has promised, answers it with the real code of central, and judges. It lives on the host, so no cut
touches it.
"""

import base64
import pickle
import queue
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

from central.enrolment.authority import Authority
from central.enrolment.enrolling import Enrolment, EnrolmentRefused
from central.receiving.inflow import Delivery, Source
from central.receiving.receiver import Receiver
from central.store.store import AlertRow, Store
from scanner.alert import Refused, source_of
from scanner.alert.enrolment import read_renewal
from tests.delivery.both_ends import running
from tests.desk.desk_fixture import build_lists
from tests.powercut.console import Message, Wrong
from tests.powercut.machine import Machine
from tests.updates import kill_torture

DEVICE = "desk-1"


class Hits:
    """Headquarters that take in alerts: a real receiver and store, with the console for a broker.
    A device is done when all that it said has come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        office = folder / "headquarters"
        self._authority = Authority(office / "keys")
        self._authority.enrol(DEVICE, folder / "keys")
        self._store = Store(f"sqlite:///{office}/central.db")
        self._shown: list[str] = []
        self._came: queue.Queue[Delivery] = queue.Queue()
        self._machine: Machine | None = None
        build_lists(folder / "lists")
        self.alerts: list[str] = []
        """What this device has said to be committed."""
        self._head: list[Any] | None = None
        self.total = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Headquarters work within."""
        source = Source("the console", lambda: _Inflow(self._came, self._tell))
        receiver = Receiver([source], self._store, self._authority, self._show)
        with running(receiver.run):
            yield

    def begin(self, content: Path) -> None:
        """There is a new device, whose disk begins with `content`."""
        self.alerts, self._head = [], None

    def known(self) -> Message:
        """What the guest is to look for."""
        return {"alerts": self.alerts, "head": self._head}

    def hear(self, message: Message, machine: Machine) -> None:
        """One message of the guest's."""
        self._machine = machine
        match message["said"]:
            case "alert":
                self.alerts.append(message["id"])
                self.total += 1
            case "head":
                self._head = message["head"]
            case "post":
                payload = base64.b64decode(message["payload"])
                self._came.put(Delivery(message["topic"], payload))

    def finish(self) -> None:
        """The device has told all: every alert came, and was shown once. Raises Wrong."""
        stored = [row.id for row in self._store.all_alerts()]
        if lost := set(self.alerts) - set(stored):
            raise Wrong(f"{len(lost)} alerts never came, among them {min(lost)}")
        if twice := {one for one, count in Counter(self._shown).items() if count > 1}:
            raise Wrong(f"{len(twice)} alerts were shown twice, among them {min(twice)}")
        if len(stored) != len(set(stored)):
            raise Wrong("an alert is stored twice")
        if missing := [row["missing"] for row in self._store.devices() if row["missing"]]:
            raise Wrong(f"headquarters miss {missing}")

    def _show(self, row: AlertRow) -> None:
        self._shown.append(row.id)

    def _tell(self, topic: str, payload: bytes) -> None:
        if self._machine is not None:
            self._machine.tell({"topic": topic, "payload": base64.b64encode(payload).decode()})


class _Inflow:
    """The console as the receiver sees it. Nothing that came is lost, so there is nothing to
    acknowledge."""

    def __init__(self, came: "queue.Queue[Delivery]", tell: Any) -> None:
        self.inbox: list[Delivery] = []
        self._came, self._tell = came, tell

    def open(self, stop: Event) -> None:
        return

    def turn(self, wait_s: float, most: int) -> None:
        try:
            self.inbox.append(self._came.get(timeout=wait_s))
            while len(self.inbox) < most:
                self.inbox.append(self._came.get_nowait())
        except queue.Empty:
            return

    def acknowledge(self, count: int) -> None:
        del self.inbox[:count]

    def publish(self, topic: str, payload: bytes) -> None:
        self._tell(topic, payload)

    def wake(self) -> None:
        return

    def close(self) -> None:
        return


class Updates:
    """A repository as it was on each day; the guest reads it as it stands."""

    sizes = kill_torture.Sizes(records=20_000, added=1_000, removed=200, days=12)

    def __init__(self, folder: Path) -> None:
        world = kill_torture.World(folder / "world", self.sizes)
        (folder / "world.pickle").write_bytes(pickle.dumps(world))
        self._known: Message = {}
        self.total = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """Nothing runs."""
        yield

    def begin(self, content: Path) -> None:
        """There is a new device, without any list."""
        self._known = {"day": -1, "trying": 0, "reached": {}}

    def known(self) -> Message:
        """What the guest is to look for."""
        return self._known

    def hear(self, message: Message, machine: Machine) -> None:
        """One message of the guest's."""
        for name in ("day", "reached"):
            if name in message and message["said"] in ("checked", "done"):
                self._known[name] = message[name]
        if message["said"] == "trying":
            self._known["trying"] = message["day"]
        self.total += message["said"] == "done"

    def finish(self) -> None:
        """What there is to look at, the guest has looked at."""
        return


class Renewals:
    """An enrolment service, which answers renewals, and a register, which believes or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._serial = 0
        self.total = 0

    @contextmanager
    def open(self) -> Iterator[None]:
        """It is asked by whoever hears the guest."""
        yield

    def begin(self, content: Path) -> None:
        """There is a new device, enrolled by a new authority."""
        office = self._folder / "headquarters"
        shutil.rmtree(office, ignore_errors=True)
        self._authority = Authority(office)
        self._enrolment = Enrolment(self._authority, office / "authority")
        self._authority.enrol(DEVICE, content / "identity")
        self._keys: list[str] = []
        """Every key that the device had or asked for, in their order."""
        self._at_least = 0
        self._marks: str | None = None

    def known(self) -> Message:
        """What the guest is to look for: headquarters do that themselves."""
        return {}

    def hear(self, message: Message, machine: Machine) -> None:
        """One message of the guest's. Raises Wrong."""
        if message["said"] == "renew":
            self._renew(base64.b64decode(message["message"]), machine)
        elif message["said"] in ("checked", "renewed"):
            self._look(message)
            self.total += message["said"] == "renewed"

    def finish(self) -> None:
        """What there is to look at was looked at."""
        return

    def _renew(self, message: bytes, machine: Machine) -> None:
        authority = self._authority
        asked = read_renewal(message, lambda device: authority.keys_of(source_of(device)))
        self._keys += [key.thumbprint() for key in asked.request.keys().signing]
        try:
            answer = self._enrolment.renew(message)
        except EnrolmentRefused as refused:
            raise Wrong(f"a renewal is refused: {refused}") from None
        machine.tell({"answer": base64.b64encode(answer).decode()})

    def _look(self, message: Message) -> None:
        key = message["key"]
        if not self._keys:
            self._keys.append(key)
        if key not in self._keys or self._keys.index(key) < self._at_least:
            raise Wrong("the device has a key from before the one that it had said to have")
        self._at_least = self._keys.index(key)
        if self._marks not in (None, message["marks"]):
            raise Wrong("the secret that documents are remembered under is another")
        self._marks = message["marks"]
        try:
            self._authority.unseal(message["topic"], base64.b64decode(message["payload"]))
        except Refused as refused:
            raise Wrong(f"headquarters do not believe the device: {refused}") from None


SIDES: dict[str, type[Hits] | type[Updates] | type[Renewals]] = {
    "hits": Hits,
    "updates": Updates,
    "renewals": Renewals,
}
