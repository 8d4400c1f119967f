"""Cuts a device's power at random moments, and looks each time at what it promised.

    python tests/powercut/torture.py --cuts 200

A device is a guest of User Mode Linux (`tests/powercut/machine.py`), and a cut is the end of its
kernel. Three kinds of work are cut, each in shards of its own: a desk that commits hits and tells
headquarters of them, a device that updates its list from day to day, and one that renews its
certificate. A device lives through a few cuts and then makes way for a new one, so that the first
start is cut as well. After each cut it comes up as a device does that nobody looks after (`fsck
-p`), and

- every alert that was shown is in the outbox and once in the journal, whose chain holds from the
  head that was noted, and in the end each came to headquarters and was shown there once;
- the list answers as the version in force does, and no role's trust is below what was reached;
- the identity is whole, no older than was said, and believed by headquarters;
- a file that was synced is there. How often one that was not synced is lost, is counted.

A shard goes on where it was stopped; what all came to is added up at the end. `--control` runs each
kind of work on a disk that is never synced, and fails unless that is found out. Exit code 1 at the
first wrong answer; the device's disk is then left for inspection.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from scanner.durable import replace_durably
from tests.lists.tally import Tally, together
from tests.powercut.console import Message, Wrong
from tests.powercut.headquarters import SIDES
from tests.powercut.machine import Machine, is_here, make_disk

STATE = Path("build/powercut")
LIVES = 12
"""How many cuts a device lives through."""
LONGEST_WORK_S = {"hits": 4.0, "updates": 1.0, "renewals": 2.0}
"""The longest that a life works before its cut."""
CONTROL_CUTS = 20
UP_WITHIN_S = 180.0
WHILE_COMING_UP = 0.15
"""How often the power is cut before the work begins."""


class Shard:
    """One kind of work in `folder`; `cuts` and `canaries` count on. So often as `early` says the
    power is cut before the work begins, else after a time within `works_s`."""

    def __init__(
        self,
        work: str,
        folder: Path,
        cuts: Tally,
        canaries: Tally,
        *,
        lying: bool = False,
        early: float = WHILE_COMING_UP,
        works_s: tuple[float, float] | None = None,
    ) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._name = f"{work}-lying" if lying else work
        self._cuts, self._canaries = cuts, canaries
        self._early, self._works_s = early, works_s or (0.0, LONGEST_WORK_S[work])
        self.side = SIDES[work](folder)
        self._rng = random.Random(f"{folder.name} {cuts.kills}")  # noqa: S311
        self._image = folder / "disk.ext4"
        self._life = 0
        self._up_s = 5.0
        """How long it took last to come up."""
        self._unseen: list[str] = []
        """The cuts whose consequences were not looked at yet; none of them is counted."""
        self._set: dict[str, int] = {}
        """The canaries that were said to be set."""
        self.last_lines: list[str] = []

    @property
    def cuts(self) -> int:
        """How many cuts there were, those included that were not looked at yet."""
        return self._cuts.kills + len(self._unseen)

    def torture(self, wanted: int) -> None:
        """Goes on until `wanted` cuts are counted. Raises Wrong."""
        with self.side.open():
            while self._cuts.kills < wanted:
                self._begin()
                for _ in range(min(LIVES, wanted - self._cuts.kills)):
                    if self._live():
                        break
                self._end()
                self.side.finish()

    def _begin(self) -> None:
        content = self._folder / "content"
        shutil.rmtree(content, ignore_errors=True)
        content.mkdir()
        self.side.begin(content)
        make_disk(self._image, content)
        self._set = {}

    def _start(self, *, last: bool = False) -> Machine:
        self._life += 1
        known: Message = {"life": self._life, "canaries": self._set, "last": last}
        replace_durably(
            self._folder / "known.json", json.dumps({**known, **self.side.known()}).encode()
        )
        return Machine(self._image, self._name, self._folder.resolve())

    def _live(self) -> bool:
        """One life, up to its cut. True where there is nothing left for the device to do."""
        machine = self._start()
        started = time.monotonic()
        early = self._rng.random() < self._early
        until = started + (self._rng.uniform(0.3, 1.1) * self._up_s if early else UP_WITHIN_S)
        phase, over = "coming up", False
        try:
            for message in machine.messages(until):
                self._hear(message, machine)
                over |= message["said"] == "over"
                if message["said"] == "ready":
                    phase = "at work"
                    self._up_s = time.monotonic() - started
                if phase == "at work" or over:
                    break
            if phase == "at work":
                worked = self._rng.uniform(*self._works_s)
                for message in machine.messages(time.monotonic() + worked):
                    self._hear(message, machine)
                    if over := message["said"] == "over":
                        break
            if machine.ended and not over:
                raise Wrong("it came to an end by itself")
            if phase == "coming up" and not (early or over):
                raise Wrong(f"it does not come up within {UP_WITHIN_S:.0f} s")
        finally:
            rest = machine.cut()
            self.last_lines = list(machine.last_lines)
        for message in rest:
            self._hear(message, machine)
        self._unseen.append(phase)
        return over

    def _end(self) -> None:
        """The device comes up once more, looks, tells headquarters what it has to tell, and is shut
        down."""
        machine = self._start(last=True)
        said = set()
        try:
            for message in machine.messages(time.monotonic() + UP_WITHIN_S):
                self._hear(message, machine)
                said.add(message["said"])
        finally:
            machine.cut()
            self.last_lines = list(machine.last_lines)
        if not {"ended", "unmounted"} <= said:
            raise Wrong("the device does not come to an end")

    def _hear(self, message: Message, machine: Machine) -> None:
        match message["said"]:
            case "wrong":
                raise Wrong(message["why"])
            case "fsck" if message["code"] > 1:
                raise Wrong(f"fsck -p ended with {message['code']}: a repair by hand is needed")
            case "canary set":
                self._set[message["name"]] = message["number"]
            case "canary":
                self._set.pop(message["name"], None)
                kept = "kept" if message["kept"] else "lost"
                self._canaries.count(f"{message['name']} {kept}")
                if message["name"] == "synced" and not message["kept"]:
                    raise Wrong("a file that was synced is gone")
        self.side.hear(message, machine)
        if message["said"] == "checked":
            for phase in self._unseen:
                self._cuts.count(phase)
            self._unseen.clear()


def tallies(work: str, shard: int) -> tuple[Tally, Tally]:
    """What a shard has counted so far: cuts, and canaries."""
    return (
        Tally(STATE / f"{work}-{shard}.json"),
        Tally(STATE / f"canaries-{work}-{shard}.json"),
    )


def run(work: str, shard: int, wanted: int) -> bool:
    """One shard up to `wanted` cuts; says what came of it, and whether all is well."""
    cuts, canaries = tallies(work, shard)
    start = time.monotonic()
    if cuts.kills < wanted:
        one = Shard(work, STATE / f"{work}-{shard}", cuts, canaries)
        try:
            one.torture(wanted)
        except Wrong as wrong:
            print("\n".join(one.last_lines), file=sys.stderr)
            print(f"{STATE / f'{work}-{shard}'}: {wrong}", file=sys.stderr)
            return False
        shutil.rmtree(STATE / f"{work}-{shard}")
        print(f"{work}, shard {shard}: {one.side.total} promises kept here", flush=True)
    print(f"{work}, shard {shard}: {cuts.said()}, in {time.monotonic() - start:.0f} s here")
    return True


def control(work: str) -> bool:
    """Runs a work on a disk that is never synced; says whether that was found out."""
    folder = STATE / f"control-{work}"
    paths = folder.with_suffix(".json"), folder.with_suffix(".canaries.json")
    for path in paths:
        path.unlink(missing_ok=True)
    cuts, canaries = map(Tally, paths)
    one = Shard(work, folder, cuts, canaries, lying=True)
    try:
        one.torture(CONTROL_CUTS)
    except Wrong as wrong:
        print(f"{work} without syncs: found out after {one.cuts} cuts: {wrong}", flush=True)
        return True
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        for path in paths:
            path.unlink(missing_ok=True)
    print(f"{work} without syncs: NOT found out in {cuts.kills} cuts", file=sys.stderr)
    return False


def said_of_all() -> str:
    """What every shard of every work has come to."""
    lines = [f"{work}: {together(STATE.glob(f'{work}-*.json'))}" for work in SIDES]
    canaries = Tally(STATE / "none.json").counts
    for path in STATE.glob("canaries-*.json"):
        canaries += Tally(path).counts
    total = sum(Tally(path).kills for work in SIDES for path in STATE.glob(f"{work}-*.json"))
    told = ", ".join(f"{what} {count}" for what, count in sorted(canaries.items()))
    return "\n".join((*lines, f"canaries: {told}", f"{total} cuts in all"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=340, help="cuts of each work, in this shard")
    parser.add_argument("--shard", type=int, default=1)
    parser.add_argument("--only", choices=sorted(SIDES), help="one kind of work")
    parser.add_argument("--control", action="store_true", help="find out disks that never sync")
    arguments = parser.parse_args()
    if not is_here():
        print("linux.uml or mke2fs is not here; Debian has them in user-mode-linux and e2fsprogs")
        return 1
    STATE.mkdir(parents=True, exist_ok=True)
    works = [arguments.only] if arguments.only else list(SIDES)
    if arguments.control:
        return 0 if all([control(work) for work in works]) else 1
    well = all(run(work, arguments.shard, arguments.cuts) for work in works)
    print(said_of_all())
    print("0 promises broken" if well else "a promise is broken")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
