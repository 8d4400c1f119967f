"""A real Mosquitto on a free loopback port, that a test can stop, kill and start again."""

import random
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

MOSQUITTO = shutil.which("mosquitto", path="/usr/local/sbin:/usr/sbin:/usr/local/bin:/usr/bin")
_WITHIN_S = 5.0


class Broker:
    """Keeps its port over a restart, and nothing that it held. Use as a context: it starts when
    told to, and is gone at the end."""

    def __init__(self, folder: Path, *, anonymous: bool = True, port: int | None = None) -> None:
        assert MOSQUITTO, "mosquitto is not installed (Debian: apt-get install mosquitto)"
        self.port = port or free_port()
        self._config = folder / "mosquitto.conf"
        allowed = "true" if anonymous else "false"
        lines = [f"listener {self.port} 127.0.0.1", f"allow_anonymous {allowed}", "user root"]
        self._config.write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Broker":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + _WITHIN_S
        while not listens(self.port):
            assert self._process.poll() is None, "mosquitto ended at once"
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """kill -9: whatever it had not saved is gone."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """The process stands still: connections stay open and nothing answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(number)
        if number is not signal.SIGKILL:
            self._process.send_signal(signal.SIGCONT)
        self._process.wait(_WITHIN_S)
        self._process = None


def free_port() -> int:
    """A port that nobody has, below those that connections are given: one of these could take it
    before whoever asked for it listens."""
    while True:
        port = random.randrange(15_000, 32_000)  # noqa: S311  it guards nothing
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def listens(port: int) -> bool:
    """Whether anybody takes connections at `port`."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0
