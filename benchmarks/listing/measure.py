"""What a process uses: CPU time and wall time, memory at its most, bytes to and from the disk.

All from the kernel, of this process alone. Memory is VmHWM and not getrusage's, which remembers
what the parent had before it started this process. Linux only.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MB = 1024 * 1024


@dataclass
class Spent:
    """Seconds of CPU (all threads) and of wall time; bytes read from and written to the disk."""

    cpu_s: float = 0.0
    wall_s: float = 0.0
    read_bytes: int = 0
    written_bytes: int = 0


@contextmanager
def spent() -> Iterator[Spent]:
    """What the block used; filled in at its end."""
    one = Spent()
    before, cpu, wall = disk_bytes(), time.process_time(), time.perf_counter()
    yield one
    one.cpu_s, one.wall_s = time.process_time() - cpu, time.perf_counter() - wall
    after = disk_bytes()
    one.read_bytes, one.written_bytes = after[0] - before[0], after[1] - before[1]


def disk_bytes() -> tuple[int, int]:
    """What this process has had read from the disk, and written to it or to its cache to be
    written."""
    said = dict(
        line.split(": ") for line in Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    )
    return int(said["read_bytes"]), int(said["write_bytes"])


def memory_mb(field: str = "VmHWM") -> float:
    """Resident memory in MB: at its most (VmHWM), now (VmRSS), or of mapped files (RssFile)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024 / _MB
    raise ValueError(f"the kernel says no {field}")


def files_below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def bytes_below(folder: Path) -> int:
    """What the files of a folder hold on the disk: blocks, so that holes do not count."""
    return sum(path.stat().st_blocks * 512 for path in files_below(folder))


def make_durable(folder: Path) -> None:
    """All that was written in the folder, so that it can be dropped from the machine's cache."""
    for path in files_below(folder):
        file = os.open(path, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def drop_from_cache(folder: Path) -> None:
    """The folder's files leave the machine's cache. They must be durable, and mapped nowhere."""
    for path in files_below(folder):
        file = os.open(path, os.O_RDONLY)
        try:
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(file)
