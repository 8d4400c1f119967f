"""A whole site for a measurement: headquarters, broker, database and desks, set up by the commands
that the documents name, each part in a folder that stands for its machine's disk."""

import getpass
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from benchmarks.recovering.desk import Desk
from tests.delivery.both_ends import wait_for
from tests.delivery.broker import MOSQUITTO, free_port, listens
from tests.delivery.postgres import Cluster

WITHIN_S = 120.0


class Site:
    """Use as a context: every process is ended with it. `store` is `sqlite` or `postgresql`."""

    def __init__(self, folder: Path, desks: int, store: str = "sqlite") -> None:
        self.folder = folder
        self.central_folder, self.broker_folder = folder / "central", folder / "broker"
        self.config = self.central_folder / "central.toml"
        self._stack = ExitStack()
        self._count, self._made = desks, 0
        self._store = store
        self.ports = {name: free_port() for name in ("broker", "enrol", "serve")}
        self.cluster: Cluster | None = None
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.desks: list[Desk] = []

    def __enter__(self) -> "Site":
        try:
            self._set_up()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for desk in self.desks:
            desk.close()
        for name in list(self._running):
            self.kill(name)
        self._stack.close()

    def central(self, *arguments: str) -> str:
        """What one of central's commands prints."""
        done = subprocess.run(
            self._line(*arguments), capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
        if done.returncode:
            raise RuntimeError(f"borderpost-central {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def configure(self) -> None:
        """Writes central's configuration."""
        worker = self.central_folder / "worker"
        self.central_folder.mkdir(exist_ok=True)
        self.config.write_text(
            f'[broker]\nhost = "localhost"\nport = {self.ports["broker"]}\nca = "{worker}/ca.crt"\n'
            f'certificate = "{worker}/tls.crt"\nprivate_key = "{worker}/tls.key"\n'
            f'keepalive_seconds = 2\n[store]\nurl = "{self.store_url}"\n'
            f'[keys]\nfolder = "{self.central_folder}/keys"\n'
            f'[enrolment]\nport = {self.ports["enrol"]}\nnames = ["localhost"]\n'
            f'brokers = ["{self.broker_folder}"]\n[console]\nport = {self.ports["serve"]}\n'
        )

    def configure_broker(self) -> None:
        """Writes the broker's folder, or renews what is in it."""
        out = str(self.broker_folder)
        hosts = ("--host", "localhost", "--host", "127.0.0.1", "--bind", "127.0.0.1")
        self.central("broker", "config", out, *hosts, "--port", str(self.ports["broker"]))
        with (self.broker_folder / "mosquitto.conf").open("a") as conf:
            conf.write(f"user {getpass.getuser()}\n")

    def start_broker(self) -> None:
        """Starts Mosquitto, and waits until it listens."""
        conf = str(self.broker_folder / "mosquitto.conf")
        self._start("mosquitto", [str(MOSQUITTO), "-c", conf])
        wait_for(lambda: listens(self.ports["broker"]), WITHIN_S)

    def start(self, command: str, *arguments: str) -> None:
        """Starts one of central's services, and waits until it serves."""
        self._start(command, self._line(command, *arguments))
        if command == "receive":
            wait_for(lambda: "receiving from" in self.log(command).read_text(), WITHIN_S)
        else:
            wait_for(lambda: listens(self.ports[command]), WITHIN_S)

    def kill(self, name: str) -> None:
        """Ends a process as a power cut does."""
        process = self._running.pop(name, None)
        if process is not None:
            process.kill()
            process.wait()

    def stop(self, name: str) -> None:
        """Ends a process as `systemctl stop` does."""
        process = self._running.pop(name)
        process.send_signal(signal.SIGTERM)
        process.wait(WITHIN_S)

    def log(self, name: str) -> Path:
        """What a process said since its start."""
        return self.folder / f"{name}.log"

    def empty_database(self) -> None:
        """Drops PostgreSQL's database and makes it anew, where there is one."""
        if self.cluster is not None:
            self.cluster.recreate(self.store_url)

    def lose(self, folder: Path) -> None:
        """A disk is gone."""
        shutil.rmtree(folder)

    def enrol(self, desk: Desk, *again: str) -> None:
        """Enrols a desk by a token, at both ends, as a technician does."""
        desk.enrol(self.central("enrol", "token", desk.name, *again), *again)

    def add_desk(self, name: str) -> Desk:
        """A new desk, not enrolled and not started."""
        self._made += 1
        desk = Desk(
            self.folder / f"{name}-{self._made}",
            name,
            self.ports["broker"],
            self.ports["enrol"],
        )
        self.desks.append(desk)
        return desk

    def alerts(self) -> dict[str, dict[str, Any]]:
        """The alerts at central, by id."""
        return {one["id"]: one for one in json.loads(self.central("alerts", "--json"))}

    def until_all_is_told(self, *desks: Desk) -> None:
        """Waits until central has acknowledged everything of these desks, or of all."""
        for desk in desks or self.desks:
            wait_for(lambda one=desk: one.waiting() == 0, WITHIN_S)

    def until_all_is_there(self, desks: list[Desk] | None = None) -> None:
        """Waits until every alert of these desks, or of all, is at central."""
        raised = set[str]().union(*(desk.alerts() for desk in desks or self.desks))
        wait_for(lambda: raised <= self.alerts().keys(), WITHIN_S)

    def answer(self, alert: str, desk: Desk) -> None:
        """Confirms an alert, and waits until its desk holds the answer."""
        self.central("alerts", "answer", alert, "--confirmed", "--instruction", "Hold him.")
        wait_for(lambda: desk.answers().get(alert) == "confirmed", WITHIN_S)

    @property
    def store_url(self) -> str:
        """Where the store is."""
        if self._store == "sqlite":
            return f"sqlite:///{self.central_folder}/central.db"
        if self.cluster is None:
            self.cluster = self._stack.enter_context(Cluster(durable=True))
            self._url = self.cluster.database()
        return self._url

    def _set_up(self) -> None:
        self.configure()
        self.central("enrol", "authority", "--name", "Utopia Border")
        self.configure_broker()
        self.central("enrol", "worker", "receiver-1", str(self.central_folder / "worker"))
        self.start_broker()
        self.start("enrol", "serve")
        self.start("receive")
        for n in range(1, self._count + 1):
            desk = self.add_desk(f"desk-{n}")
            self.enrol(desk)
            desk.start()

    def _start(self, name: str, line: list[str]) -> None:
        with self.log(name).open("wb") as log:
            self._running[name] = subprocess.Popen(line, stdout=log, stderr=log)

    def _line(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "central.cli", *arguments, "--config", str(self.config)]


def reached(condition: Callable[[], Any], within_s: float) -> bool:
    """Whether `condition` comes about in time."""
    with suppress(AssertionError):
        return bool(wait_for(condition, within_s))
    return False
