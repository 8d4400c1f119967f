"""The desk that waits under a camera: its share of a core, and what its memory is made of."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.boxing.site import CAMERA, ROOT, Site
from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.doctor.desk_says import RUNTIME

_WITHIN_S = 180.0
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_MB = 1024.0


@dataclass
class Weighed:
    """MB resident (RSS), and with each page that is shared counted in part (PSS)."""

    rss_mb: float = 0.0
    pss_mb: float = 0.0


@dataclass
class Waiting:
    """Per cent of a core while nothing lies under the camera, of the desk and of a process beside
    it that throws the frames of a camera of its own away; and the memory by what it holds."""

    cpu_percent: float
    frames_alone_percent: float
    seconds: float
    memory: dict[str, Weighed] = field(default_factory=dict)

    @property
    def whole(self) -> Weighed:
        every = self.memory.values()
        return Weighed(sum(one.rss_mb for one in every), sum(one.pss_mb for one in every))


def measured(site: Site, settle_s: float, seconds: float, say: Callable[[str], None]) -> Waiting:
    """A `borderpost run` that has read every specimen once and then waits. Raises ValueError."""
    config = site.desk("waiting", SPECIMENS_FOLDER, camera=True)
    runtime = site.work / "run"
    runtime.mkdir()
    with _desk(config, runtime) as process:
        _await(site.work / "waiting" / "journal.db", process)
        say(f"the desk has read {len(SPECIMENS)} specimens; it waits")
        with _frames_alone() as alone:
            time.sleep(settle_s)
            both = (process.pid, alone.pid)
            began, before = time.monotonic(), [_cpu_s(pid) for pid in both]
            time.sleep(seconds)
            spent = [_cpu_s(pid) - cpu_s for pid, cpu_s in zip(both, before, strict=True)]
            took = time.monotonic() - began
        memory = _memory(process.pid, site.lists)
        return Waiting(100 * spent[0] / took, 100 * spent[1] / took, took, memory)


@contextmanager
def _desk(config: Path, runtime: Path) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "firmware.cli", "run", "--config", str(config)]
    environment = os.environ | {RUNTIME: str(runtime)}
    log = config.with_suffix(".log")
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=out) as desk,
    ):
        try:
            yield desk
        finally:
            desk.terminate()


@contextmanager
def _frames_alone() -> Iterator["subprocess.Popen[bytes]"]:
    """The least that takes a camera's frames at all."""
    options = ("--width", "1920", "--height", "1080", "--framerate", "10")
    camera = subprocess.Popen([sys.executable, str(CAMERA), *options], stdout=subprocess.PIPE)
    reading = "import sys\nframe = bytearray(1920 * 1080 * 3 // 2)\n"
    reading += "while sys.stdin.buffer.readinto(frame): pass"
    with camera, subprocess.Popen([sys.executable, "-c", reading], stdin=camera.stdout) as reader:
        try:
            yield reader
        finally:
            camera.terminate()
            reader.wait(10)


def _await(journal: Path, process: "subprocess.Popen[bytes]") -> None:
    """Until every specimen has had its verdict."""
    until = time.monotonic() + _WITHIN_S
    while _scans(journal) < len(SPECIMENS):
        if process.poll() is not None or time.monotonic() > until:
            raise ValueError("the desk did not read the specimens")
        time.sleep(0.5)


def _scans(journal: Path) -> int:
    if not journal.exists():
        return 0
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=30)) as db:
        try:
            (count,) = db.execute("SELECT count(*) FROM entry WHERE what = 'scan'").fetchone()
        except sqlite3.OperationalError:  # it is just being made
            return 0
    return int(count)


def _cpu_s(pid: int) -> float:
    """Of the process itself, all threads; what it started, as the camera's program, is not in
    it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def _memory(pid: int, lists: Path) -> dict[str, Weighed]:
    """By what a mapping is of."""
    memory = {what: Weighed() for what in ("of its own", "libraries", "networks", "mapped list")}
    what = ""
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        word, *values = line.split()
        if not word.endswith(":"):
            what = _held(values[4] if len(values) > 4 else "", lists)
        elif word == "Rss:":
            memory[what].rss_mb += int(values[0]) / _MB
        elif word == "Pss:":
            memory[what].pss_mb += int(values[0]) / _MB
    return memory


def _held(path: str, lists: Path) -> str:
    if not path.startswith("/"):
        return "of its own"
    if path.startswith(str(lists)):
        return "mapped list"
    return "networks" if path.endswith(".tflite") else "libraries"
