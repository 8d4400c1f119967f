"""`borderpost list update`: fetches what is published, once, from the configured server or from a
folder such as a USB stick."""

import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path
from threading import Event

import typer

from firmware.choice import chosen_lists, configured_clock
from firmware.settings import load
from firmware.updater import Busy, told, update
from firmware.updates.bring import Outcome
from firmware.updates.download import Interrupted
from firmware.updates.plan import PlanUnusable, plan_of
from scanner.command_line import Failure, Refusal


def list_update(config: Path, source: Path | None, *, as_json: bool) -> None:
    """Brings each list of the configuration to what is published, from `source` if one is given.
    Raises Refusal, Failure; ends with exit code 1 where a list did not come to it."""
    settings = load(config)
    try:
        chosen = chosen_lists(None, None, settings)
        plan = plan_of(settings, chosen.lists(), chosen.keys, configured_clock(settings), source)
    except PlanUnusable as unusable:
        raise Refusal(str(unusable)) from None
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        results = update(plan, stop, _Line())
    except Busy as busy:
        raise Failure(str(busy)) from None
    except Interrupted:
        raise Failure("interrupted; the same command goes on where it was") from None
    for result in results:
        print(json.dumps(asdict(result)) if as_json else told(result), flush=True)
    if any(result.outcome not in (Outcome.UPDATED, Outcome.CURRENT) for result in results):
        raise typer.Exit(1)


class _Line:
    """A line on standard error that changes as bytes come in, on a terminal alone."""

    def __init__(self) -> None:
        self._live = bool(sys.stderr and sys.stderr.isatty())

    def __call__(self, name: str, done: int, total: int) -> None:
        if self._live:
            end = "\n" if done >= total else ""
            line = f"\rlist {name}: {done >> 10} of {total >> 10} kB "
            print(line, end=end, file=sys.stderr, flush=True)
