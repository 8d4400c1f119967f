"""A site of processes for the torture: devices, receivers, a Mosquitto, and links between them that
can be cut.

Devices and receivers are forked by a server that has everything imported (multiprocessing's
`forkserver`): a process is there within milliseconds, so that there is time for more kills. Each
holds nothing but its files, as one that was started anew does.
"""

import multiprocessing
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from central.store.store import Store
from tests.delivery import chaos_lives
from tests.delivery.both_ends import Desk, HeadOffice, Protocol, wait_for
from tests.delivery.broker import Broker
from tests.delivery.chaos_lives import Armed
from tests.delivery.chaos_wire import Wire, Wires

_WITHIN_S = 10.0
_UP_WITHIN_S = 300.0

nursery = multiprocessing.get_context("forkserver")
nursery.set_forkserver_preload(["__main__", "tests.delivery.chaos_lives"])


@dataclass(frozen=True)
class Plan:
    """What a site is like. Without `url`, its store is a SQLite file of its own."""

    devices: int
    receivers: int
    alerts_per_s: float
    protocol: Protocol
    url: str | None = None
    forgetful: bool = False

    @property
    def store(self) -> str:
        return "SQLite" if self.url is None else "PostgreSQL"


class Life:
    """A process that is started, and ends at its own or another's hand."""

    def __init__(self, kind: str, name: str, run: Callable[..., None], arguments: tuple[Any, ...],
                 more: tuple[Any, ...] = ()) -> None:  # fmt: skip
        self.kind, self.name = kind, name
        self.armed: Armed | None = None
        self._run, self._arguments, self._more = run, arguments, more
        self._process: Any = None

    def start(self, armed: Armed | None = None) -> None:
        self.armed = armed
        self._process = nursery.Process(
            target=self._run, args=(*self._arguments, armed, *self._more), daemon=True
        )
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    @property
    def exit_code(self) -> int | None:
        """Negative for the signal that ended it."""
        return None if self._process is None else self._process.exitcode

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.join(_WITHIN_S)


class Site:
    """Use as a context: it begins with every device at work, and ends with nothing left of it but
    the files."""

    def __init__(self, folder: Path, plan: Plan) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.folder, self.plan = folder, plan
        self.broker = Broker(folder)
        self.office = HeadOffice(folder, self.broker.port, plan.protocol)
        if plan.url is not None:
            self.office.url, self.office.store = plan.url, Store(plan.url)
        self._stack = ExitStack()
        self._wires = Wires()
        self.wires: list[Wire] = []
        self.desks: list[Desk] = []
        self.lives: list[Life] = []

    def __enter__(self) -> "Site":
        with ExitStack() as stack:
            stack.enter_context(self._wires)
            stack.enter_context(self.broker)
            stack.callback(self._end)
            self.broker.start()
            for number in range(self.plan.devices):
                self.lives.append(self._device(f"desk-{number}"))
            for number in range(self.plan.receivers):
                self.lives.append(self._receiver(f"receiver-{number}"))
            for life in self.lives:
                life.start()
            wait_for(lambda: all(self.ledgers().values()), _UP_WITHIN_S)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def quiet(self) -> None:
        """Devices commit nothing new from now on."""
        (self.folder / chaos_lives.QUIET).touch()

    def not_quiet(self) -> list[str]:
        """The devices that may still commit something."""
        return [desk.name for desk in self.desks if not (desk.folder / chaos_lives.QUIET).exists()]

    def ledgers(self) -> dict[str, list[str]]:
        """The ids that each device wrote down as committed."""
        return {desk.name: _lines(desk.folder / chaos_lives.LEDGER) for desk in self.desks}

    def printed(self) -> list[str]:
        """What the receivers have said to the operator."""
        return [
            line
            for life in self.lives
            if life.kind == "receiver"
            for line in _lines(self.folder / life.name / chaos_lives.PRINTED)
        ]

    def logs(self) -> dict[str, str]:
        """What the processes have logged, by whose log it is."""
        return {
            str(path.relative_to(self.folder)): path.read_text()
            for path in sorted(self.folder.glob("*/*.log"))
        }

    def _device(self, name: str) -> Life:
        wire = self._wire()
        keys = self.office.enrol(name)
        folder = self.folder / name
        folder.mkdir()
        desk = Desk(folder, name, keys, wire.port, self.plan.protocol)
        self.desks.append(desk)
        pace = self.plan.alerts_per_s
        arguments = (folder, name, keys, wire.port, self.plan.protocol, pace)
        return Life("device", name, chaos_lives.device, arguments)

    def _receiver(self, name: str) -> Life:
        folder = self.folder / name
        folder.mkdir()
        config = folder / "central.toml"
        config.write_text(
            f'[broker]\nhost = "127.0.0.1"\nport = {self._wire().port}\nkeepalive_seconds = 2\n'
            f'protocol = "{self.plan.protocol}"\n'
            f'[store]\nurl = "{self.office.url}"\n[keys]\nfolder = "{self.office.folder}/keys"\n'
        )
        more = (self.plan.forgetful,)
        return Life("receiver", name, chaos_lives.receiver, (config, folder), more)

    def _wire(self) -> Wire:
        self.wires.append(self._wires.lay(self.broker.port))
        return self.wires[-1]

    def _end(self) -> None:
        for life in self.lives:
            life.kill()
        for desk in self.desks:
            desk.outbox.close()
            desk.answers.close()
        self.office.store.close()


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
