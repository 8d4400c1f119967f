"""Systemd's watchdog hears of the desk's own progress, and of nothing else that still runs."""

import os
import pty
import signal
import socket
import threading
import tty
from pathlib import Path
from threading import Event

import pytest

from central.enrolment.authority import Authority
from firmware import box
from firmware.daemon import run_until_told
from firmware.delivery.link import LinkState
from firmware.screen import Reply, Screen, Shown
from firmware.settings import Settings
from tests.journeys.whole_site import wait_for

LINES = (
    b"P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\rL898902C36UTO7408122F1204159ZE184226B<<<<<10\r"
)


class Stuck(Screen):
    """Holds the desk up, as a library that never returns would."""

    def __init__(self) -> None:
        self.reached, self.released = Event(), Event()

    def busy(self) -> None:
        self.reached.set()
        self.released.wait(60)

    def show(self, shown: Shown) -> None:
        return

    def answered(self, reply: Reply) -> None:
        return

    def link(self, state: LinkState) -> None:
        return


class Systemd:
    """What a service tells systemd, as it is told."""

    def __init__(self, place: Path) -> None:
        self._heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._heard.bind(str(place))

    def next(self, within_s: float = 30.0) -> str | None:
        self._heard.settimeout(within_s)
        try:
            return self._heard.recv(4096).decode()
        except TimeoutError:
            return None


def test_a_desk_that_is_stuck_loses_its_watchdog_though_all_else_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    scanner, port = pty.openpty()
    tty.setraw(port)
    Authority(tmp_path / "keys").enrol("desk-1", tmp_path / "identity")
    settings = Settings.model_validate(
        {
            "device": {"name": "desk-1", "site": "Utopia North", "data": str(tmp_path / "data")},
            "sources": [{"kind": "serial", "name": "scanner", "port": os.ttyname(port)}],
            "lists": {"folder": str(tmp_path / "lists"), "use": [{"name": "sltd"}]},
            "identity": {"folder": str(tmp_path / "identity")},
            "broker": {"host": "127.0.0.1", "port": 1, "tls": False},
        }
    )
    systemd, screen = Systemd(tmp_path / "notify"), Stuck()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.setattr(box, "STUCK_AFTER_S", 1.0)
    told: dict[str, object] = {}

    def look() -> None:
        try:
            told["first"] = [systemd.next() for _ in range(3)]
            wait_for(lambda: "scanner: connected" in caplog.text)
            os.write(scanner, LINES)
            screen.reached.wait(30)
            wait_for(lambda: "the desk has made no progress" in caplog.text)
            while systemd.next(0.01) is not None:
                pass
            told["stuck"] = systemd.next(0.8)
            screen.released.set()
            told["released"] = systemd.next()
        finally:
            screen.released.set()
            os.kill(os.getpid(), signal.SIGTERM)

    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    looking = threading.Thread(target=look)
    try:
        caplog.set_level("INFO")
        looking.start()
        run_until_told(settings, [screen])
    finally:
        looking.join()
        for number, before in kept.items():
            signal.signal(number, before)
        os.close(scanner)
        os.close(port)
    assert told == {
        "first": ["READY=1", "WATCHDOG=1", "WATCHDOG=1"],
        "stuck": None,
        "released": "WATCHDOG=1",
    }
