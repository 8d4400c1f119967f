"""The command behind `benchmarks/updates.py`."""

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from benchmarks.listing.command import (
    Unusable,
    check_room,
    peers_named,
    say,
    work_folder,
)
from benchmarks.listing.figures import figures_of
from benchmarks.listing.running import run
from benchmarks.listing.settings import Settings
from benchmarks.listing.stages import UPDATED, with_needs
from benchmarks.updating.rows import ROWS
from benchmarks.updating.stages import stages_of
from benchmarks.updating.telling import markdown
from benchmarks.written import write

_BYTES_A_RECORD = 200
"""Columns, peers' stores, and every base that repository and devices keep, together."""
_BYTES_AT_LEAST = 256 << 20


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    try:
        return _measure(arguments)
    except (ValueError, OSError, Unusable) as error:
        print(f"benchmarks/updates.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on where this one was", file=sys.stderr)
        return 130


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure updates over the air.")
    parser.add_argument("--records", type=int, required=True, help="how many the list holds")
    parser.add_argument("--peers", default=",".join(UPDATED), help="of these, or none")
    parser.add_argument("--work", type=Path, help="work folder (default: in your cache)")
    parser.add_argument("--json", type=Path, help="write every measurement here")
    parser.add_argument("--only", help="stages, by commas; NAME* for all that begin so")
    parser.add_argument("--keep", action="store_true", help="leave the work folder when done")
    parser.add_argument("--days", type=int, default=66, help="that are published (66)")
    parser.add_argument("--devices", type=int, default=1000, help="of the fleet (1000)")
    parser.add_argument("--cuts", type=int, default=25, help="of the base's link (25)")
    return parser.parse_args(given)


def _measure(arguments: argparse.Namespace) -> int:
    settings = Settings(
        work_folder(arguments.work, f"updates-{arguments.records}-{arguments.days}"),
        arguments.records,
        peers=peers_named(arguments.peers, UPDATED),
        asked=1,
        cold=1,
        days=arguments.days,
    )
    every = stages_of(settings, arguments.cuts, arguments.devices)
    stages = with_needs(arguments.only.split(","), every) if arguments.only else every
    check_room(settings, settings.records * _BYTES_A_RECORD + _BYTES_AT_LEAST)
    settings.write()
    started = perf_counter()
    not_done = run(settings, stages, say)
    for stage in every:
        if settings.result(stage.name) is None:
            not_done.setdefault(stage.name, "not asked for (--only)")
    print(markdown(settings, figures_of(settings, not_done, ROWS)))
    if arguments.json:
        results = {stage.name: settings.result(stage.name) for stage in every}
        said = {**asdict(settings), "work": str(settings.work)}
        write(arguments.json, results, not_done, settings=said)
    say(f"this run took {perf_counter() - started:.0f} s")
    if not_done:
        say(f"{settings.work} is kept: not every stage is done")
    elif not arguments.keep:
        shutil.rmtree(settings.work)
    return 0
