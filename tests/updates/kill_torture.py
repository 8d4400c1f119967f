"""Kills updates over the air at random moments, and asks desk and trust what they know afterwards.

    python tests/updates/kill_torture.py --kills 500

Headquarters publish a list day by day: deltas, and now and then a new base. A device, new or some
days old, updates to one day after the other through a web server, each time in a process of its
own that is killed a few times on the way (`tests/updates/killed.py`): while it verifies and keeps
metadata, downloads, puts a version together, folds, activates, asks for canaries. After each kill

- the version in force is the one before or the one published, and so is the one to go back to;
- a desk that has been running all the while answers every number as that version has it, canaries
  among them, and is told of no damage;
- no role's version is below what was reached before, and a repository of an earlier day is refused.

Then the update is run to its end: the version that was published is in force, and nothing is left
over. A shard goes on where it was stopped; what all shards came to is added up at the end. Exit
code 1 at the first wrong answer; the device is then left for inspection.
"""

import argparse
import os
import random
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tuf.api.metadata import Metadata

from benchmarks.updating.served import served
from firmware.lists.updater import Plan
from firmware.updates.floor import Floor
from firmware.updates.repository import FolderRepository, WebRepository
from firmware.updates.trust import Refused, Trust
from scanner.mrz.document import Kind
from scanner.watchlist.activation import parts_of
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import AskedAs, ListHealth, Question
from scanner.watchlist.manifest import IN_FORCE, PREVIOUS, Manifest, read_manifest
from scanner.watchlist.publication import Publication
from scanner.watchlist.questions import Questions
from tests.listing import lists_in
from tests.lists.tally import Tally, together
from tests.updates import killed
from tests.updates.over_the_air import CANARIES, LIST, Device, Headquarters

STATE = Path("build/torture/over-the-air")
_ASKED = 40


class Wrong(Exception):
    """What must not be."""


@dataclass(frozen=True)
class Sizes:
    """Records of the first version, what each day adds and removes, how many days."""

    records: int = 30_000
    added: int = 2_000
    removed: int = 500
    days: int = 7


class World:
    """The repository as it was on each day, and what each version knows."""

    def __init__(self, folder: Path, sizes: Sizes) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        self.days = folder / "days"
        self.publications: list[Publication] = []
        self.listed: dict[str, frozenset[str]] = {}
        headquarters = Headquarters(folder / "headquarters")
        headquarters.begin()
        self.root = headquarters.root
        headquarters.add(*(f"R{number:06}" for number in range(sizes.records)))
        for day in range(sizes.days):
            gone = range((day - 1) * sizes.removed, day * sizes.removed) if day else ()
            headquarters.build(
                *(f"D{day}{number:06}" for number in range(sizes.added)),
                without=tuple(f"R{number:06}" for number in gone),
            )
            publication = headquarters.publish(base=day % 3 == 2)
            self.publications.append(publication)
            known = frozenset(headquarters.rows)
            for step in publication.steps:
                if step.to_version == publication.version:
                    self.listed[step.to_root] = known
            self.listed[publication.root] = known
            kept = self.days / str(day)
            shutil.copytree(headquarters.repository.folder, kept, copy_function=os.link)
        self.ever = sorted(frozenset().union(*self.listed.values()))


