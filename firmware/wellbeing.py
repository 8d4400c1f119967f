"""How the device is, as central is told: its place, software, lists, and what is at fault.

Nothing in here is about a document. The uplink adds what it knows itself (queue, sequence, answers
held) and publishes it when it changes; so list ages, which change all the time, are left out, and
the version and date that they follow from are in.
"""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

from scanner.alert import (
    MAX_FAULTS,
    Place,
    StatusData,
    Updating,
    device_fault,
    list_versions,
)
from scanner.said import said
from scanner.sources.capture import Source
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import ListHealth, ListState
from scanner.watchlist.lists import Lists


class _Clock(Protocol):
    def reading(self) -> ClockReading: ...


class _Desk(Protocol):
    @property
    def unwritten(self) -> int: ...


class _Identity(Protocol):
    @property
    def fault(self) -> str | None: ...


class _Answers(Protocol):
    @property
    def fault(self) -> str | None: ...


class _Updates(Protocol):
    @property
    def ring(self) -> str: ...

    def progress(self) -> Updating | None: ...

    def faults(self) -> Iterator[tuple[str, str]]: ...


class _Health(Protocol):
    def faults(self) -> Iterator[tuple[str, str]]: ...


class Wellbeing:
    """Gathers the status; asks the parts, and changes none."""

    def __init__(
        self,
        place: Place,
        lists: Lists,
        clock: _Clock,
        sources: Sequence[Source],
        desk: _Desk,
        answers: _Answers,
        identity: _Identity | None = None,
        updates: _Updates | None = None,
        health: _Health | None = None,
    ) -> None:
        self._place = place
        self._lists = lists
        self._clock = clock
        self._sources = sources
        self._desk = desk
        self._answers = answers
        self._identity = identity
        self._updates = updates
        self._health = health
        self._software = software()

    def status(self) -> StatusData:
        """The device as it is now."""
        clock = self._clock.reading()
        states = self._lists.states(clock)
        faults = [*self._list_faults(states), *self.other_faults(clock)][:MAX_FAULTS]
        return StatusData(
            place=self._place,
            software=self._software,
            lists=list_versions(states),
            ring=self._updates.ring if self._updates is not None else None,
            updating=self._updates.progress() if self._updates is not None else None,
            faults=tuple(device_fault(part, message) for part, message in faults),
        )

    def _list_faults(self, states: Sequence[ListState]) -> Iterator[tuple[str, str]]:
        for state in states:
            if state.health is ListHealth.OVER_AGE:
                yield f"list {state.name}", "over age"
            elif state.health is not ListHealth.OK or state.reason:
                yield f"list {state.name}", state.reason

    def other_faults(self, clock: ClockReading) -> Iterator[tuple[str, str]]:
        """What is at fault beside the lists, by the part of the device."""
        for source in self._sources:
            if not source.health.ok:
                yield f"source {source.name}", source.health.message
        if not clock.synchronised:
            yield said("clock"), said("not set since boot")
        if self._desk.unwritten:
            told = said("the disk refuses alerts; the desk keeps trying to write them")
            yield said("outbox"), told
        if self._answers.fault:
            yield said("answers"), self._answers.fault
        if self._identity is not None and self._identity.fault:
            yield "identity", self._identity.fault
        if self._updates is not None:
            yield from self._updates.faults()
        if self._health is not None:
            yield from self._health.faults()


def software() -> str:
    """The software that runs here, and its version."""
    try:
        return f"borderpost {version('borderpost')}"
    except PackageNotFoundError:
        return "borderpost"
