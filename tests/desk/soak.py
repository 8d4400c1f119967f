"""A desk at full rate for very many documents: its memory, and whether it misses one.

    python tests/desk/soak.py --documents 20000

The specimens of the demo come over and over, as fast as the desk takes them, by pictures through
the reader; the daemon is the real command, with its page, a broker (Mosquitto) and headquarters. An
open page is sent every state, and its officer gives every hit its outcome. The daemon's memory is
noted as it goes.

At the end the journal must hold the documents' outcomes in the very order in which they came, none
missing; headquarters must have an alert of every hit; and over the second half of the documents the
daemon's memory, the median of each eighth of it, must stay within five per cent of the first's. A
daemon that died or was started again is a failure. A run that was stopped goes on where it was,
with a daemon that is new: memory is then judged from where that one had run in.

Exit code 1 where any of it does not hold.
"""

import argparse
import contextlib
import json
import signal
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from firmware.demo.catalogue import SPECIMENS
from firmware.demo.stage import Site, set_up
from firmware.record.journal import ALERTING
from scanner.durable import replace_durably
from tests.delivery.broker import Broker

STATE = Path("build/torture/desk")
FLAT = 0.05
RUN_IN = 500
"""Documents in which a new daemon comes to its size: networks, pages of the lists, caches."""
_EVERY_S = 5.0
_WITHIN_S = 120.0


class Wrong(Exception):
    """What must not be."""


@dataclass
class Noted:
    """What outlasts a stop. `lives` are the first row of the journal of each daemon; `samples` are
    documents so far, the daemon's memory in KiB, and the daemon's number."""

    broker_port: int
    console_port: int
    kiosk_port: int
    password: str
    lives: list[int] = field(default_factory=list)
    samples: list[tuple[int, int, int]] = field(default_factory=list)
    acts: int = 0


def main() -> int:
    """Soaks until there were as many documents as asked for, and judges."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--documents", type=int, default=20_000)
    wanted = parser.parse_args().documents
    folder = STATE / "site"
    noted = _noted(folder)
    try:
        with Broker(STATE, port=noted.broker_port) as broker:
            broker.start()
            with _running(_site(folder, noted).central("receive"), STATE / "central.log"):
                _soak(folder, noted, wanted)
                _drain(folder, noted)
                _judge(folder, noted, wanted)
    except Wrong as wrong:
        print(f"{folder}: {wrong}", file=sys.stderr)
        return 1
    return 0


def _noted(folder: Path) -> Noted:
    """What an earlier run noted, or a new site."""
    path = STATE / "soak.json"
    if path.exists():
        return Noted(**json.loads(path.read_text()))
    folder.mkdir(parents=True, exist_ok=True)
    with Broker(STATE) as broker:
        site = set_up(folder.resolve(), broker.port, loop=True)
        noted = Noted(broker.port, site.console_port, site.kiosk_port, site.password)
    _keep(noted)
    return noted


def _keep(noted: Noted) -> None:
    replace_durably((STATE / "soak.json").resolve(), json.dumps(asdict(noted)).encode(), mode=0o600)


def _site(folder: Path, noted: Noted) -> Site:
    return Site(folder.resolve(), noted.console_port, noted.kiosk_port, noted.password)


@contextlib.contextmanager
def _running(command: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process that ends with the block."""
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _daemon(config: Path) -> list[str]:
    return [sys.executable, "-m", "firmware.cli", "run", "--config", str(config)]


def _soak(folder: Path, noted: Noted, wanted: int) -> None:
    """The daemon under load, until the journal has as many documents as wanted."""
    journal = folder / "data" / "journal.db"
    done = len(_scans(journal))
    if done >= wanted:
        return
    noted.lives.append(done)
    life, began, begun_with = len(noted.lives), time.monotonic(), done
    moved = began
    config = _site(folder, noted).device_toml
    officer = _Officer(noted.kiosk_port, noted.acts)
    with _running(_daemon(config), STATE / "desk.log") as daemon, officer:
        while done < wanted:
            time.sleep(_EVERY_S)
            if daemon.poll() is not None:
                raise Wrong(f"the daemon ended with {daemon.returncode}; see desk.log")
            before, done = done, len(_scans(journal))
            if done > before:
                moved = time.monotonic()
            if time.monotonic() - moved > _WITHIN_S:
                raise Wrong(f"no document came through for {_WITHIN_S:.0f} s")
            noted.samples.append((done, _memory_kib(daemon.pid), life))
            noted.acts = officer.acts
            _keep(noted)
            rate = (done - begun_with) / (time.monotonic() - began)
            print(f"{done} documents, {rate:.1f}/s, {noted.samples[-1][1]} KiB", flush=True)
        daemon.send_signal(signal.SIGTERM)
        if daemon.wait(30) != 0:
            raise Wrong(f"the daemon, told to end, ended with {daemon.returncode}")
        if not officer.states:
            raise Wrong("the page was sent no state")
    _keep(noted)


