"""Headquarters for a measurement: its commands as processes of their own, a store, and a broker."""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from central.store.store import Store
from tests.delivery.both_ends import HeadOffice
from tests.delivery.broker import Broker
from tests.delivery.postgres import Cluster

_WITHIN_S = 15.0


class Headquarters:
    """Use as a context. `store` is `sqlite` or `postgresql`; a PostgreSQL waits for the disk at
    each commit, as the one of a real headquarters does."""

    def __init__(self, folder: Path, store: str, stack: ExitStack) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.broker = stack.enter_context(Broker(folder))
        with (folder / "mosquitto.conf").open("a") as conf:
            conf.write("set_tcp_nodelay true\n")  # as `borderpost-central broker config` has it
        self.office = HeadOffice(folder, self.broker.port, "5")
        self._cluster: Cluster | None = None
        if store == "postgresql":
            self._cluster = stack.enter_context(Cluster(durable=True))
            self.office.store.close()
            self.office.url = self._cluster.database()
            self.office.store = Store(self.office.url)
        stack.callback(self.office.store.close)
        stack.callback(self._end)
        self._config = folder / "site.toml"
        self._started: list[subprocess.Popen[bytes]] = []
        self.configure(f'host = "127.0.0.1"\nport = {self.broker.port}\n')

    def configure(self, broker: str, more: str = "") -> None:
        """Writes the configuration: what stands in [broker], and further sections."""
        self._config.write_text(
            f'[broker]\n{broker}[store]\nurl = "{self.office.url}"\n'
            f'[keys]\nfolder = "{self.office.folder}/keys"\n{more}'
        )

    def start(self, command: str) -> int:
        """Starts one of central's commands, with the configuration as it stands now; it goes on
        until the end. Gives its process id."""
        name = f"{command}-{secrets.token_hex(3)}"
        config = self.folder / f"{name}.toml"
        shutil.copy(self._config, config)
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(self._line(command, config=config), stdout=log, stderr=log)
        self._started.append(process)
        return process.pid

    def do(self, *arguments: str, given: str = "") -> str:
        """What one of central's commands prints."""
        done = subprocess.run(
            self._line(*arguments),
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"borderpost-central {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    @property
    def store_pids(self) -> list[int]:
        """The processes of PostgreSQL, if there is one."""
        process: Any = self._cluster._process if self._cluster else None
        return [process.pid] if process is not None else []

    @property
    def broker_pids(self) -> list[int]:
        process: Any = self.broker._process
        return [process.pid] if process is not None else []

    def receiving(self) -> int:
        """How many receivers have said that they receive."""
        logs = self.folder.glob("receive-*.log")
        return sum("receiving from" in path.read_text() for path in logs)

    def _line(self, *arguments: str, config: Path | None = None) -> list[str]:
        where = str(config or self._config)
        return [sys.executable, "-m", "central.cli", *arguments, "--config", where]

    def _end(self) -> None:
        for process in self._started:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGTERM)
        for process in self._started:
            try:
                process.wait(_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
