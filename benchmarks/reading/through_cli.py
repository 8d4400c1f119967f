"""Our reader as everyone else meets it: `borderpost scan --json` over the files.

One process reads all pictures in the order given and answers a line of JSON each. Its `ms.total` is
the time from the decoded picture to the verdict: a little more work than the reader's alone.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.reading.contest import COLD_STARTS, Contestant, Progress
from benchmarks.reading.marks import Answer, mark
from benchmarks.reading.memory import Watch
from benchmarks.reading.pages import Page
from benchmarks.reading.process import ONE_THREAD
from scanner.mrz.reading import Status

SUFFIX = "-scan"

_AT_ONCE = 500
"""So many paths fit on one command line."""


def contestant(reader: str) -> Contestant:
    command = [sys.executable, "-c", "from firmware.cli import main; main()"]
    command += ["scan", "--json", "--reader", reader]
    about = f"{reader} through borderpost scan"
    return Contestant(f"{reader}{SUFFIX}", command, ours=True, about=about)


def run(
    pages: Sequence[Page], one: Contestant, progress: Progress, cold_starts: int = COLD_STARTS
) -> None:
    """Marks every page; whoever stops it keeps the marks so far."""
    if any(len(page.paths) > 1 for page in pages):
        one.not_run = "scan reads each picture as a document of its own"
        return
    for first in range(0, len(pages), _AT_ONCE):
        some = pages[first : first + _AT_ONCE]
        for page, said in zip(some, _scan(one, some), strict=False):
            one.marks[page.key] = mark(page, _answer(said))
            progress(one.name, one.marks[page.key], len(one.marks), len(pages))
    if len(one.marks) < len({page.key for page in pages}):
        one.not_run = f"borderpost scan ended after {len(one.marks)} of {len(pages)} pages"
    elif cold_starts:
        one.cold_ms = median(_cold(one, pages[0]) for _ in range(cold_starts))


def _scan(one: Contestant, pages: Sequence[Page]) -> Iterator[dict[str, Any]]:
    command = [*one.command, *(str(page.paths[0]) for page in pages)]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **ONE_THREAD},
        start_new_session=True,
    ) as process:
        watch = Watch(process.pid)
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe
            for line in process.stdout:
                yield json.loads(line)
        finally:
            watch.stop()
            one.peak_mb = max(one.peak_mb, watch.peak_mb)
            process.kill()


def _answer(said: dict[str, Any]) -> Answer:
    reading, error = said.get("reading"), said.get("error")
    ms = said["ms"]["total"]
    if reading is None:
        return Answer((), ms, Status.UNREADABLE, error["code"] if error else None)
    return Answer(tuple(reading["lines"]), ms, Status(reading["status"]))


def _cold(one: Contestant, page: Page) -> float:
    """From the start of the command to its first line of JSON."""
    started = perf_counter()
    for _ in _scan(one, [page]):
        break
    return (perf_counter() - started) * 1000
