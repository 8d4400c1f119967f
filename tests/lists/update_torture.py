"""Kills updates of a list at random moments and asks the list what it knows afterwards.

    python tests/lists/update_torture.py --kills 350 --shard 1

A list goes through days of deltas and folds, over and over. Each step is run in a process of its
own and killed (SIGKILL): mostly at any moment of the step, every third time within the moments in
which a version is put in force. After each kill the list must be the old version or the new one, by
its manifest, by the records that a walk over it gives, by its previous version, and by the answers
of a desk that has been running all the while. Then the step is run to its end and must come to the
new version. A shard goes on where it was stopped; what all shards came to is added up at the end.

Exit code 1 at the first wrong answer or lost list; the list is then left for inspection.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scanner.mrz.document import Kind
from scanner.watchlist import delta_apply, fold
from scanner.watchlist.activation import parts_of
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import AskedAs, ListDamaged, ListHealth, ListStatus, Question
from scanner.watchlist.lists import Lists
from scanner.watchlist.manifest import PREVIOUS, Manifest, read_manifest
from scanner.watchlist.overlay_scan import scan_version
from scanner.watchlist.questions import Questions
from scanner.watchlist.record_arrays import Records
from scanner.watchlist.records import class_of, rest_of
from scanner.watchlist.version import open_version
from tests.list_versions import DAY_ONE, KEY, NAME, delta_between, put_base
from tests.lists.tally import Tally, together

STATE = Path("build/torture/updates")
RECORDS, ADDED, REMOVED, DAYS = 30_000, 2_000, 1_000, 4
CLOCK = ClockReading(DAY_ONE + timedelta(days=6), True, 0.0, 86400.0)
_STARTED, _ACTIVATING = b"s", b"a"
_LONGEST_ACTIVATION_S = 0.04


class Wrong(Exception):
    """What must not be."""


class _OneKey:
    """Has the torture's key, for its list."""

    def key(self, list_name: str, key_id: str) -> object:
        return KEY


@dataclass(frozen=True)
class Step:
    """One change of the list: what it is called, what makes it, and the version it leads to."""

    what: str
    run: Callable[[Path], object]
    after: Manifest


