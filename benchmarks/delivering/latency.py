"""From a hit to the console and back: how long until the operator has it, and the officer his
answer, beside a bare publish and receive with paho and a commit of SQLite at each end.

All of it runs as it does at a site: the device's outbox and uplink in one process, `receive` and
`serve` each in another, Mosquitto between. Times are the machine's monotonic clock, which all
processes share; they begin before a commit and end where somebody has it: the event at a client of
the console's event stream, the answer in `on_answer`. Samples of both kinds take turns.
"""

import random
import time
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.delivering import bare
from benchmarks.delivering.headquarters import Headquarters
from benchmarks.delivering.operator import Operator
from benchmarks.delivering.sizes import Json, Sizes
from tests.delivery.both_ends import Desk, wait_for
from tests.delivery.broker import free_port

STORES = ("sqlite", "postgresql")
_WITHIN_S = 20.0
_PAUSE_S = 0.06
"""The longest pause between two samples: they are not to fall in step with anything."""

_spawn = get_context("spawn")


def measure(sizes: Sizes, work: Path) -> Json:
    return {store: _over(store, sizes.hits, work) for store in STORES}


def _over(store: str, hits: int, work: Path) -> Json:
    with TemporaryDirectory(dir=work) as name, ExitStack() as stack:
        central = Headquarters(Path(name), store, stack)
        port = free_port()
        broker = f'host = "127.0.0.1"\nport = {central.broker.port}\n'
        central.configure(broker, f"[console]\nport = {port}\n")
        central.broker.start()
        officer = Officer(central)
        central.start("receive")
        central.start("serve")
        operator = stack.enter_context(Operator(central, port))
        desk = stack.enter_context(officer)
        peer = stack.enter_context(bare.Peer(central.broker.port, Path(name)))
        _sample(operator, desk, peer)  # everything is warm after the first
        samples = [_sample(operator, desk, peer) for _ in range(hits)]
    there, back, peers = zip(*samples, strict=True)
    return {
        "hit_to_console": _said(there),
        "answer_to_desk": _said(back),
        "bare": _said(peers),
        "ratio_there": round(median(there) / median(peers), 2),
        "ratio_back": round(median(back) / median(peers), 2),
    }


def _sample(operator: Operator, desk: "Officer", peer: bare.Peer) -> tuple[float, float, float]:
    """Seconds to the console, back to the desk, and of the peer."""
    begun, alert = desk.raise_alert()
    seen = operator.sees(alert)
    answered = operator.answer(alert)
    held = desk.has_answer(alert)
    time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311 - no secret
    bare_s = peer.sample()
    time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311
    return seen - begun, held - answered, bare_s


def _said(times: tuple[float, ...]) -> Json:
    ninth = quantiles(times, n=10)[-1] if len(times) > 1 else times[0]
    return {"median_ms": round(median(times) * 1000, 2), "p90_ms": round(ninth * 1000, 2)}


class Officer:
    """The device, in a process of its own. Use as a context."""

    def __init__(self, central: Headquarters) -> None:
        keys = central.office.enrol("desk-1")
        folder = central.folder / "desk-1"
        folder.mkdir()
        self._pipe, theirs = _spawn.Pipe()
        arguments = (theirs, folder, keys, central.broker.port)
        self._process = _spawn.Process(target=_officer, args=arguments, daemon=True)

    def __enter__(self) -> "Officer":
        self._process.start()
        self._next("connected")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()

    def raise_alert(self) -> tuple[float, str]:
        """When the commit began, and the alert's id."""
        self._pipe.send("raise")
        begun, alert = self._next("raised")
        return begun, alert

    def has_answer(self, alert: str) -> float:
        """When the device held the answer."""
        while True:
            at, about = self._next("answered")
            if about == alert:
                return float(at)

    def _next(self, what: str) -> Any:
        while self._pipe.poll(_WITHIN_S):
            said, *more = self._pipe.recv()
            if said == what:
                return more
        raise RuntimeError(f"the device has not {what} within {_WITHIN_S:.0f} s")


def _officer(pipe: Connection, folder: Path, keys: Path, port: int) -> None:
    """In the device's process."""
    desk = Desk(folder, "desk-1", keys, port, "5")

    desk.on_answer = lambda answer: pipe.send(("answered", time.monotonic(), answer.alert))
    number = 0
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected, _WITHIN_S)
        pipe.send(("connected",))
        while pipe.recv() == "raise":
            number += 1
            begun = time.monotonic()
            alert = desk.raise_alert(f"X{number:08d}")
            pipe.send(("raised", begun, alert))
