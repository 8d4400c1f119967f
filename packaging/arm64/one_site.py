"""A site for a device that is tried: a real Mosquitto and central's own receiver, beside it.

Everything is made by the commands that an administrator gives, and speaks by TLS with certificates
of its own authority. The network is one that holds nothing but loopback, so ports are free and
nobody else is reached.
"""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from roots import Root, holds, last_of

PORT = 8883
PATIENCE_S = 900.0
DATA, BOOT = "/var/lib/borderpost", "/boot/firmware"
_RUN = """#!/bin/sh
borderpost run &
desk=$!
while [ ! -e /run/desk-stop ] && kill -0 $desk; do sleep 1; done
kill -TERM $desk
wait $desk
"""


class Site:
    """Headquarters in a folder, run by the commands of a work tree's environment."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder = folder
        self._central = str(programs / "borderpost-central")
        self._config = folder / "central.toml"

    def set_up(self) -> None:
        """Authority, broker, receiver."""
        worker = self.folder / "worker"
        self.folder.mkdir(parents=True)
        self._config.write_text(
            f'[broker]\nhost = "127.0.0.1"\nport = {PORT}\nca = "{worker}/ca.crt"\n'
            f'certificate = "{worker}/tls.crt"\nprivate_key = "{worker}/tls.key"\n'
            f'[store]\nurl = "sqlite:///{self.folder}/central.db"\n'
            f'[keys]\nfolder = "{self.folder}/keys"\n'
        )
        known_as = ("--domain", "localhost", "--network", "127.0.0.0/8")
        self.central("enrol", "authority", "--name", "Utopia Border", *known_as)
        # Before the broker's rules are written, which name whoever may listen.
        self.central("enrol", "worker", "receiver-1", str(worker))
        hosts = ("--host", "localhost", "--host", "127.0.0.1", "--bind", "127.0.0.1")
        self.central("broker", "config", str(self.folder / "broker"), *hosts)
        with (self.folder / "broker" / "mosquitto.conf").open("a") as conf:
            conf.write("user root\n")

    def central(self, *words: str) -> str:
        """What one of headquarters' commands prints; it has to succeed."""
        command = [self._central, *words, "--config", str(self._config)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said = last_of(done.stderr + done.stdout)
        holds(done.returncode == 0, f"borderpost-central {' '.join(words[:2])}: {said}")
        return done.stdout

    def alerts(self) -> list[dict[str, Any]]:
        said: list[dict[str, Any]] = json.loads(self.central("alerts", "--json"))
        return said

    @contextmanager
    def running(self) -> Iterator[None]:
        """Broker and receiver, until the end of the block."""
        broker = str(self.folder / "broker" / "mosquitto.conf")
        lines = {
            "broker": ["mosquitto", "-c", broker],
            "receiver": [self._central, "receive", "--config", str(self._config)],
        }
        started: list[subprocess.Popen[bytes]] = []
        try:
            for name, line in lines.items():
                with (self.folder / f"{name}.log").open("ab") as log:
                    started.append(subprocess.Popen(line, stdout=log, stderr=log))
            yield
        finally:
            for process in started:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                process.kill()


class Desk:
    """The device as a desk of that site, its specimens in a folder for a camera."""

    def __init__(self, root: Root, site: Site) -> None:
        self.root, self.site = root, site
        self._process: subprocess.Popen[bytes] | None = None

    def set_up(self, specimens: Path, key: Path) -> str:
        """Sets it up from its boot partition, its enrolment carried by files; what set-up said."""
        boot = self.root.path(f"{BOOT}/borderpost")
        boot.mkdir(parents=True)
        (boot / "sltd.key").write_bytes(key.read_bytes())
        answers = f'device = "desk-1"\nsite = "Utopia North"\nbroker = "127.0.0.1:{PORT}"\n'
        (boot.parent / "borderpost-setup.toml").write_text(answers)
        scanner = self.root.path("/dev/serial/by-id/usb-Reader-if00")
        scanner.parent.mkdir(parents=True)
        scanner.touch()
        self.root.run("borderpost setup --unattended")
        self.site.central("enrol", "sign", str(boot / "enrolment-request"))
        said = self.root.run("borderpost setup --unattended").all
        holds("this is a desk now" in said, f"set-up did not come to its end: {last_of(said)}")
        config = self.root.path("/etc/borderpost/borderpost.toml")
        rows = config.read_text().replace('kind = "serial"', 'kind = "folder"').splitlines()
        rows = [f'path = "{specimens}"' if row.startswith('port = "') else row for row in rows]
        rows = ['trust = "machine"' if row.startswith("# trust =") else row for row in rows]
        config.write_text("\n".join(row for row in rows if not row.startswith("family =")) + "\n")
        return said

    @contextmanager
    def running(self) -> Iterator[None]:
        """The desk, until the end of the block; then it ends as systemd would have it end."""
        script, stop = self.root.path("/usr/local/bin/run-desk"), self.root.path("/run/desk-stop")
        script.write_text(_RUN)
        script.chmod(0o755)
        stop.unlink(missing_ok=True)
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                self.root.entering("/usr/local/bin/run-desk", desk=True), stdout=log, stderr=log
            )
        self._process = process
        try:
            yield
            stop.touch()
            process.wait(120)
        finally:
            process.kill()
            process.wait()

    @property
    def _log(self) -> Path:
        return self.site.folder / "desk.log"

    def waiting(self) -> int | None:
        """How many alerts central has not acknowledged; None where there is none yet."""
        file = self.root.path(f"{DATA}/outbox.db")
        asked = "SELECT count(*), sum(done_at IS NULL) FROM event WHERE kind = 'alert'"
        with (
            suppress(sqlite3.OperationalError),
            closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as outbox,
        ):
            every, waiting = outbox.execute(asked).fetchone()
            return int(waiting) if every else None
        return None

    def wait_for(self, condition: Callable[[], object], what: str) -> None:
        """Waits until something holds. Raises NotSo where it takes too long."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            said = last_of(self._log.read_text(errors="replace"))
            runs = self._process is not None and self._process.poll() is None
            holds(runs, f"{what}: the desk has ended: {said}")
            holds(time.monotonic() < deadline, f"{what}: not within {PATIENCE_S:.0f} s: {said}")
            time.sleep(1)
