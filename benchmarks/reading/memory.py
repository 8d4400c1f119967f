"""The memory of a process and everything it started, watched from outside.

Resident pages are added up over the tree (a reader may run Tesseract beside itself), twenty times a
second. A child that still runs its parent's program has only just been forked and has no pages of
its own yet. Linux only, from /proc.
"""

import os
from pathlib import Path
from threading import Event, Thread

_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024
_EVERY_S = 0.05


class Watch:
    """Watches one process tree until stopped; `peak_mb` is the most it ever had."""

    def __init__(self, pid: int) -> None:
        self.peak_mb = 0.0
        self._pid = pid
        self._stop = Event()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(_EVERY_S):
            self.peak_mb = max(self.peak_mb, _resident(self._pid) / _MB)


def _resident(pid: int, above: str = "") -> int:
    """Bytes of the process and of all below it; 0 for what has ended meanwhile."""
    folder = Path("/proc", str(pid))
    try:
        program = str((folder / "exe").readlink())
        if program == above:
            return 0
        own = int((folder / "statm").read_text(encoding="ascii").split()[1]) * _PAGE
        children = [
            int(child)
            for tasks in (folder / "task").iterdir()
            for child in (tasks / "children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return 0
    return own + sum(_resident(child, program) for child in children)
