"""A reader in a process of its own: started, asked page by page, ended.

All readers are measured in this way, ours too: each alone in a process with one thread, so that the
time to load, the time to the first reading and the memory are its own. A reader that dies on a page
is started anew for the next one; one that dies again and again is given up.
"""

import json
import os
import selectors
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.reading.marks import Answer
from benchmarks.reading.memory import Watch
from scanner.mrz.reading import Status

START_S = 180.0
PAGE_S = 120.0

ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OMP_THREAD_LIMIT",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ),
    "1",
)


class ReaderDied(Exception):
    """The process ended, or gave no answer in time; the message is one line."""


class ReaderProcess:
    """One worker. `about`, `load_ms` and `before_mb` are what it said when it was ready, `peak_mb`
    the most memory that it and what it started have had so far."""

    def __init__(self, command: Sequence[str]) -> None:
        """Starts it and waits until its reader is loaded. Raises ReaderDied."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **ONE_THREAD},
            start_new_session=True,  # Ctrl-C is for the benchmark alone
        )
        self._watch = Watch(self._process.pid)
        try:
            ready = self._said_within(START_S)
        except BaseException:
            self.stop()
            raise
        self.about: str = ready["about"]
        self.load_ms: float = ready["load_ms"]
        self.before_mb: float = ready["before_mb"]
        self._told_mb = 0.0

    @property
    def peak_mb(self) -> float:
        return max(self._watch.peak_mb, self._told_mb)

    def read(self, paths: Sequence[Path]) -> Answer:
        """What it says of one page. Raises ReaderDied."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        try:
            self._process.stdin.write(json.dumps([str(path) for path in paths]).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:
            raise ReaderDied(self._why()) from None
        said = self._said_within(PAGE_S)
        self._told_mb = max(self._told_mb, said["peak_mb"])
        status = said.get("status")
        return Answer(
            tuple(said["lines"]), said["ms"], Status(status) if status else None, said.get("note")
        )

    def stop(self) -> None:
        self._watch.stop()
        self._process.kill()
        self._process.wait()
        for end in (self._process.stdin, self._process.stdout, self._errors):
            if end is not None:
                end.close()

    def _said_within(self, seconds: float) -> dict[str, Any]:
        """The next line on its standard output."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        line, until = b"", monotonic() + seconds
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not ready.select(max(0.0, until - monotonic())):
                    raise ReaderDied(f"no answer in {seconds:.0f} s")
                piece = os.read(self._process.stdout.fileno(), 65536)
                if not piece:
                    raise ReaderDied(self._why())
                line += piece
        said: dict[str, Any] = json.loads(line)
        return said

    def _why(self) -> str:
        """The last line that it wrote on standard error, and how it ended."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        last = lines[-1].strip()[:200] if lines else "without a word"
        return f"the process ended ({code}): {last}"
