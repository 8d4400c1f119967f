"""What processes use, as the kernel says: CPU time and memory of one and of all that it started."""

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

_TICKS = os.sysconf("SC_CLK_TCK")
_MB = 1024 * 1024


def alone(function: Any, *arguments: Any) -> Any:
    """What `function` gives in a new process, which has nothing of this one's in its memory."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of CPU time that these processes and what they started have used."""
    ticks = 0
    for pid in _with_children(pids):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS


def memory_mb(pids: Iterable[int]) -> float:
    """Memory of these processes and what they started; what they share is counted once."""
    total = 0
    for pid in _with_children(pids):
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / _MB


def _with_children(pids: Iterable[int]) -> list[int]:
    found = list(pids)
    for pid in found:
        try:
            tasks = list(Path(f"/proc/{pid}/task").iterdir())
            found += [
                int(child) for task in tasks for child in (task / "children").read_text().split()
            ]
        except OSError:
            continue
    return found
