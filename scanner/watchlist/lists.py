"""Every list of a device: opened when first asked, opened again when it changes, never trusted
blindly.

A list that is missing, damaged, locked or too old is a state to be told, not an exception: the
others are still asked, and so is a list that is too old, since a match in it stands. Each asking
looks at the files' times and sizes, so a new version is in use at the next document without a
restart (`slot` says which version answers).
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from scanner.said import joined, said
from scanner.watchlist.age import ClockReading, age_of, span
from scanner.watchlist.contract import (
    Inquiry,
    ListHealth,
    ListState,
    Match,
    Watchlist,
)
from scanner.watchlist.keyring import KeySource
from scanner.watchlist.manifest import IN_FORCE, NAME, manifest_path
from scanner.watchlist.questions import Questions
from scanner.watchlist.slot import Answer, Slot

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
        keys: KeySource,
        policies: Sequence[ListPolicy] | None = None,
        default_max_age: timedelta = DEFAULT_MAX_AGE,
    ) -> None:
        self._folder = folder
        self._keys = keys
        self._policies = None if policies is None else tuple(policies)
        self._default_max_age = default_max_age
        self._slots: dict[str, Slot] = {}
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
            return (), _faulty(policy, ListHealth.MISSING, _no_list_in(self._folder))
        slot = self._slots.setdefault(policy.name, Slot(self._folder, policy.name, self._keys))
        try:
            answer = slot.ask(questions.asked)
        except FileNotFoundError:
            path = manifest_path(self._folder, policy.name)
            missing = said("{file} is not there; build or fetch the list", file=str(path))
            return (), _faulty(policy, ListHealth.MISSING, missing)
        if answer.store is None:
            return (), _faulty(policy, answer.health, answer.reason)
        return answer.matches, _state(policy, answer.store, answer, clock)

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


def _is_manifest(path: Path) -> bool:
    return path.suffix == IN_FORCE and NAME.fullmatch(path.stem) is not None


def _no_list_in(folder: Path | None) -> str:
    if folder is None:
        return said("no folder is configured; build or fetch one")
    return said("{folder} holds no list; build or fetch one", folder=str(folder))


def _faulty(policy: ListPolicy, health: ListHealth, reason: str) -> ListState:
    return ListState(policy.name, None, None, None, health, policy.required, reason)


def _state(policy: ListPolicy, store: Watchlist, answer: Answer, clock: ClockReading) -> ListState:
    """How a list that answered stands, by the version that did."""
    age = age_of(store.as_of, clock)
    limit = policy.max_age.total_seconds()
    fault = age.fault
    if not fault and age.seconds > limit:
        fault = said(
            "it is {age} old and may be {limit}; fetch a newer version",
            age=span(age.seconds),
            limit=span(limit),
        )
    health = ListHealth.OVER_AGE if fault else ListHealth.OK
    return ListState(
        name=policy.name,
        version=store.version,
        as_of=store.as_of,
        age_s=age.seconds,
        health=health if answer.health is ListHealth.OK else answer.health,
        required=policy.required,
        reason=joined((fault, answer.reason)),
        age_is_lower_bound=age.is_lower_bound,
    )
