"""A real PostgreSQL on a free loopback port, that a test can stop, kill and start again."""

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

from tests.delivery.broker import free_port

OWNER = "borderpost"
PASSWORD = "only-for-tests"  # noqa: S105
_WITHIN_S = 30.0


class Cluster:
    """Keeps its port and what it holds over a restart. Use as a context: it is started, and gone
    at the end. Where `durable` is false, it does not wait for the disk."""

    def __init__(self, *, durable: bool = False) -> None:
        self._bin = _programs()
        self.port = free_port()
        self._durable = durable
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Cluster":
        self.folder = Path(tempfile.mkdtemp(prefix="borderpost-pg-"))
        self._as_owner: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL does not run as root
            shutil.chown(self.folder, "postgres", "postgres")
            self._as_owner = {"user": "postgres", "group": "postgres", "extra_groups": []}
        password = self.folder / "password"
        password.write_text(PASSWORD)
        password.chmod(0o644)
        subprocess.run(
            [
                str(self._bin / "initdb"),
                *("-D", str(self.folder / "data"), "-U", OWNER, "-A", "scram-sha-256"),
                *("--pwfile", str(password), "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as_owner,
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "fsync": "on" if self._durable else "off",
            "full_page_writes": "on" if self._durable else "off",
            "max_connections": "60",
            "shared_buffers": "64MB",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._bin / "postgres"), "-D", str(self.folder / "data"), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            **self._as_owner,
        )
        deadline = time.monotonic() + _WITHIN_S
        while True:
            try:
                self._admin().close()
                return
            except psycopg.OperationalError:
                assert self._process.poll() is None, "PostgreSQL ended at once"
                assert time.monotonic() < deadline, "PostgreSQL does not answer"
                time.sleep(0.05)

    def stop(self) -> None:
        """Ends it as `systemctl stop` does, whoever is connected."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends it at once, with every process of its own; what it had not committed is gone."""
        self._end(signal.SIGQUIT)

    def database(self, *, like: str = "template0") -> str:
        """The URL of a new database: an empty one, or a copy of that of the name `like`."""
        name = f"test_{secrets.token_hex(6)}"
        with self._admin() as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
        return self.url(name)

    def recreate(self, url: str) -> None:
        """Makes the database at `url` an empty one."""
        name = url.rpartition("/")[2]
        with self._admin() as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")

    def url(self, name: str, *, password: str = PASSWORD) -> str:
        """The URL of a database of that name."""
        return f"postgresql+psycopg://{OWNER}:{password}@127.0.0.1:{self.port}/{name}"

    def _admin(self) -> psycopg.Connection:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=OWNER,
            password=PASSWORD,
            dbname="postgres",
            autocommit=True,
            connect_timeout=5,
        )

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        self._process.wait(_WITHIN_S)
        self._process = None


def _programs() -> Path:
    """Where PostgreSQL's programs are; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    elsewhere = shutil.which("initdb")
    assert found or elsewhere, "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    return (found[-1] if found else Path(str(elsewhere))).parent


def _version(initdb: Path) -> int:
    name = initdb.parents[1].name
    return int(name) if name.isdecimal() else 0
