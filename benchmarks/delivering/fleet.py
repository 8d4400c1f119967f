"""A fleet of devices at one Mosquitto, each with its own certificate, will and signed alert.

The broker is set up by `borderpost-central broker config`; every device is enrolled as a technician
enrols it by hand, and connects by mutual TLS. Enrolling 10,000 takes a while, so their folders are
kept in `build/`, and a run that was stopped goes on where it was. Two `receive` processes with
certificates of their own store the alerts in PostgreSQL and acknowledge each to its device, which
checks the acknowledgement against the key that it pinned. In the end some devices vanish without a
word, and central must know from their wills.
"""

import resource
import shutil
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cryptography import x509

from benchmarks.delivering.fleet_clients import crew
from benchmarks.delivering.headquarters import Headquarters
from benchmarks.delivering.processes import cpu_s, memory_mb
from benchmarks.delivering.sizes import Json, Sizes
from central.enrolment.files import issue_worker
from tests.delivery.both_ends import HeadOffice, wait_for
from tests.delivery.site_broker import SiteBroker

KEPT = Path("build/delivery-bench")
KEPT_FROM = 1_000
"""Smaller fleets are enrolled anew each time."""
CREWS = 2
"""Processes that the devices are spread over."""
_LEFT = timedelta(days=2)
_PHASE_WITHIN_S = 900.0
_UP_WITHIN_S = 60.0

_spawn = get_context("spawn")


def measure(sizes: Sizes, work: Path) -> Json:
    _raise_file_limit()
    kept = sizes.fleet >= KEPT_FROM
    folder = ((KEPT if kept else work) / f"fleet-{sizes.fleet}").resolve()
    with ExitStack() as stack:
        names = [f"desk-{number:05d}" for number in range(sizes.fleet)]
        enrolling_s = _enrol(folder, names)
        for old in (*folder.glob("receive-*"), folder / "broker"):
            shutil.rmtree(old) if old.is_dir() else old.unlink(missing_ok=True)
        central = Headquarters(folder, "postgresql", stack)
        receivers, broker = _start(central, sizes.receivers, stack)
        parts = {
            "mosquitto": [broker._process.pid],  # type: ignore[union-attr]
            "receivers": receivers,
            "postgresql": central.store_pids,
        }
        told = _go_through(central, names, broker.port, parts)
    if not kept:
        shutil.rmtree(folder)
    return {"devices": sizes.fleet, "enrolled_now_s": round(enrolling_s), **told}


def _go_through(
    central: Headquarters, names: list[str], port: int, parts: dict[str, list[int]]
) -> Json:
    """All connect, all raise an alert, some vanish."""
    crews = [_Crew(central.folder, names[at::CREWS], port) for at in range(CREWS)]
    parts = {**parts, "devices": [one.pid for one in crews]}
    before = {part: cpu_s(pids) for part, pids in parts.items()}
    try:
        connected, connecting_s = _all_do(crews, "connect")
        memory = {part: round(memory_mb(pids)) for part, pids in parts.items()}
        at_connect = {part: cpu_s(pids) - before[part] for part, pids in parts.items()}
        acknowledged, alerts_s = _all_do(crews, "alert")
        spent = {part: cpu_s(pids) - before[part] for part, pids in parts.items()}
        stored = len({row.device for row in central.office.store.all_alerts()})
        gone, _ = _all_do(crews, "vanish")
        known_gone = _known_gone(central, gone)
    finally:
        for one in crews:
            one.end()
    return {
        "connected": connected,
        "connecting_s": round(connecting_s, 1),
        "acknowledged": acknowledged,
        "stored": stored,
        "alerts_s": round(alerts_s, 1),
        "vanished": gone,
        "known_gone": known_gone,
        "cpu_connecting_s": {part: round(spent_s, 1) for part, spent_s in at_connect.items()},
        "cpu_alerts_s": {part: round(spent[part] - at_connect[part], 1) for part in spent},
        "memory_mb": memory,
    }


def _known_gone(central: Headquarters, gone: int) -> int:
    """How many of those that vanished central knows to be away."""

    def away() -> int:
        return sum(device["online"] is False for device in central.office.store.devices())

    deadline = time.monotonic() + _UP_WITHIN_S
    while away() < gone and time.monotonic() < deadline:
        time.sleep(0.5)
    return away()


def _start(central: Headquarters, receivers: int, stack: ExitStack) -> tuple[list[int], SiteBroker]:
    authority = central.office.authority
    workers = [central.folder / f"worker-{number}" for number in range(receivers)]
    for worker in workers:
        shutil.rmtree(worker, ignore_errors=True)
        issue_worker(authority, worker.name, worker)
    broker = stack.enter_context(SiteBroker(authority, central.folder / "broker"))
    pids = []
    for worker in workers:
        central.configure(
            f'host = "127.0.0.1"\nport = {broker.port}\nca = "{worker}/ca.crt"\n'
            f'certificate = "{worker}/tls.crt"\nprivate_key = "{worker}/tls.key"\n'
        )
        pids.append(central.start("receive"))
    wait_for(lambda: central.receiving() == receivers, _UP_WITHIN_S)
    return pids, broker


def _enrol(folder: Path, names: list[str]) -> float:
    """Enrols whoever is not yet, and how long that took."""
    folder.mkdir(parents=True, exist_ok=True)
    if _is_old(folder / f"for-{names[0]}" / "tls.crt"):
        shutil.rmtree(folder)
        folder.mkdir()
    office = HeadOffice(folder, 1, "5")
    office.store.close()
    began = time.perf_counter()
    for name in names:
        out = folder / f"for-{name}"
        if not office.authority.is_enrolled(name):
            shutil.rmtree(out, ignore_errors=True)
            office.enrol(name)
    return time.perf_counter() - began


def _is_old(certificate: Path) -> bool:
    if not certificate.exists():
        return False
    read = x509.load_pem_x509_certificate(certificate.read_bytes())
    return read.not_valid_after_utc < datetime.now(UTC) + _LEFT


def _raise_file_limit() -> None:
    """The broker holds a connection for each device."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class DevicesFailed(Exception):
    """The devices came to grief; the message says how."""


class _Crew:
    """A process that some of the devices live in."""

    def __init__(self, folder: Path, names: list[str], port: int) -> None:
        self.pipe, theirs = _spawn.Pipe()
        self._process = _spawn.Process(target=crew, args=(theirs, folder, names, port), daemon=True)
        self._process.start()
        self.pid = int(self._process.pid or 0)
        self.answer()

    def answer(self) -> Any:
        if not self.pipe.poll(_PHASE_WITHIN_S):
            raise DevicesFailed("they do not come to an end")
        said = self.pipe.recv()
        if isinstance(said, str):
            raise DevicesFailed(said)
        return said

    def end(self) -> None:
        self._process.kill()
        self._process.join()


def _all_do(crews: list[_Crew], what: str) -> tuple[int, float]:
    """How many devices did it, and how long that took."""
    began = time.perf_counter()
    for one in crews:
        one.pipe.send(what)
    done = sum(one.answer() for one in crews)
    return done, time.perf_counter() - began