class _Officer:
    """An open page that is sent every state, and whose officer gives every hit its outcome."""

    def __init__(self, port: int, acts: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self._over = threading.Event()
        self._pending: list[dict[str, object]] = []
        self._threads = [threading.Thread(target=run) for run in (self._see, self._act)]
        self.states, self.acts = 0, acts

    def __enter__(self) -> "_Officer":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _see(self) -> None:
        while not self._over.is_set():
            with (
                contextlib.suppress(httpx.HTTPError),
                self._page() as page,
                page.stream("GET", "/kiosk/events") as stream,
            ):
                for line in stream.iter_lines():
                    if self._over.is_set():
                        return
                    if line.startswith('data: {"boot"'):
                        self.states += 1
                        self._pending = json.loads(line[6:])["pending"]
            self._over.wait(0.5)  # the daemon is not there yet, or no more

    def _act(self) -> None:
        """Gives what is open its outcome; what was referred is seen."""
        while not self._over.wait(0.1):
            with contextlib.suppress(httpx.HTTPError), self._page() as page:
                for one in self._pending:
                    alert = {"alert": one["alert"]}
                    if one["open"]:
                        answer = page.post("/kiosk/referral", json=alert | {"action": "referred"})
                        self.acts += answer.status_code == 200
                    else:
                        page.post("/kiosk/seen", json=alert)

    def _page(self) -> httpx.Client:
        return httpx.Client(base_url=self._address, headers={"origin": self._address}, timeout=10)


def _drain(folder: Path, noted: Noted) -> None:
    """A last daemon, before which no document comes, tells central what still waits."""
    site, empty = _site(folder, noted), folder / "empty"
    empty.mkdir(exist_ok=True)
    lines = site.device_toml.read_text().splitlines()
    quiet = folder / "quiet.toml"
    quiet.write_text(
        "\n".join(
            f"path = {json.dumps(str(empty.resolve()))}"
            if line.startswith("path = ")
            else line.replace("loop = true", "loop = false")
            for line in lines
        )
    )
    deadline = time.monotonic() + _WITHIN_S
    with _running(_daemon(quiet), STATE / "desk.log"):
        while _rows(folder / "data" / "outbox.db", "SELECT 1 FROM event WHERE done_at IS NULL"):
            if time.monotonic() > deadline:
                raise Wrong("central does not have everything in time")
            time.sleep(1)


def _judge(folder: Path, noted: Noted, wanted: int) -> None:
    """Prints what came of it. Raises Wrong."""
    site, scans = _site(folder, noted), _scans(folder / "data" / "journal.db")
    _in_order(scans, noted.lives)
    hits = {alert for _, alert in scans if alert is not None}
    at_central = {one["id"] for one in json.loads(site.ask_central("alerts", "--json"))}
    if hits - at_central:
        raise Wrong(f"{len(hits - at_central)} of {len(hits)} alerts are not at central")
    print(
        f"{len(scans)} documents, none missed; {len(hits)} hits, all of them at central; "
        f"{noted.acts} outcomes given; {len(noted.lives) - 1} times stopped and gone on"
    )
    since, half = noted.lives[-1] + RUN_IN, wanted // 2
    kept = [kib for done, kib, life in noted.samples if life == len(noted.lives) and done >= half]
    if since > half:
        kept = [
            kib for done, kib, life in noted.samples if life == len(noted.lives) and done >= since
        ]
        print(f"memory is judged from document {since} on, since this daemon is newer than half")
    if len(kept) < 8:
        raise Wrong("the last daemon ran too shortly to judge its memory; soak on")
    # One sample sways with what is just being read; a leak moves the middle of many.
    step = len(kept) // 8
    middles = [statistics.median(kept[at : at + step]) for at in range(0, 8 * step, step)]
    start = middles[0]
    furthest = max(middles, key=lambda kib: abs(kib - start))
    moved = furthest / start - 1
    print(
        f"memory {start / 1024:.1f} MiB at first, {furthest / 1024:.1f} MiB at most: {moved:+.1%}"
    )
    if abs(moved) > FLAT:
        raise Wrong(f"memory is not flat within {FLAT:.0%}")


def _in_order(scans: list[tuple[str, str | None]], lives: list[int]) -> None:
    """Each daemon began with the first specimen and went on with the next, again and again."""
    for begin, end in zip(lives, [*lives[1:], len(scans)], strict=True):
        for at, (outcome, alert) in enumerate(scans[begin:end]):
            specimen = SPECIMENS[at % len(SPECIMENS)]
            if outcome not in specimen.expected:
                raise Wrong(
                    f"document {begin + at + 1} is {outcome}, {specimen.file} was to be "
                    f"{' or '.join(specimen.expected)}: one was missed, or judged otherwise"
                )
            if (alert is not None) != (outcome in ALERTING):
                raise Wrong(f"document {begin + at + 1} is {outcome} and its alert does not fit")


def _scans(journal: Path) -> list[tuple[str, str | None]]:
    """Outcome and alert of every document, in order."""
    return _rows(journal, "SELECT outcome, alert FROM entry WHERE what = 'scan' ORDER BY n")


def _rows(path: Path, query: str) -> list[tuple[str, str | None]]:
    if not path.exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as db:
        return db.execute(query).fetchall()


def _memory_kib(pid: int) -> int:
    """What the process holds of its own: how much of its libraries' files lies in memory, too, is
    the machine's affair."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    raise Wrong("the daemon has no memory")


if __name__ == "__main__":
    sys.exit(main())
