"""An attempt to update, in a process of its own that is killed on the way.

It is killed (SIGKILL) either after some time or just before some change of the disk: one of its
files opened for writing, renamed, linked or removed. Python's audit hooks tell of each, so the
moments between any two of them are all met sooner or later, however short they are; and each kind
of work is met as often as any other, however few its changes. The process says in shared memory
what it is doing, and during what it made each of its changes.
"""

import mmap
import os
import random
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event
from typing import Any

from firmware.lists import updater
from firmware.updates import bring, targets, trust
from firmware.updates.attempt import Outcome

_WORK: dict[str, tuple[object, str]] = {
    "metadata": (trust.Trust, "_keep"),
    "download": (targets, "fetch"),
    "whole": (bring, "put_whole"),
    "delta": (bring, "apply_delta"),
    "fold": (bring, "fold"),
    "activation": (bring, "adopt"),
    "probe": (bring, "probe"),
}
_BETWEEN = "in between"
_PHASES = (_BETWEEN, *_WORK)
_SHARED = struct.Struct("<II")
_MOST_CHANGES = 8192
_CHANGES = {"os.rename", "os.remove", "os.link", "os.mkdir", "os.rmdir", "os.truncate"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class Moment:
    """When a process is killed: after so many seconds, or before its so many-th change."""

    seconds: float | None = None
    change: int | None = None


@dataclass(frozen=True)
class Ended:
    """What became of the process: whether it was killed, what it was doing, during what it made
    each of its changes of the disk, and how long it took."""

    killed: bool
    phase: str
    changes: tuple[str, ...]
    seconds: float


class Failed(Exception):
    """An attempt that nobody killed did not end with the list up to date."""


def chosen(rng: random.Random, like: Ended | None) -> Moment:
    """A moment of an attempt that goes like this one."""
    if like is None or not like.changes:
        return Moment(change=rng.randint(1, 60))
    if rng.random() < 1 / 3:
        return Moment(seconds=rng.random() * 1.1 * like.seconds)
    phase = rng.choice(sorted(set(like.changes)))
    places = [place for place, one in enumerate(like.changes, 1) if one == phase]
    return Moment(change=rng.choice(places))


def run(plan: updater.Plan, moment: Moment) -> Ended:
    """Runs an attempt until it ends or `moment` comes. Raises Failed."""
    shared = mmap.mmap(-1, _SHARED.size + _MOST_CHANGES)
    begun = time.monotonic()
    child = os.fork()
    if not child:
        _attempt(plan, moment, shared)
    if moment.seconds is not None:
        time.sleep(moment.seconds)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    phase, count = _SHARED.unpack_from(shared)
    changes = tuple(_PHASES[one] for one in shared[_SHARED.size : _SHARED.size + count])
    killed = os.WIFSIGNALED(status)
    if not killed and os.WEXITSTATUS(status):
        raise Failed("an attempt that nobody killed did not end with the list up to date")
    return Ended(killed, _PHASES[phase], changes, time.monotonic() - begun)


def _attempt(plan: updater.Plan, moment: Moment, shared: mmap.mmap) -> None:
    status = 1
    try:
        told = _Told(shared, moment.change)
        for phase, (where, name) in _WORK.items():
            setattr(where, name, told.doing(phase, getattr(where, name)))
        sys.addaudithook(told.hear)
        (result,) = updater.update(plan, Event())
        if result.outcome in (Outcome.UPDATED, Outcome.CURRENT):
            status = 0
        else:
            print(f"{result.outcome}: {result.code}: {result.reason}", file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


class _Told:
    """What the process says of itself; it kills itself before the change `last`."""

    def __init__(self, shared: mmap.mmap, last: int | None) -> None:
        self._shared, self._last = shared, last
        self._phase = self._changes = 0

    def doing(self, phase: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, which says that it is running."""

        def call(*arguments: Any, **options: Any) -> Any:
            before, self._phase = self._phase, _PHASES.index(phase)
            self._say()
            try:
                return function(*arguments, **options)
            finally:
                self._phase = before
                self._say()

        return call

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Counts a change."""
        if event not in _CHANGES and not (event == "open" and arguments[2] & _WRITING):
            return
        self._shared[_SHARED.size + self._changes] = self._phase
        self._changes += 1
        self._say()
        if self._changes == self._last:
            os.kill(os.getpid(), signal.SIGKILL)

    def _say(self) -> None:
        _SHARED.pack_into(self._shared, 0, self._phase, self._changes)
