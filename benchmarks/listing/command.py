"""The command behind `benchmarks/lists.py`."""

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter

from benchmarks.listing.figures import figures_of
from benchmarks.listing.running import run
from benchmarks.listing.settings import ALL_PEERS, Settings
from benchmarks.listing.stages import stages_of, with_needs
from benchmarks.listing.telling import markdown
from benchmarks.written import write

_BYTES_A_RECORD = 230
"""What all stores, columns and folds of a run take on the disk together, at their most."""
_BYTES_A_ROW = 400
_BYTES_AT_LEAST = 256 << 20


class Unusable(Exception):
    """What was asked for cannot be done; the message is one line."""


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    try:
        return _measure(arguments)
    except (ValueError, OSError, Unusable) as error:
        print(f"benchmarks/lists.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped; the same command goes on where this one was", file=sys.stderr)
        return 130


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the list engine beside open stores.")
    parser.add_argument("--records", type=int, required=True, help="how many the list holds")
    parser.add_argument("--peers", default=",".join(ALL_PEERS), help="of these, or none")
    parser.add_argument("--work", type=Path, help="work folder (default: in your cache)")
    parser.add_argument("--json", type=Path, help="write every measurement here")
    parser.add_argument("--only", help="stages, by commas; NAME* for all that begin so")
    parser.add_argument("--keep", action="store_true", help="leave the work folder when done")
    parser.add_argument("--seed", type=int, default=Settings.seed)
    for name, told in (
        ("probes", "random keys that are not listed"),
        ("asked", "keys that are asked warm"),
        ("cold", "keys that are asked cold"),
        ("csv_rows", "rows of the larger source file"),
        ("days", "daily deltas that are folded"),
        ("adds", "records that a day adds"),
        ("removals", "records that a day removes"),
        ("travellers", "clean travellers of each format"),
    ):
        default = getattr(Settings, name)
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=default, help=f"{told} ({default})"
        )
    return parser.parse_args(given)


def _measure(arguments: argparse.Namespace) -> int:
    settings = _settings(arguments)
    every = stages_of(settings)
    stages = with_needs(arguments.only.split(","), every) if arguments.only else every
    check_room(
        settings,
        settings.records * _BYTES_A_RECORD + settings.csv_rows * _BYTES_A_ROW + _BYTES_AT_LEAST,
    )
    settings.write()
    started = perf_counter()
    not_done = run(settings, stages, say)
    for stage in every:
        if settings.result(stage.name) is None:
            not_done.setdefault(stage.name, "not asked for (--only)")
    results = {stage.name: settings.result(stage.name) for stage in every}
    figures = figures_of(settings, not_done)
    print(markdown(settings, figures))
    if arguments.json:
        write(
            arguments.json,
            results,
            not_done,
            settings={**asdict(settings), "work": str(settings.work)},
        )
    say(f"this run took {perf_counter() - started:.0f} s")
    if not_done:
        say(f"{settings.work} is kept: not every stage is done")
    elif not arguments.keep:
        shutil.rmtree(settings.work)
    return 0


def _settings(arguments: argparse.Namespace) -> Settings:
    if arguments.records < 2:
        raise Unusable("a list of at least 2 records is needed")
    return Settings(
        work_folder(arguments.work, f"lists-{arguments.records}-{arguments.seed}"),
        arguments.records,
        arguments.seed,
        peers_named(arguments.peers, ALL_PEERS),
        arguments.probes,
        arguments.asked,
        arguments.cold,
        arguments.csv_rows,
        arguments.adds,
        arguments.removals,
        arguments.days,
        arguments.travellers,
    )


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


def check_room(settings: Settings, wanted: int) -> None:
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


def say(line: str) -> None:
    """Tells how far a run is."""
    print(line, file=sys.stderr, flush=True)
