"""The command behind `benchmarks/recovery.py`."""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.recovering import losses
from benchmarks.recovering.course import Course
from benchmarks.recovering.keys_changed import keys_changed
from benchmarks.recovering.lists_lost import repository_lost
from benchmarks.written import write

LOSSES: Mapping[str, Callable[[Path, Course], None]] = {
    "central-gone": losses.central_gone,
    "central-gone-postgresql": losses.central_gone_postgresql,
    "database-set-back": losses.database_set_back,
    "broker-gone": losses.broker_gone,
    "repository-lost": repository_lost,
    "authority-lost": losses.authority_lost,
    "card-dead": losses.card_dead,
    "stolen": losses.stolen,
    "keys-changed": keys_changed,
}
"""Each loss, by its name on the command line."""

SAYS = """\
Each row is a command of docs/recovery.md, or a wait, by the wall's clock; every command starts an
interpreter of its own. The desks are `borderpost run` with a scanner, three where nothing else is
said, each with three alerts before the backup, three after it and three while the loss lasted.
What was found true after a recovery stands below it; the run fails where anything of it is not."""

NOT_MEASURED = (
    "Not measured: a network and machines apart (all is loopback, on one disk); installing a "
    "system and the package; bringing a backup from where it is kept; a store of years; a "
    "Raspberry Pi; how long people take to notice, to decide and to travel."
)


def main(given: Sequence[str] | None = None) -> int:
    arguments = _arguments(given)
    if unknown := set(arguments.only) - set(LOSSES):
        print(f"no loss {min(unknown)!r}; there is {', '.join(LOSSES)}", file=sys.stderr)
        return 2
    found: dict[str, Course] = {}
    not_done: dict[str, str] = {}
    Path("build").mkdir(exist_ok=True)
    for name in LOSSES:
        if name not in arguments.only:
            not_done[name] = "not asked for (--only)"
            continue
        try:
            found[name] = recovered(name)
        except Exception as error:
            traceback.print_exc()
            not_done[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    print(markdown(found, not_done))
    if arguments.json:
        write(arguments.json, {name: asdict(one) for name, one in found.items()}, not_done)
    return 0 if set(found) == set(arguments.only) else 1


def recovered(name: str) -> Course:
    """Has one loss come about, and goes the way back."""
    print(f"{name} ...", file=sys.stderr, flush=True)
    course = Course(load=round(os.getloadavg()[0], 1))
    with TemporaryDirectory(dir="build", prefix="recovery-") as folder:
        LOSSES[name](Path(folder).resolve(), course)
    print(f"{name}: {course.seconds:.0f} s", file=sys.stderr, flush=True)
    return course


def markdown(found: Mapping[str, Course], not_done: Mapping[str, str]) -> str:
    """The whole of what is printed."""
    told: list[str] = []
    for name in LOSSES:
        course = found.get(name)
        if course is None:
            told += [f"**{name}**: not measured: {not_done.get(name, 'not run')}", ""]
            continue
        told += [f"**{name}** (load {course.load})", "", "| step | s |", "|---|---|"]
        told += [f"| {step} | {seconds:.1f} |" for step, seconds in course.steps]
        told += [f"| all | {course.seconds:.1f} |", ""]
        told += [f"- {held}" for held in dict.fromkeys(course.held)]
        told.append("")
    return "\n".join([*told, SAYS, NOT_MEASURED])


def _arguments(given: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Lose a part of a site, and bring it back.")
    parser.add_argument(
        "--only", type=lambda names: names.split(","), default=LOSSES, help=f"of {','.join(LOSSES)}"
    )
    parser.add_argument("--json", type=Path, help="write every measurement here")
    return parser.parse_args(given)
