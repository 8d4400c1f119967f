"""Keeps the device's lists up to date: fetches what is published for its ring, now and then or when
woken.

An attempt asks the repository what is trusted, brings each list there, and says of each what became
of it. Nothing that goes wrong here keeps the desk from checking: it goes on with the list that it
has and tells its age. Failures are tried again after growing pauses, and every outcome is told to
whoever listens once.

A hint that something was published is followed after a random time: it reaches a whole fleet at one
moment, and the server is to be asked by one device after the other. Where it finds nothing new, it
is looked once more after a while: a cache on the way may still have had what was there before.
"""

import fcntl
import logging
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock

from firmware.database import DiskFault
from firmware.updates.attempt import Outcome, Progress, Result, Surroundings
from firmware.updates.bring import Bringer, in_force, in_words
from firmware.updates.download import Interrupted
from firmware.updates.fetched import forget_others
from firmware.updates.repository import Repository
from firmware.updates.trust import Refused, Trust
from scanner.alert import UpdateData, Updating
from scanner.backoff import spread
from scanner.said import said
from scanner.watchlist.keyring import KeySource

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 30.0
"""After a failure; it doubles up to the ordinary pause."""

AGAIN_AFTER_S = 120.0
"""After a hint that nothing new was found for."""


class Busy(Exception):
    """Another update is running on this device; the message says so in one line."""


@dataclass(frozen=True)
class Plan:
    """What is fetched and from where. `lists` is the folder, `names` the lists; `damaged` gives
    those that have to be fetched whole."""

    repository: Repository
    trust: Trust
    lists: Path
    names: tuple[str, ...]
    keys: KeySource
    ring: str
    data: Path
    damaged: Callable[[], frozenset[str]] = frozenset


def update(
    plan: Plan, stop: Event, progress: Progress = lambda name, done, total: None
) -> list[Result]:
    """One attempt with every list of the plan. Raises Busy, Interrupted, OSError."""
    with _alone(plan.data):
        try:
            forget_others(plan.lists, plan.names)
            with plan.trust.refreshed(plan.repository, plan.names, plan.ring) as trusted:
                around = Surroundings(
                    plan.lists,
                    plan.keys,
                    plan.ring,
                    plan.repository,
                    trusted,
                    stop,
                    progress,
                    plan.damaged(),
                )
                return [Bringer(around, name).bring() for name in plan.names]
        except Refused as refused:
            outcome = Outcome.FAILED if refused.code in _NOBODY_S_FAULT else Outcome.REFUSED
            return _for_all(plan, outcome, refused.code, str(refused))


def _for_all(plan: Plan, outcome: Outcome, code: str, reason: str) -> list[Result]:
    """The same came of every list: what is in force goes on."""
    there = [(name, in_force(plan.lists, name)) for name in plan.names]
    versions = [(name, now.version if now else None) for name, now in there]
    return [Result(name, outcome, one, one, code=code, reason=reason) for name, one in versions]


_NOBODY_S_FAULT = ("unreachable", "missing", "slow")


