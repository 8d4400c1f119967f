"""A device that updates from the benchmark's repository, and what that takes."""

import shutil
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from benchmarks.listing.building import secret_of
from benchmarks.listing.measure import spent
from benchmarks.listing.settings import LIST, Json, Settings
from benchmarks.updating.headquarters import RING
from benchmarks.updating.served import Served
from firmware.lists.updater import Plan, update
from firmware.updates.repository import WebRepository
from firmware.updates.trust import Trust
from scanner.watchlist.listkey import ListKey
from tests.listing import Ring

_LISTS = "lists"


def plan_for(settings: Settings, folder: Path, url: str, root: bytes) -> Plan:
    """A device in `folder`, which is made where it is not there."""
    lists = folder / _LISTS
    lists.mkdir(parents=True, exist_ok=True)
    return Plan(
        repository=WebRepository(url),
        trust=Trust(folder / "trust", folder / "floor.json", root, lambda: datetime.now(UTC)),
        lists=lists,
        names=(LIST,),
        keys=Ring(ListKey(secret_of(settings))),
        ring=RING,
        data=folder,
    )


def updated(plan: Plan, server: Served) -> Json:
    """What came of an attempt, what the server sent for it (heads of answers too), and what the
    kernel counted for the device: bytes written, CPU and wall time."""
    before = server.sums()
    with spent() as used:
        (result,) = update(plan, Event())
    after = server.sums()
    return {
        **asdict(result),
        "outcome": result.outcome.value,
        "sent": after["bytes"] - before["bytes"],
        "requests": after["requests"] - before["requests"],
        "cuts": after["cuts"] - before["cuts"],
        "written_bytes": used.written_bytes,
        "cpu_s": used.cpu_s,
        "wall_s": used.wall_s,
    }


def cloned(device: Path, to: Path) -> Path:
    """Another device just like it; lists are never written over, so links do for their files."""
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(device, to, ignore=lambda *_: [_LISTS, ".updating"])
    shutil.copytree(
        device / _LISTS,
        to / _LISTS,
        copy_function=lambda one, other: Path(other).hardlink_to(one),
        ignore=lambda *_: [".lock"],
    )
    return to
