"""Every list of a device: opened when first asked, opened again when it changes, never trusted
blindly.

A list that is missing, damaged or too old is a state to be told, not an exception: the others are
still asked, and so is a list that is too old, since a match in it stands. Each asking looks at the
files' times and sizes, so a new version is in use at the next document without a restart.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from scanner.watchlist.age import ClockReading, age_of, span
from scanner.watchlist.contract import (
    Inquiry,
    ListDamaged,
    ListHealth,
    ListState,
    Match,
    Watchlist,
)
from scanner.watchlist.manifest import IN_FORCE, NAME, manifest_path, read_manifest
from scanner.watchlist.questions import Questions
from scanner.watchlist.store import Store, open_store

NO_LIST = "(none)"
"""Stands for the list that ought to be there when a folder holds none."""

DEFAULT_MAX_AGE = timedelta(days=7)


@dataclass(frozen=True)
class ListPolicy:
    """What is demanded of one list: how old it may be, and whether CLEAR needs it."""

    name: str
    max_age: timedelta
    required: bool = True


class Lists:
    """The lists in a folder. Safe to ask from several threads.

    Without `policies`, every list found in the folder is required and may be `default_max_age`
    old, and a list that was there once is missed when it goes. Without `folder` no list is
    configured.
    """

    def __init__(
        self,
        folder: Path | None,
        policies: Sequence[ListPolicy] | None = None,
        default_max_age: timedelta = DEFAULT_MAX_AGE,
    ) -> None:
        self._folder = folder
        self._policies = None if policies is None else tuple(policies)
        self._default_max_age = default_max_age
        self._slots: dict[str, _Slot] = {}
        self._lock = threading.Lock()

    def ask(self, questions: Questions, clock: ClockReading) -> Inquiry:
        """Asks every list that can be asked, and says how each of them stood."""
        with self._lock:
            matches: list[Match] = []
            states: list[ListState] = []
            for policy in self._demanded():
                found, state = self._ask_one(policy, questions, clock)
                matches += found
                states.append(state)
        return Inquiry(tuple(matches), tuple(states), len(questions.asked), questions.unasked)

    def states(self, clock: ClockReading) -> tuple[ListState, ...]:
        """How each list stands, without asking any."""
        return self.ask(Questions(), clock).lists

    def _ask_one(
        self, policy: ListPolicy, questions: Questions, clock: ClockReading
    ) -> tuple[tuple[Match, ...], ListState]:
        if self._folder is None or policy.name == NO_LIST:
            where = f"{self._folder} holds no list" if self._folder else "no folder is configured"
            return (), _faulty(policy, ListHealth.MISSING, f"{where}; build or fetch one")
        slot = self._slots.setdefault(policy.name, _Slot(self._folder, policy.name))
        try:
            store = slot.store()
            try:
                return store.look_up(questions.asked), _state(policy, store, clock)
            except ListDamaged:
                slot.forget()
                raise
        except FileNotFoundError:
            path = manifest_path(self._folder, policy.name)
            return (), _faulty(
                policy, ListHealth.MISSING, f"{path} is not there; build or fetch the list"
            )
        except ListDamaged as damaged:
            return (), _faulty(policy, ListHealth.DAMAGED, str(damaged))

    def _demanded(self) -> tuple[ListPolicy, ...]:
        if self._policies is not None:
            return self._policies
        if self._folder is None:
            return ()
        try:
            names = {path.stem for path in self._folder.iterdir() if _is_manifest(path)}
        except OSError:
            names = set()
        names |= self._slots.keys()
        return tuple(ListPolicy(name, self._default_max_age) for name in sorted(names or {NO_LIST}))


class _Slot:
    """One list's place: what is open there, and of which files."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._store: Store | None = None
        self._damage = ""
        self._seen: tuple[object, ...] = ()

    def store(self) -> Watchlist:
        """The version in force, opened again only when its files have changed.

        Raises FileNotFoundError when there is no such list, ListDamaged.
        """
        manifest = read_manifest(self._folder, self._name)
        files = (manifest, _identity(self._folder / manifest.file))
        if files != self._seen:
            self.forget()
            try:
                self._store = open_store(self._folder, manifest)
            except ListDamaged as damage:
                self._damage = str(damage)
            self._seen = files
        if self._store is None:
            # A new error each time: one that is raised again and again keeps the frames of every
            # asking, and with them the numbers asked, for as long as the list stays damaged.
            raise ListDamaged(self._damage)
        return self._store

    def forget(self) -> None:
        """Closes what is open, so that the next asking opens and verifies it anew."""
        if self._store is not None:
            self._store.close()
        self._store, self._damage, self._seen = None, "", ()


def _identity(path: Path) -> tuple[int, ...]:
    """What changes when a file is replaced or written to; empty when it is not there."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


def _is_manifest(path: Path) -> bool:
    return path.suffix == IN_FORCE and NAME.fullmatch(path.stem) is not None


def _faulty(policy: ListPolicy, health: ListHealth, reason: str) -> ListState:
    return ListState(policy.name, None, None, None, health, policy.required, reason)


def _state(policy: ListPolicy, store: Watchlist, clock: ClockReading) -> ListState:
    age = age_of(store.as_of, clock)
    limit = policy.max_age.total_seconds()
    reason = age.fault
    if not reason and age.seconds > limit:
        reason = f"it is {span(age.seconds)} old and may be {span(limit)}; fetch a newer version"
    return ListState(
        name=policy.name,
        version=store.version,
        as_of=store.as_of,
        age_s=age.seconds,
        health=ListHealth.OVER_AGE if reason else ListHealth.OK,
        required=policy.required,
        reason=reason,
        age_is_lower_bound=age.is_lower_bound,
    )