class Desk:
    """A device that updates, and its desk, which asks the list all the while. Its folder is begun
    anew, or goes on."""

    def __init__(self, world: World, folder: Path, url: str, *, anew: bool = True) -> None:
        if anew:
            shutil.rmtree(folder, ignore_errors=True)
        self.device = Device(folder, world.root)
        self._world, self._url = world, url
        self._lists = lists_in(self.device.lists)
        self._reached: dict[str, int] = {}
        self.day = -1
        """The last day that it came to."""
        self.like: killed.Ended | None = None
        """How its longest attempt went that was not killed."""

    def plan(self, day: int) -> Plan:
        return self.device.plan(WebRepository(f"{self._url}/{day}"))

    def check(self, day: int, rng: random.Random) -> None:
        """Raises Wrong where list or trust are not as they were before the update to `day`, or as
        they are after it."""
        publications = self._world.publications
        allowed = {publications[one].root for one in (self.day, day) if one >= 0}
        now = self._manifest(IN_FORCE)
        if now is not None and now.root() not in allowed:
            raise Wrong(f"version {now.version} is in force, neither the old one nor the new")
        if now is None and self.day >= 0:
            raise Wrong("no version is in force any more")
        previous = self._manifest(PREVIOUS)
        if previous is not None and previous.root() not in self._world.listed:
            raise Wrong(f"version {previous.version} is to be gone back to, and nobody signed it")
        self._ask(now, rng)
        self._check_trust(rng)

    def check_done(self, day: int, rng: random.Random) -> None:
        """The same after an update that came to its end, which leaves nothing over."""
        self.day = day
        self.check(day, rng)
        device = self.device
        names = [device.manifest(), self._manifest(PREVIOUS)]
        named = {part for one in names if one for part in parts_of(device.lists, one)}
        there = {path for path in (device.lists / LIST).iterdir() if path.name != ".lock"}
        left = there ^ named
        left |= set((device.lists / ".fetched" / LIST).iterdir())
        for folder in (
            device.folder,
            device.folder / "trust",
            device.folder / "trust/root_history",
        ):
            left |= set(folder.glob(".*")) - {device.folder / ".updating"}
        if left:
            raise Wrong(f"left over: {sorted(str(path) for path in left)}")

    def _ask(self, now: Manifest | None, rng: random.Random) -> None:
        numbers = [*rng.sample(self._world.ever, _ASKED), *(one.number for one in CANARIES)]
        clock = ClockReading(datetime.now(UTC), True, 0.0, float("inf"))
        for number in numbers:
            asked = Question("UTO", number, Kind.PASSPORT, AskedAs.NUMBER, exact=True)
            inquiry = self._lists.ask(Questions((asked,)), clock)
            health = inquiry.lists[0].health if inquiry.lists else ListHealth.MISSING
            if now is None:
                if health is not ListHealth.MISSING:
                    raise Wrong(f"there is no list, and the desk is told that it is {health}")
            elif health is not ListHealth.OK or inquiry.lists[0].reason:
                raise Wrong(f"the list is told to be {health}: {inquiry.lists[0].reason}")
            elif bool(inquiry.matches) != (number in self._world.listed[now.root()]):
                raise Wrong(f"the desk is told wrongly of {number}")

    def _check_trust(self, rng: random.Random) -> None:
        reached = self._versions()
        for role, version in self._reached.items():
            if reached.get(role, 0) < version:
                raise Wrong(f"trust in {role} went back from {version} to {reached.get(role, 0)}")
        self._reached = reached
        if self.day < 1:
            return
        old = rng.randrange(self.day)
        copy = self.device.folder.with_name("trust-copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(
            self.device.folder, copy, symlinks=True, ignore=shutil.ignore_patterns("lists", ".*")
        )
        trust = Trust(copy / "trust", copy / "floor.json", self._world.root, self.device.now)
        try:
            with trust.refreshed(FolderRepository(self._world.days / str(old)), (LIST,), "all"):
                raise Wrong(f"the repository of day {old} is believed after that of {self.day}")
        except Refused as refused:
            if refused.code != "rollback":
                raise Wrong(f"the repository of day {old} is refused for {refused}") from None

    def _versions(self) -> dict[str, int]:
        """The versions that the kept metadata has, or its floor where that is higher."""
        folder = self.device.folder
        reached = dict(Floor(folder / "floor.json").versions())
        for path in (folder / "trust").glob("[a-z]*.json"):
            role = path.name.removesuffix(".json")
            version = Metadata.from_bytes(path.read_bytes()).signed.version
            reached[role] = max(version, reached.get(role, 0))
        return reached

    def _manifest(self, suffix: str) -> Manifest | None:
        with suppress(FileNotFoundError):
            return read_manifest(self.device.lists, LIST, suffix)
        return None


def torture(folder: Path, sizes: Sizes, tally: Tally, wanted: int, seed: str) -> None:
    """Goes on until `wanted` kills are counted. Raises Wrong, killed.Failed."""
    world = World(folder / "world", sizes)
    rng = random.Random(f"{seed} {tally.kills}")  # noqa: S311 - no secret
    like: killed.Ended | None = None
    with served(world.days) as server:
        while tally.kills < wanted:
            desk = Desk(world, folder / "device", server.url)
            desk.like = like
            day = rng.randrange(sizes.days)
            while day < sizes.days and tally.kills < wanted:
                _update(desk, day, rng, tally, wanted)
                day += rng.randint(1, 3)
            like = desk.like


def _update(desk: Desk, day: int, rng: random.Random, tally: Tally, wanted: int) -> None:
    """Updates a desk to a day; killed some times, then not."""
    for _ in range(min(rng.randint(1, 6), wanted - tally.kills)):
        ended = killed.run(desk.plan(day), killed.chosen(rng, desk.like))
        if not ended.killed:
            break
        desk.check(day, rng)
        tally.count(ended.phase)
        if tally.kills % 50 == 0:
            print(f"{tally.kills} kills", file=sys.stderr, flush=True)
    ended = killed.run(desk.plan(day), killed.Moment())
    desk.check_done(day, rng)
    if desk.like is None or len(ended.changes) > len(desk.like.changes):
        desk.like = ended


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500, help="kills of this shard, in all")
    parser.add_argument("--shard", type=int, default=1)
    arguments = parser.parse_args()
    STATE.mkdir(parents=True, exist_ok=True)
    tally = Tally(STATE / f"shard-{arguments.shard}.json")
    folder = (STATE / f"shard-{arguments.shard}").resolve()
    start = time.monotonic()
    try:
        torture(folder, Sizes(), tally, arguments.kills, str(arguments.shard))
    except (Wrong, killed.Failed) as wrong:
        print(f"{folder / 'device'}: {wrong}", file=sys.stderr)
        return 1
    shutil.rmtree(folder)
    print(f"shard {arguments.shard}: {tally.said()}, in {time.monotonic() - start:.0f} s here")
    print(
        f"all shards: {together(STATE.glob('shard-*.json'))}; 0 wrong answers, 0 trust rolled "
        "back, every update came to its end"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
