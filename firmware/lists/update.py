"""`borderpost list update`: fetches what is published, once, from the configured server or from a
folder such as a USB stick, and leaves what became of it for central in the desk's outbox."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import TextIO

import typer

from firmware.choice import chosen_lists, configured_clock
from firmware.clock import DeviceClock
from firmware.database import DiskFault
from firmware.delivery.outbox import Outbox
from firmware.lists.rollouts import Rollouts
from firmware.lists.updater import Busy, told, update
from firmware.progress import CLEAR, span_left
from firmware.settings import Settings, load
from firmware.updates.attempt import Outcome, Result
from firmware.updates.download import Interrupted
from firmware.updates.plan import PlanUnusable, plan_of
from scanner.command_line import Failure, Refusal

_WORD_EVERY_S = 30.0


def list_update(config: Path, source: Path | None, *, as_json: bool) -> None:
    """Brings each list of the configuration to what is published, from `source` if one is given.
    Raises Refusal, Failure; ends with exit code 1 where a list did not come to it."""
    settings = load(config)
    try:
        chosen = chosen_lists(None, None, settings)
        clock = configured_clock(settings)
        plan = plan_of(settings, chosen.lists(), chosen.keys, clock, source)
    except PlanUnusable as unusable:
        raise Refusal(str(unusable)) from None
    stop, line = Event(), Line(sys.stderr)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        results = update(plan, stop, line)
    except Busy as busy:
        raise Failure(str(busy)) from None
    except Interrupted:
        raise Failure("interrupted; the same command goes on where it was") from None
    finally:
        line.make_room()
    for result in results:
        print(json.dumps(asdict(result)) if as_json else told(result), flush=True)
    _tell_central(settings, plan.ring, results, clock)
    if any(result.outcome not in (Outcome.UPDATED, Outcome.CURRENT) for result in results):
        raise typer.Exit(1)


def _tell_central(settings: Settings, ring: str, results: list[Result], clock: DeviceClock) -> None:
    """Puts the results into the desk's outbox; whether the desk runs does not matter. The file is
    not begun for somebody else: the desk could not write into it."""
    data = settings.device.data
    path = data / "outbox.db"
    if not path.exists() and data.stat().st_uid != os.geteuid():
        return
    outbox = Outbox(path, settings.device.name, marks=b"")
    try:
        for result in results:
            Rollouts(outbox, ring, clock.now).tell(result)
    except DiskFault as fault:
        print(f"borderpost: central is not told of this: {fault}", file=sys.stderr)
    finally:
        outbox.close()


class Line:
    """How far an update is: a line that changes on a terminal, a line now and then elsewhere.
    Without a `stream` (standard error may be closed) nothing is told."""

    def __init__(self, stream: TextIO | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._live = bool(stream and stream.isatty())
        self._list = ""
        self._began = self._said = clock()
        self._begun = 0

    def __call__(self, name: str, done: int, total: int) -> None:
        """So many bytes of so many have come of a list."""
        now = self._clock()
        if name != self._list:
            self._list, self._began, self._begun = name, now, done
        if self._live:
            self._write(f"{CLEAR}{self._told(now, done, total)}")
        elif now - self._said >= _WORD_EVERY_S:
            self._said = now
            self._write(f"{self._told(now, done, total)}\n")

    def make_room(self) -> None:
        """Takes the changing line away, before something else is written to the terminal."""
        if self._live:
            self._write(CLEAR)

    def _told(self, now: float, done: int, total: int) -> str:
        come = f"list {self._list}: {done >> 10:,} of {total >> 10:,} kB"
        if done >= total:
            return f"{come}; putting it together"
        came, spent = done - self._begun, now - self._began
        left = f", {span_left(spent / came * (total - done))} left" if came and spent > 1 else ""
        return f"{come}, {done / total:.0%}{left}"

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()
