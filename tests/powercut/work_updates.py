"""Lists that are updated from day to day, from a repository that the host holds.

The trust, the versions and the answers are looked at as the torture of updates over the air does
(`tests/updates/kill_torture.py`): the version in force is the one before or the one published, the
desk answers as that one does, and no role's version is below what was reached.
"""

import pickle
import random
from pathlib import Path
from threading import Event
from typing import Any

from firmware.lists import updater
from firmware.lists.updater import Plan
from firmware.updates.attempt import Outcome
from firmware.updates.repository import FolderRepository
from tests.powercut.console import Wrong, say
from tests.updates import kill_torture


class Desk(kill_torture.Desk):
    """A device that goes on where its disk says, in `folder`."""

    def __init__(self, world: kill_torture.World, folder: Path, known: dict[str, Any]) -> None:
        super().__init__(world, folder, "", anew=False)
        self.day = known["day"]
        self._reached = dict(known["reached"])

    @property
    def reached(self) -> dict[str, int]:
        """The versions of every role, when they were last looked at."""
        return self._reached

    def plan(self, day: int) -> Plan:
        return self.device.plan(FolderRepository(self._world.days / str(day)))


def run(data: Path, folder: Path, known: dict[str, Any]) -> None:
    """Looks, then updates to one day after the other until the power goes; the last time it only
    looks."""
    world = pickle.loads((folder / "world.pickle").read_bytes())  # noqa: S301 - our own
    rng = random.Random(known["life"])  # noqa: S311
    desk = Desk(world, data / "device", known)
    day = known["trying"]
    try:
        desk.check(day, rng)
        say("checked", reached=desk.reached)
        if known["last"]:
            return
        say("ready")
        while True:
            (result,) = updater.update(desk.plan(day), Event())
            if result.outcome not in (Outcome.UPDATED, Outcome.CURRENT):
                raise Wrong(f"the update to day {day} ended {result.outcome}: {result.code}")
            desk.check_done(day, rng)
            say("done", day=day, reached=desk.reached)
            if day == len(world.publications) - 1:
                break
            day = min(day + rng.randint(1, 3), len(world.publications) - 1)
            say("trying", day=day)
    except kill_torture.Wrong as wrong:
        raise Wrong(str(wrong)) from None
    say("over")
