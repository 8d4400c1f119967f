"""Runs stages one after the other, each once: what has left its result is not done again."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

from benchmarks.listing.settings import Settings
from benchmarks.listing.stages import Stage
from benchmarks.reading.peers import CannotSetUp, Peer, environment

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = Peer("lists", "", ("lmdb>=1.6,<4", "rocksdict>=0.3.29,<0.4", "numpy>=1.26"))
"""What peers need, in an environment of their own: ours stays as lean as it is."""

_IN_PYTHON = ("", "sqlite")
"""Peers that need no environment of their own: SQLite comes with Python."""

Say = Callable[[str], None]


class Failed(Exception):
    """A stage did not come to its end; the message is one line."""


def run(settings: Settings, stages: Sequence[Stage], say: Say) -> dict[str, str]:
    """Runs what is not done yet. Gives, for each stage that could not be done, why."""
    not_done: dict[str, str] = {}
    for at, stage in enumerate(stages, 1):
        if settings.result(stage.name) is not None:
            say(f"{at}/{len(stages)} {stage.name}: was done before")
            continue
        missing = [need for need in stage.needs if need in not_done]
        try:
            if missing:
                raise Failed(f"needs {missing[0]}, which was not done")
            say(f"{at}/{len(stages)} {stage.name} ...")
            started = perf_counter()
            _run_one(settings, stage, say)
            say(f"{at}/{len(stages)} {stage.name}: {perf_counter() - started:.1f} s")
        except (Failed, CannotSetUp) as failed:
            not_done[stage.name] = str(failed)
            say(f"{at}/{len(stages)} {stage.name}: not done: {failed}")
    return not_done


def _run_one(settings: Settings, stage: Stage, say: Say) -> None:
    python = sys.executable
    if stage.peer not in _IN_PYTHON:
        python = str(environment(LIBRARIES, say))
    calls, arguments = f"{stage.package}.{stage.calls}", json.dumps(stage.arguments)
    command = [python, "-m", "benchmarks.listing.worker", str(settings.work), stage.name]
    command += [calls, arguments]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is for the benchmark alone
    )
    try:
        errors = process.communicate()[1]
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        lines = errors.strip().splitlines() or ["without a word"]
        (settings.work / "results").mkdir(exist_ok=True)
        (settings.work / "results" / f"{stage.name}.error").write_text(errors, encoding="utf-8")
        raise Failed(f"it ended with {process.returncode}: {lines[-1][:200]}")
