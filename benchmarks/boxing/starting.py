"""From the service's start to its first verdict, part by part, each beside its imports alone."""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.boxing.site import ROOT, Site
from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER

NEEDS = {
    "interpreter": (),
    "imports": ("firmware.run_cli",),
    "settings": ("firmware.settings",),
    "identity": ("firmware.identity.identity", "firmware.delivery.broker_access"),
    "models": ("scanner.vision.litert",),
    "lists": ("firmware.choice",),
    "sources": ("firmware.sources",),
    "page": ("firmware.kiosk.server",),
    "first verdict": ("firmware.desk", "scanner.vision.litert"),
}
"""What each part needs: what the bare process beside it imports."""
SWAY = 1.1
"""By how much the same work, done twice, differs: two of the parts are their imports alone."""
_CLOCKED = """
import time
began = time.process_time()
import sys
from pathlib import Path
from benchmarks.boxing.clocked import main
main(began, Path(sys.argv[1]), Path(sys.argv[2]))
"""
_ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
_WITHIN_S = 120.0


@dataclass(frozen=True)
class Part:
    """Milliseconds of processor time: of the part, and of its imports in a bare process."""

    name: str
    ms: float
    alone_ms: float

    @property
    def within(self) -> bool:
        return self.ms <= self.alone_ms * SWAY


@dataclass(frozen=True)
class Start:
    """Medians over the rounds, in milliseconds: the parts, all of the process's processor time and
    the time of the clock on the wall."""

    parts: tuple[Part, ...]
    cpu_ms: float
    wall_ms: float

    @property
    def rest_ms(self) -> float:
        """What no part accounts for: files, threads that start, health, the link."""
        return self.cpu_ms - sum(part.ms for part in self.parts)


def measured(site: Site, rounds: int, say: Callable[[str], None]) -> Start:
    """Starts the service and every bare process in turn, so that all have the same machine. One
    start before them, which counts where there is no other, brings the files into memory."""
    pictures = site.work / "one-picture"
    pictures.mkdir()
    shutil.copy(SPECIMENS_FOLDER / SPECIMENS[0].file, pictures)
    service, alone = [], []
    for number in range(rounds + 1):
        config = site.desk(f"start-{number}", pictures, camera=False)
        service.append(_service(config, site.work / f"start-{number}.json"))
        alone.append({name: _bare(modules) for name, modules in NEEDS.items()})
        say(f"start {number} of {rounds}: {service[-1]['wall_s']:.1f} s")
    return _medians(service[1:] or service, alone[1:] or alone)


def _medians(service: Sequence[dict[str, float]], alone: Sequence[dict[str, float]]) -> Start:
    def middle(rounds: Sequence[dict[str, float]], name: str) -> float:
        return 1000 * statistics.median(one.get(name, 0.0) for one in rounds)

    bare = middle(alone, "interpreter")
    parts = tuple(
        Part(name, middle(service, name), middle(alone, name) - (bare if modules else 0.0))
        for name, modules in NEEDS.items()
    )
    return Start(parts, middle(service, "cpu_s"), middle(service, "wall_s"))


def _service(config: Path, out: Path) -> dict[str, float]:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", _CLOCKED, str(config), str(out)],
        cwd=ROOT,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    if done.returncode or not out.exists():
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        raise ValueError(f"the service did not start: {last[:200]}")
    told = json.loads(out.read_text())
    return {**told["parts"], "cpu_s": told["cpu_s"], "wall_s": told["at"] - began}


def _bare(modules: Sequence[str]) -> float:
    """Seconds of processor time of a process that does nothing else."""
    lines = [f"import {module}" for module in modules]
    command = "\n".join(["import time", *lines, "print(time.process_time())"])
    done = subprocess.run(
        [sys.executable, "-c", command],
        cwd=ROOT,
        env=_ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)
