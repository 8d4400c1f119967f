"""Measures what the desk writes to its card: in an hour of waiting, for a scan, for a hit.

    python benchmarks/wear.py [--minutes M] [--scans N] [--json FILE]

A file system of its own (ext4, as Raspberry Pi OS has it) in a file, behind a loop device whose
counter of sectors is read: so all of it counts, SQLite's logs and the file system's own journal
too. Only root can make one. The desk is a `borderpost run` with no source that gives anything and a
broker that does not answer; its health file lies in memory, as under systemd. The rest is the
device's own code in this process, file by file.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path[0] = str(Path(__file__).resolve().parents[1])  # it is run by its path, as a script

from benchmarks.written import write  # noqa: E402
from central.enrolment.authority import Authority  # noqa: E402
from firmware.clock import DeviceClock  # noqa: E402
from firmware.doctor.desk_says import RUNTIME  # noqa: E402
from tests.desk.desk_fixture import CLEAN, LISTED, WholeDesk, typed  # noqa: E402

SCANS_AN_HOUR = 500
HITS_IN = 15_500
"""One scan in so many hits, over the world."""
_SECTOR, _IMAGE_BYTES = 512, 256 * 1024 * 1024
_CONFIG = """
[device]
name = "desk-1"
site = "Utopia"
data = "{data}"
[[sources]]
kind = "serial"
name = "scanner"
port = "/nowhere"
[lists]
folder = "{data}/lists"
[[lists.use]]
name = "sltd"
[broker]
host = "127.0.0.1"
port = 9
tls = false
[identity]
folder = "{data}/identity"
"""


@dataclass(frozen=True)
class Card:
    """A file system of its own and the block device below."""

    folder: Path
    device: str

    def written(self) -> int:
        """Bytes written to it so far, and what waits to be."""
        os.sync()
        fields = Path(f"/sys/block/{self.device}/stat").read_text().split()
        return int(fields[6]) * _SECTOR

    def cost_of(self, action: Callable[[], object]) -> int:
        """What an action writes."""
        before = self.written()
        action()
        return self.written() - before


@contextmanager
def card(work: Path) -> Iterator[Card]:
    """Mounts one below `work`, and takes it away again."""
    image, folder = work / "card.img", work / "card"
    with image.open("wb") as file:
        file.truncate(_IMAGE_BYTES)
    folder.mkdir()
    # Without lazy initialisation, which would go on writing for minutes.
    options = "lazy_itable_init=0,lazy_journal_init=0"
    _run("mkfs.ext4", "-q", "-E", options, str(image))
    device = _run("losetup", "--find", "--show", str(image)).strip()
    try:
        _run("mount", "-o", "noatime", device, str(folder))
        yield Card(folder, device.removeprefix("/dev/"))
    finally:
        # The lists that were asked in here are still open; it goes when this process does.
        subprocess.run(["umount", "--lazy", str(folder)], check=False, capture_output=True)
        _run("losetup", "--detach", device)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def waiting(one: Card, minutes: float) -> float:
    """Bytes an hour of a desk that waits, once it has settled."""
    data = one.folder / "waiting"
    Authority(one.folder.parent / "central").enrol("desk-1", data / "identity")
    config, runtime = one.folder.parent / "borderpost.toml", one.folder.parent / "run"
    config.write_text(_CONFIG.format(data=data))
    runtime.mkdir()
    command = [sys.executable, "-m", "firmware.cli", "run", "--config", str(config)]
    environment = os.environ | {RUNTIME: str(runtime)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as desk:
        try:
            until = time.monotonic() + 60
            while not (runtime / "health.json").exists():
                if time.monotonic() > until or desk.poll() is not None:
                    raise SystemExit("wear: the desk did not start")
                time.sleep(0.2)
            time.sleep(15)
            cost = one.cost_of(lambda: time.sleep(60 * minutes))
        finally:
            desk.terminate()
    return cost * 60 / minutes


def parts(one: Card, scans: int) -> dict[str, float]:
    """Bytes for each thing that is written down, by what it is."""
    folder = one.folder / "parts"
    folder.mkdir()
    desk = WholeDesk(folder)
    clear, hit = typed(CLEAN), typed(LISTED)
    for capture in (clear, hit):
        desk.desk.handle(capture)
    now = datetime.now(UTC)
    journal = one.cost_of(lambda: [desk.desk.handle(clear) for _ in range(scans)])
    hits = one.cost_of(lambda: [desk.desk.handle(hit) for _ in range(scans)])
    clock = DeviceClock(folder / "clock.json", trust_machine=True, grace=timedelta(0))
    times = one.cost_of(lambda: [clock.save() for _ in range(50)])
    purge = one.cost_of(lambda: desk.journal.purge(now - timedelta(days=400), timedelta(days=365)))
    return {
        "a scan without a hit (journal.db)": journal / scans,
        "a hit (outbox.db and journal.db)": hits / scans,
        "the time, every five minutes (clock.json)": times / 50,
        "the journal's retention, every hour (journal.db)": purge,
    }


def main() -> int:
    """Prints the figures. Exit code 2 where no file system can be made."""
    options = _options()
    if os.geteuid() != 0:
        print("wear: only root can make a file system of its own", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="borderpost-wear-") as work, card(Path(work)) as one:
        idle = waiting(one, options.minutes)
        costs = parts(one, options.scans)
    scan, hit = list(costs.values())[:2]
    at_work = idle + SCANS_AN_HOUR * (scan + (hit - scan) / HITS_IN)
    print("| what | bytes on the card |\n|---|---|")
    for what, cost in costs.items():
        print(f"| {what} | {cost:,.0f} |")
    print(f"| an hour of waiting, the broker away | {idle:,.0f} |")
    print(f"| an hour of {SCANS_AN_HOUR} scans | {at_work:,.0f} |")
    if options.json:
        stages = {"wear": {**costs, "idle_an_hour": idle, "at_work_an_hour": at_work}}
        write(options.json, stages, {}, wear={"minutes": options.minutes, "scans": options.scans})
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the desk writes to its card.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the desk waits")
    parser.add_argument("--scans", type=int, default=1000, help="how many scans are averaged")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