class World:
    """The versions of the list, what each of them holds, and the steps between them."""

    def __init__(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.pristine, self._folder = folder / "pristine", folder
        self.held: dict[str, Records] = {}
        self.numbers: dict[str, frozenset[int]] = {}
        self.steps: list[Step] = []
        rng = np.random.default_rng(1)
        now = set(range(RECORDS))
        self.first = put_base(self.pristine, _records_of(now))
        self._know(self.first, now)
        line = folder / "line"
        shutil.copytree(self.pristine, line)
        for day in range(DAYS):
            gone = rng.choice(sorted(now), REMOVED, replace=False).tolist()
            now = (now - set(gone)) | set(range(RECORDS + day * ADDED, RECORDS + (day + 1) * ADDED))
            self._add_day(line, day + 2, now)
            if day % 2:
                self._add("fold", lambda lists: fold.fold(lists, NAME, KEY), line, now)

    def _add_day(self, line: Path, version: int, now: set[int]) -> None:
        put_base(self._folder / "built", _records_of(now), version=version)
        delta = self._folder / f"delta-{version}"
        delta_between(line, self._folder / "built", delta)
        self._add(
            "apply", lambda lists: delta_apply.apply_delta(lists, NAME, delta, KEY), line, now
        )

    def _add(self, what: str, run: Callable[[Path], object], line: Path, now: set[int]) -> None:
        run(line)
        self.steps.append(Step(what, run, read_manifest(line, NAME)))
        self._know(self.steps[-1].after, now)

    def _know(self, manifest: Manifest, now: set[int]) -> None:
        self.held[manifest.root()] = _records_of(now)
        self.numbers[manifest.root()] = frozenset(now)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=350, help="kills of this shard, in all")
    parser.add_argument("--shard", type=int, default=1)
    arguments = parser.parse_args()
    STATE.mkdir(parents=True, exist_ok=True)
    tally = Tally(STATE / f"shard-{arguments.shard}.json")
    folder = STATE / f"shard-{arguments.shard}"
    world = World(folder)
    desk = Desk(folder / "lists")
    rng = random.Random(f"{arguments.shard} {tally.kills}")  # noqa: S311 - test data, no secret
    start = time.monotonic()
    try:
        while tally.kills < arguments.kills:
            _go_through(world, desk, rng, tally, arguments.kills)
    except (Wrong, ListDamaged, FileNotFoundError) as wrong:
        print(f"{folder / 'lists'}: {wrong}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"shard {arguments.shard}: {tally.said()}, in {time.monotonic() - start:.0f} s here")
    print(f"all shards: {together(STATE.glob('shard-*.json'))}; 0 wrong answers, 0 lists lost")
    return 0


def _go_through(world: World, desk: "Desk", rng: random.Random, tally: Tally, wanted: int) -> None:
    """All steps from the first version on, each killed a few times before it may end."""
    shutil.rmtree(desk.lists, ignore_errors=True)
    shutil.copytree(world.pristine, desk.lists)
    before = world.first
    for step in world.steps:
        took = 0.3
        for _ in range(rng.randint(1, 5)):
            in_activation = rng.random() < 1 / 3
            spread = _LONGEST_ACTIVATION_S if in_activation else 1.1 * took
            if not _killed(step, desk.lists, in_activation, rng.random() * spread):
                break
            came_to = _check(world, desk, before, step)
            moment = "activate" if in_activation else step.what
            tally.count(f"{moment}, {'new' if came_to == step.after else 'old'} version")
            if tally.kills % 50 == 0:
                print(f"{tally.kills} of {wanted} kills", file=sys.stderr, flush=True)
            if tally.kills >= wanted or came_to == step.after:
                break
        begun = time.monotonic()
        step.run(desk.lists)
        took = time.monotonic() - begun
        _check_done(world, desk, before, step)
        before = step.after
        if tally.kills >= wanted:
            return


def _killed(step: Step, lists: Path, in_activation: bool, delay: float) -> bool:
    """Runs a step in a process of its own and kills it; False where it had ended already."""
    heard, told = os.pipe()
    child = os.fork()
    if not child:
        os.close(heard)
        _run_and_tell(step, lists, told)
    os.close(told)
    try:
        while signalled := os.read(heard, 1):
            if signalled == (_ACTIVATING if in_activation else _STARTED):
                break
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    finally:
        os.close(heard)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise Wrong(f"{step.what} failed by itself")
    return os.WIFSIGNALED(status)


def _run_and_tell(step: Step, lists: Path, told: int) -> None:
    """In the child: says when the step starts and when it puts a version in force."""
    status = 1
    try:
        for module in (delta_apply, fold):
            activate = module.activate

            def telling(lists: Path, manifest: Manifest, activate: object = activate) -> None:
                os.write(told, _ACTIVATING)
                activate(lists, manifest)  # type: ignore[operator]

            module.activate = telling  # type: ignore[attr-defined]
        os.write(told, _STARTED)
        step.run(lists)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class Desk:
    """A desk that asks the list all the while, whatever is done to it."""

    def __init__(self, lists: Path) -> None:
        self.lists = lists
        self._asked = Lists(lists, _OneKey())  # type: ignore[arg-type]

    def check(self, listed: frozenset[int], rng: random.Random) -> None:
        """Raises Wrong where a number is answered otherwise than this version has it."""
        numbers = rng.sample(range(RECORDS + (DAYS + 1) * ADDED), 400)
        for number in numbers:
            asked = Question("UTO", _number(number), Kind.PASSPORT, AskedAs.NUMBER, True)
            inquiry = self._asked.ask(Questions((asked,)), CLOCK)
            state = inquiry.lists[0]
            if state.health is not ListHealth.OK or state.reason:
                raise Wrong(f"the desk is told that the list is {state.health}: {state.reason}")
            if bool(inquiry.matches) != (number in listed):
                raise Wrong(f"the desk is told wrongly of record {number}")


def _check(world: World, desk: Desk, before: Manifest, step: Step) -> Manifest:
    """The list after a kill: the old version or the new, whole. Gives which."""
    now = read_manifest(desk.lists, NAME)
    if now not in (before, step.after):
        raise Wrong(f"version {now.version} is neither the old one nor the new")
    _check_whole(world, desk.lists, now)
    if (desk.lists / f"{NAME}{PREVIOUS}").exists():
        _check_whole(world, desk.lists, read_manifest(desk.lists, NAME, PREVIOUS))
    desk.check(world.numbers[now.root()], random.Random(now.root()))  # noqa: S311
    return now


def _check_done(world: World, desk: Desk, before: Manifest, step: Step) -> None:
    """The list after a step that was not killed: the new version, and nothing left over."""
    if _check(world, desk, before, step) != step.after:
        raise Wrong(f"{step.what} ended and the old version is in force")
    previous = read_manifest(desk.lists, NAME, PREVIOUS)
    named = {*parts_of(desk.lists, step.after), *parts_of(desk.lists, previous)}
    there = {path for path in (desk.lists / NAME).iterdir() if path.name != ".lock"}
    if there != named:
        raise Wrong(f"left over: {sorted(path.name for path in there ^ named)}")


def _check_whole(world: World, lists: Path, manifest: Manifest) -> None:
    """Raises Wrong where a version does not have the records that it had."""
    with closing(open_version(lists, manifest, KEY)) as version:
        records = Records.together(scan_version(version))
    held = world.held[manifest.root()]
    if not (np.array_equal(records.keys, held.keys) and np.array_equal(records.rest, held.rest)):
        raise Wrong(f"version {manifest.version} has other records than it should have")


def _number(number: int) -> str:
    return f"{number:09d}"


def _records_of(numbers: set[int]) -> Records:
    """Numbers as a list holds them, so that a desk can ask for them."""
    lost = class_of(Kind.PASSPORT, ListStatus.LOST)
    return Records.of(sorted(_record(number, lost) for number in numbers))


def _record(number: int, class_byte: int) -> tuple[int, int]:
    text = _number(number)
    return KEY.key("UTO", text), rest_of(class_byte, KEY.exact("UTO", text) & 0xFFFF, 27_000)


if __name__ == "__main__":
    sys.exit(main())