class Updater:
    """Run `run(stop)` in a thread of its own; the rest is for any thread. `tell` is given every
    update, and whatever else came of a list where that is another outcome, or one of another
    publication, than was told last; what it cannot keep (DiskFault) it is told again. A hint is
    followed within `spread_over`."""

    def __init__(
        self,
        plan: Plan,
        every: timedelta,
        tell: Callable[[Result], None] = lambda result: None,
        spread_over: timedelta = timedelta(),
    ) -> None:
        self._plan = plan
        self._every_s = every.total_seconds()
        self._tell = tell
        self._spread_s = spread_over.total_seconds()
        self._woken = Event()
        self._lock = Lock()
        self._due = float("inf")
        self._hinted = False
        self._last: list[Result] = []
        self._told: dict[str, tuple[str, int | None]] = {}
        self._now: Updating | None = None

    @property
    def ring(self) -> str:
        """The ring whose publications are fetched."""
        return self._plan.ring

    def wake(self, after_s: float = 0.0) -> None:
        """There may be something new; it is looked for after that time at the latest."""
        with self._lock:
            self._due = min(self._due, time.monotonic() + after_s)
        self._woken.set()

    def hint(self, hint: UpdateData) -> None:
        """Something was published for this device's ring."""
        log.info("updates: %s is published for ring %s", hint.publication, hint.ring)
        with self._lock:
            self._hinted = True
        self.wake(random.uniform(0.0, self._spread_s))  # noqa: S311

    def progress(self) -> Updating | None:
        """The list that is being fetched and how far it is, or None."""
        return self._now

    def faults(self) -> Iterator[tuple[str, str]]:
        """What keeps lists from being what is published, by the part of the device."""
        with self._lock:
            last = self._last
        for result in last:
            if result.outcome not in (Outcome.UPDATED, Outcome.CURRENT):
                yield (
                    said("update of {list}", list=result.list),
                    said("{code}: {reason}", code=result.code, reason=result.reason),
                )

    def run(self, stop: Event) -> None:
        """Updates until `stop`."""
        pause_s = FIRST_PAUSE_S
        while not stop.is_set():
            with self._lock:
                self._due = float("inf")
                hinted, self._hinted = self._hinted, False
            went_well = self._once(stop)
            if hinted and all(result.outcome is Outcome.CURRENT for result in self._last):
                self.wake(spread(AGAIN_AFTER_S))
            pause_s = self._every_s if went_well else min(self._every_s, pause_s)
            self._wait(stop, spread(pause_s))
            pause_s = FIRST_PAUSE_S if went_well else pause_s * 2

    def _once(self, stop: Event) -> bool:
        """One attempt, and whether every list came to what is published."""
        try:
            results = update(self._plan, stop, self._show)
        except Interrupted:
            return False
        except (Busy, OSError) as failed:
            code = "busy" if isinstance(failed, Busy) else "disk"
            results = _for_all(self._plan, Outcome.FAILED, code, in_words(failed))
        finally:
            self._now = None
        with self._lock:
            self._last = results
        for result in results:
            self._say(result)
        return all(result.outcome in (Outcome.UPDATED, Outcome.CURRENT) for result in results)

    def _show(self, name: str, done: int, total: int) -> None:
        self._now = Updating(list=name, done=done, total=total)

    def _say(self, result: Result) -> None:
        """Logs and tells an outcome; the same again of the same publication is not told again, nor
        that what it was updated to is current."""
        well = result.outcome in (Outcome.UPDATED, Outcome.CURRENT)
        what = ("" if well else result.code, result.publication)
        if self._told.get(result.list) == what and result.outcome is not Outcome.UPDATED:
            return
        if result.outcome is not Outcome.CURRENT:
            level = logging.INFO if result.outcome is Outcome.UPDATED else logging.WARNING
            log.log(level, "updates: %s", told(result))
        try:
            self._tell(result)
        except DiskFault as fault:
            log.warning("updates: central is not told of list %s yet: %s", result.list, fault)
        else:
            self._told[result.list] = what

    def _wait(self, stop: Event, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not stop.is_set():
            with self._lock:
                left_s = min(until, self._due) - time.monotonic()
            if left_s <= 0:
                return
            self._woken.wait(min(1.0, left_s))
            self._woken.clear()


def told(result: Result) -> str:
    """A result in one line."""
    beside = f" ({result.reason})" if result.reason else ""
    name, version = result.list, result.version
    if result.outcome is Outcome.UPDATED:
        before = "none" if result.from_version is None else f"version {result.from_version}"
        return (
            f"list {name}: updated from {before} to version {version}, {result.bytes:,} bytes in "
            f"{result.seconds:.1f} s{beside}"
        )
    if result.outcome is Outcome.CURRENT:
        return f"list {name}: version {version} is the one published"
    goes_on = "no version is here" if version is None else f"version {version} goes on"
    became = "refused" if result.outcome is Outcome.REFUSED else "not updated"
    return f"list {name}: {became}, {goes_on}: {result.reason}"


@contextmanager
def _alone(data: Path) -> Iterator[None]:
    data.mkdir(parents=True, exist_ok=True)
    with (data / ".updating").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(
                "another update is running on this device; wait until it has ended"
            ) from None
        yield
