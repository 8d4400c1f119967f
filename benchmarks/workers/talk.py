"""How a reader's process talks to the benchmark: a line of JSON for a line of JSON.

A worker loads its reader once and says so; then each line on standard input names the pictures of
one page, and one line on standard output answers with the lines read and the milliseconds that the
reading alone took: opening the file stands outside of the clock. Standard library only, because it
runs in every reader's own environment.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

Said = dict[str, Any]
Read = Callable[[list[str]], Said]


def memory_mb(field: str) -> float:
    """A line of the process's own status: `VmRSS` now, `VmHWM` at its highest."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def since(started: float) -> float:
    """Milliseconds."""
    return (perf_counter() - started) * 1000


def serve(load: Callable[[], tuple[Read, str]]) -> None:
    """Answers until standard input ends. `load` gives what reads a page, and what it is."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints is no answer
    before, started = memory_mb("VmRSS"), perf_counter()
    read, about = load()
    _say(answers, {"ready": True, "about": about, "load_ms": since(started), "before_mb": before})
    for asked in sys.stdin:
        _say(answers, {**_read_safely(read, json.loads(asked)), "peak_mb": memory_mb("VmHWM")})


def _read_safely(read: Read, paths: list[str]) -> Said:
    started = perf_counter()
    try:
        return read(paths)
    except Exception as error:
        # The type alone: messages may quote what was read.
        return {"lines": [], "ms": since(started), "note": f"failed: {type(error).__name__}"}


def _say(answers: Any, said: Said) -> None:
    answers.write(json.dumps(said) + "\n")
    answers.flush()
