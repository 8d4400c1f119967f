"""A desk for a measurement: `borderpost run` in a process of its own, enrolled by command, with a
serial scanner at a pseudo-terminal. Every document that is put there is listed."""

import os
import pty
import sqlite3
import subprocess
import sys
import tty
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from scanner.mrz.document import Format
from scanner.mrz.write import compose, write
from scanner.watchlist.keyring import write_keys
from tests.delivery.both_ends import wait_for
from tests.listing import KEY, built

_HEADER = "issuer,number,number_to,kind,status,recorded,reference\n"
_LISTED = 60
_WITHIN_S = 60.0


class Desk:
    """The desk `name`, with all that it keeps in `folder`. `broker` and `service` are the ports of
    its broker and of its enrolment service."""

    def __init__(self, folder: Path, name: str, broker: int, service: int) -> None:
        folder.mkdir(parents=True)
        self.folder, self.name = folder, name
        self._service = f"https://localhost:{service}"
        self._process: subprocess.Popen[bytes] | None = None
        self._scanned = self._starts = 0
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self._toml = folder / "borderpost.toml"
        self._toml.write_text(
            f'[device]\nname = "{name}"\nsite = "Utopia North"\ndata = "{folder}/data"\n'
            f'[[sources]]\nkind = "serial"\nname = "scanner"\n'
            f'port = "{os.ttyname(self._slave)}"\n'
            f'[lists]\nfolder = "{folder}/lists"\nkeys = "{folder}/list-keys"\n'
            '[[lists.use]]\nname = "sltd"\n[clock]\ntrust = "machine"\n[panel]\npins = "mock"\n'
            f'[broker]\nhost = "localhost"\nport = {broker}\nkeepalive_seconds = 2\n'
            f'[identity]\nfolder = "{folder}/identity"\nencrypt = true\n'
        )
        source = folder / "sltd.csv"
        rows = (
            f"UTO,{self._number(n)},,passport,stolen,2026-01-05,R-{n}\n" for n in range(_LISTED)
        )
        source.write_text(_HEADER + "".join(rows))
        built(source, folder / "lists", "sltd", as_of=datetime.now(UTC))
        write_keys(folder / "list-keys" / "sltd.key", [KEY])

    def close(self) -> None:
        """Ends it, and lets go of its scanner."""
        self.kill()
        os.close(self._master)
        os.close(self._slave)

    def enrol(self, token: str, *more: str) -> None:
        """Enrols it, by the command that is typed at a device."""
        self._do("enrol", self._service, *more, given=token)

    def renew(self) -> None:
        """Has it renew its keys at once."""
        self._do("enrol", "--renew")

    def _do(self, *arguments: str, given: str = "") -> None:
        line = [*arguments, "--config", str(self._toml)]
        done = subprocess.run(
            [sys.executable, "-m", "firmware.cli", *line],
            input=given,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{self.name}: borderpost {arguments[0]}: {done.stderr.strip()}")

    def start(self) -> None:
        """Starts it, and waits until a document can be put there."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "firmware.cli", "run", "--config", str(self._toml)],
                stdout=log,
                stderr=log,
            )
        self._starts += 1
        wait_for(lambda: self._said().count("scanner: connected") >= self._starts, _WITHIN_S)

    def kill(self) -> None:
        """Ends it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._starts = self._said().count("scanner: connected")

    def scan(self, count: int = 1) -> None:
        """Puts listed documents on the scanner, one after another; each is an alert then."""
        for _ in range(count):
            before = len(self.alerts())
            lines = write(
                compose(
                    Format.TD3,
                    number=self._number(self._scanned),
                    surname="ERIKSSON",
                    given_names="ANNA MARIA",
                    birth_date="1974-08-12",
                    sex="F",
                    expiry_date="2034-04-15",
                )
            )
            self._scanned += 1
            os.write(self._master, "".join(f"{line}\r" for line in lines).encode())
            wait_for(lambda seen=before: len(self.alerts()) > seen, _WITHIN_S)

    def alerts(self) -> set[str]:
        """The ids of every alert that it ever raised."""
        rows = self._rows("outbox", "SELECT id FROM event WHERE kind = 'alert'")
        return {str(UUID(bytes=row[0])) for row in rows}

    def waiting(self) -> int:
        """How many of its messages central has not acknowledged."""
        return len(self._rows("outbox", "SELECT 1 FROM event WHERE done_at IS NULL"))

    def answers(self) -> dict[str, str]:
        """What it holds of central's answers: the outcome for each alert."""
        return dict(self._rows("answers", "SELECT alert, outcome FROM answer ORDER BY at"))

    @property
    def _log(self) -> Path:
        return self.folder / "desk.log"

    def _said(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def _rows(self, name: str, query: str) -> list[tuple[bytes, ...]]:
        path = self.folder / "data" / f"{name}.db"
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                return list(db.execute(query))
        except sqlite3.OperationalError:
            return []  # the desk has not made it yet

    @staticmethod
    def _number(n: int) -> str:
        return f"UT{n:07}"
