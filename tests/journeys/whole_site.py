"""A whole site of real processes: a desk with a serial scanner, headquarters, a broker between.
Commands that end at once, such as an answer's, run in the tests' own process."""

import json
import os
import pty
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scanner.watchlist.keyring import write_keys
from tests.in_process import borderpost_central
from tests.listing import KEY, built

DEVICE = "desk-1"
LIST = """issuer,number,number_to,kind,status,recorded,reference
UTO,L898902C3,,passport,stolen,2026-01-05,R-1
"""


def wait_for(condition: Callable[[], Any], within_s: float = 20.0) -> Any:
    """What `condition` gives once it is truthy; fails after `within_s`."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"it did not come about within {within_s} s")


class WholeSite:
    """Use as a context: every process is ended with it."""

    def __init__(
        self, folder: Path, port: int, protocol: str = "5", *, source: Path | None = None
    ) -> None:
        self.folder = folder
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._heard: socket.socket | None = None
        self._desks = 0
        self.central_toml = folder / "central.toml"
        self.device_toml = folder / "borderpost.toml"
        self._configure(port, protocol)
        self.central("enrol", DEVICE, str(folder / "keys"))
        if source is None:
            source = folder / "sltd.csv"
            source.write_text(LIST)
        built(source, folder / "lists", "sltd", as_of=datetime.now(UTC))
        write_keys(folder / "list-keys" / "sltd.key", [KEY])

    def __enter__(self) -> "WholeSite":
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
            process.wait(10)
        os.close(self._master)
        os.close(self._slave)
        if self._heard is not None:
            self._heard.close()

    def start_desk(self) -> subprocess.Popen[bytes]:
        """The desk, once it has said to systemd that it is ready and its scanner is connected."""
        if self._heard is None:
            self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._heard.bind(str(self.folder / "notify"))
            self._heard.settimeout(30)
        log = (self.folder / "desk.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", "firmware.cli", "run", "--config", str(self.device_toml)],
            stdout=log,
            stderr=log,
            env={
                **os.environ,
                "NOTIFY_SOCKET": str(self.folder / "notify"),
                "WATCHDOG_USEC": "1000000",
            },
        )
        log.close()
        self._processes.append(process)
        while self.next_notice() != "READY=1":
            continue
        self._desks += 1
        wait_for(lambda: self.desk_log().count("scanner: connected") == self._desks)
        return process

    def desk_log(self) -> str:
        """What the desk has logged since the first start."""
        return (self.folder / "desk.log").read_text()

    def add_source(self, toml: str) -> None:
        """One more source for the desk, as a block of its configuration."""
        with self.device_toml.open("a") as file:
            file.write(toml)

    def next_notice(self) -> str:
        """What the desk tells systemd next."""
        assert self._heard is not None
        return self._heard.recv(4096).decode()

    def start_headquarters(self) -> subprocess.Popen[bytes]:
        log = (self.folder / "central.log").open("ab")
        process = subprocess.Popen(self._central_line("receive"), stdout=log, stderr=log)
        log.close()
        self._processes.append(process)
        return process

    def scan(self, lines: tuple[str, ...]) -> None:
        """Puts a document on the serial scanner."""
        os.write(self._master, "".join(f"{line}\r" for line in lines).encode())

    def outcomes(self) -> list[str]:
        """What the journal says of the scans so far."""
        try:
            with sqlite3.connect(f"file:{self.folder}/data/journal.db?mode=ro", uri=True) as db:
                scans = db.execute("SELECT outcome FROM entry WHERE what = 'scan' ORDER BY n")
                return [row[0] for row in scans]
        except sqlite3.OperationalError:
            return []

    def waiting(self) -> int:
        """How many messages wait in the desk's outbox."""
        with sqlite3.connect(f"file:{self.folder}/data/outbox.db?mode=ro", uri=True) as db:
            return int(db.execute("SELECT count(*) FROM event WHERE done_at IS NULL").fetchone()[0])

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts at central."""
        said: list[dict[str, Any]] = json.loads(self.central("alerts", "--json"))
        return said

    def central(self, *arguments: str) -> str:
        """What one of central's commands prints."""
        done = borderpost_central(*arguments, "--config", self.central_toml)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stop(self, process: subprocess.Popen[bytes]) -> int:
        """Ends a process as systemd would; its exit code."""
        process.send_signal(signal.SIGTERM)
        return process.wait(30)

    def _central_line(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "central.cli", *arguments, "--config", str(self.central_toml)]

    def _configure(self, port: int, protocol: str) -> None:
        broker = f'[broker]\nhost = "127.0.0.1"\nport = {port}\nprotocol = "{protocol}"\n'
        self.central_toml.write_text(
            f'{broker}[store]\nurl = "sqlite:///{self.folder}/central.db"\n'
            f'[keys]\nfolder = "{self.folder}/central-keys"\n'
        )
        self.device_toml.write_text(
            f'[device]\nname = "{DEVICE}"\nsite = "Utopia North"\ndata = "{self.folder}/data"\n'
            f'[[sources]]\nkind = "serial"\nname = "scanner"\n'
            f'port = "{os.ttyname(self._slave)}"\n'
            f'[lists]\nfolder = "{self.folder}/lists"\nkeys = "{self.folder}/list-keys"\n'
            '[[lists.use]]\nname = "sltd"\n'
            f'[clock]\ntrust = "machine"\n[panel]\npins = "mock"\n{broker}tls = false\n'
            f'[identity]\nfolder = "{self.folder}/keys"\n'
        )
