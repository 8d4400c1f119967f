"""Many devices that update from one server.

Each is a device of its own, with its lists and its trust, and does all that a device does: it
fetches and verifies the metadata and the day's delta, puts the version together, in force, and asks
it for its canaries. They share this machine, so what an update costs a device is in the time; what
one server gives a fleet is in the bytes and in the server's own time.
"""

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from statistics import median, quantiles
from threading import Event
from time import perf_counter

from benchmarks.listing import building, columns, peers
from benchmarks.listing.settings import Json, Settings
from benchmarks.updating.device import cloned, plan_for
from benchmarks.updating.headquarters import Headquarters
from benchmarks.updating.served import served
from firmware.lists.updater import update

MOST_RECORDS = 1_000_000
"""Devices put their updates together on one machine, so the list is no larger than this."""
_AT_ONCE = 8
"""Devices at once, for each processor."""


def fleet(settings: Settings, devices: int) -> Json:
    """All devices have the first version and update to the next."""
    folder = settings.work / "fleet"
    peers.removed(folder)
    small = replace(
        settings, work=folder, records=min(settings.records, MOST_RECORDS), days=1, asked=1, cold=1
    )
    columns.make(small)
    small.keep("build-ours", building.ours(small))
    building.in_force(small)
    repository = folder / "repository"
    headquarters = Headquarters(small, repository)
    days = headquarters.published_days()
    with served(repository) as server:
        next(days)
        update(plan_for(small, folder / "device", server.url, headquarters.root), Event())
        _, delta = next(days)
        before, started = server.sums(), perf_counter()
        told = _all(small, server.url, headquarters.root, devices)
        seconds, after = perf_counter() - started, server.sums()
    peers.removed(folder)
    times = sorted(one for one, _ in told)
    return {
        "devices": devices,
        "updated": sum(good for _, good in told),
        "records": small.records,
        "delta": delta,
        "seconds": seconds,
        "at_once": _workers(),
        "sent": after["bytes"] - before["bytes"],
        "requests": after["requests"] - before["requests"],
        "server_cpu_s": after["cpu_s"] - before["cpu_s"],
        "median_s": median(times),
        "slowest_tenth_s": quantiles(times, n=10)[-1] if len(times) > 1 else times[0],
    }


def _all(settings: Settings, url: str, root: bytes, devices: int) -> list[tuple[float, bool]]:
    start = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_workers(), mp_context=start) as pool:
        jobs = [pool.submit(_one, settings, url, root, number) for number in range(devices)]
        return [job.result() for job in jobs]


def _one(settings: Settings, url: str, root: bytes, number: int) -> tuple[float, bool]:
    """How long one device took, and whether it came to the new version."""
    folder = cloned(settings.work / "device", settings.work / f"device-{number}")
    started = perf_counter()
    (result,) = update(plan_for(settings, folder, url, root), Event())
    seconds = perf_counter() - started
    peers.removed(folder)
    return seconds, (result.outcome.value, result.version) == ("updated", 2)


def _workers() -> int:
    return _AT_ONCE * (os.cpu_count() or 1)
