"""What the benchmarks of stages have in common as programs: a run that is stopped goes on where it
was, room on the disk is checked first, and what was not measured is told with its reason."""

import argparse
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from benchmarks.listing.running import run
from benchmarks.listing.settings import Settings
from benchmarks.listing.stages import Stage, with_needs
from benchmarks.written import write

BYTES_AT_LEAST = 256 << 20
"""Of the disk, for a run of any size."""


class Unusable(Exception):
    """What was asked for cannot be done; the message is one line."""


@dataclass(frozen=True)
class Program:
    """One benchmark: its arguments, what it does with them, how many bytes of the disk it takes at
    its most, and what it tells of a run of which some stages were not done."""

    name: str
    arguments: argparse.ArgumentParser
    settings: Callable[[argparse.Namespace], Settings]
    stages: Callable[[Settings, argparse.Namespace], list[Stage]]
    room: Callable[[Settings], int]
    told: Callable[[Settings, Mapping[str, str]], str]


def arguments_of(description: str, peers: Sequence[str]) -> argparse.ArgumentParser:
    """The arguments that every such program has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--records", type=int, required=True, help="how many the list holds")
    parser.add_argument("--peers", default=",".join(peers), help="of these, or none")
    parser.add_argument("--work", type=Path, help="work folder (default: in your cache)")
    parser.add_argument("--json", type=Path, help="write every measurement here")
    parser.add_argument("--only", help="stages, by commas; NAME* for all that begin so")
    parser.add_argument("--keep", action="store_true", help="leave the work folder when done")
    return parser


def go(program: Program, given: Sequence[str] | None) -> int:
    """Runs it; gives the exit code."""
    arguments = program.arguments.parse_args(given)
    try:
        _measure(program, arguments)
    except (ValueError, OSError, Unusable) as error:
        print(f"{program.name}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on where this one was", file=sys.stderr)
        return 130
    return 0


def peers_named(said: str, known: Sequence[str]) -> tuple[str, ...]:
    """The peers in a list by commas, or none. Raises Unusable."""
    peers = () if said == "none" else tuple(said.split(","))
    for name in peers:
        if name not in known:
            raise Unusable(f"no peer {name!r}; there is {', '.join(known)}, or none")
    return peers


def work_folder(given: Path | None, name: str) -> Path:
    """The work folder that was given, or else one in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (given or cache / "borderpost" / name).resolve()


def _measure(program: Program, arguments: argparse.Namespace) -> None:
    if arguments.records < 2:
        raise Unusable("a list of at least 2 records is needed")
    settings = program.settings(arguments)
    every = program.stages(settings, arguments)
    stages = with_needs(arguments.only.split(","), every) if arguments.only else every
    _check_room(settings, program.room(settings))
    settings.write()
    started = perf_counter()
    not_done = run(settings, stages, _say)
    for stage in every:
        if settings.result(stage.name) is None:
            not_done.setdefault(stage.name, "not asked for (--only)")
    print(program.told(settings, not_done))
    if arguments.json:
        results = {stage.name: settings.result(stage.name) for stage in every}
        said = {**asdict(settings), "work": str(settings.work)}
        write(arguments.json, results, not_done, settings=said)
    _say(f"this run took {perf_counter() - started:.0f} s")
    if not_done:
        _say(f"{settings.work} is kept: not every stage is done")
    elif not arguments.keep:
        shutil.rmtree(settings.work)


def _check_room(settings: Settings, wanted: int) -> None:
    """Raises Unusable where the disk is too small; what lies there of this run already counts."""
    folder = settings.work
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free + there < wanted:
        raise Unusable(
            f"{folder}: {free / 1e9:.1f} GB are free and this run needs {wanted / 1e9:.1f} GB; "
            "name another folder with --work, or fewer --records"
        )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
