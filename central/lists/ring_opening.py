"""Opens a publication to one ring after the other, as long as the devices that have it are well.

What stops is the opening: nothing is ever taken back from a device, which goes back by itself where
a version fails its probe.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from central.course import Course
from central.enrolment.trail import note
from central.lists.hint_cli import hint_after
from central.lists.publish_parts import chosen_config, now_utc, told
from central.publishing.publish import Publisher
from central.publishing.repository import RepositoryFolder
from central.publishing.steps import PublishRefused
from central.publishing.targets import published_in
from scanner.command_line import Failure
from scanner.watchlist.publication import Publication

if TYPE_CHECKING:  # the store needs the extra `central`; publishing does not
    from central.lists.rollout import Fleet

_NAMED = 3
"""How many devices in error a line names."""


@dataclass(frozen=True)
class Rule:
    """When a ring's devices let the next ring have it: at most so many in error, and at least such
    a share of them has it. `anyway` goes on whatever the errors are."""

    errors: int
    share: float
    anyway: bool


class Opening:
    """Opens the list `name` to one ring after the other. `fleet` knows how devices fare; without it
    nobody is asked."""

    def __init__(
        self,
        publisher: Publisher,
        repository: RepositoryFolder,
        name: str,
        fleet: "Fleet | None",
        rule: Rule,
        config: Path | None,
        course: Course,
    ) -> None:
        self._publisher = publisher
        self._repository = repository
        self._name = name
        self._fleet = fleet
        self._rule = rule
        self._config = config
        self._course = course

    def open(self, before: str, ring: str) -> None:
        """Opens what ring `before` has to `ring`. Raises Failure where devices are against it."""
        publication = self._of(before)
        against = self._against(publication)
        self._hold_to(against, ring)
        self._course.make_room()
        there = self._publisher.publication(self._name, ring)
        if there == publication.model_copy(update={"ring": ring}):
            print(f"{told(there)}; it was open already", flush=True)
            return
        opened = self._publisher.open_ring(self._name, ring, before, now_utc())
        print(told(opened), flush=True)
        if against is not None:
            print(f"opened, although {against}", file=sys.stderr)
        self._note(opened, against)
        hint_after(self._config, opened)

    def wait(self, fleet: "Fleet", before: str, ring: str, every_s: float) -> None:
        """Waits until enough of ring `before` has it. Raises Failure where devices are against
        it, or where this is told to end."""
        from central.store.store import StoreFault  # noqa: PLC0415  needs the extra `central`

        with _told_to_end() as stop:
            while True:
                publication = self._of(before)
                try:
                    self._hold_to(self._against(publication), ring)
                    one = fleet.fare(publication)
                    if one.has and one.share >= self._rule.share:
                        return
                    self._course.show(f"ring {ring} waits for ring {before}: {one}")
                except StoreFault as fault:
                    self._course.show(f"{fault}; it is tried again")
                if stop.wait(every_s):
                    raise Failure(
                        f"told to end: list {self._name} is not open to ring {ring}; the same "
                        "command goes on"
                    )

    def _of(self, ring: str) -> Publication:
        publication = self._publisher.publication(self._name, ring)
        if publication is None:
            raise PublishRefused(f"list {self._name}: nothing is published for ring {ring}")
        return publication

    def _hold_to(self, against: str | None, ring: str) -> None:
        if against is not None and not self._rule.anyway:
            raise Failure(
                f"list {self._name} is not opened to ring {ring}: {against}; publish again, or go "
                "on with --errors or --anyway"
            )

    def _against(self, publication: Publication) -> str | None:
        """Too many devices of the rings that have it already are in error: which, and why."""
        if self._fleet is None:
            return None
        name, number = publication.name, publication.number
        rings = [
            one
            for one in published_in(self._repository)
            if (one.name, one.number) == (name, number)
        ]
        errors = [stand for one in rings for stand in self._fleet.fare(one).errors]
        if len(errors) <= self._rule.errors:
            return None
        named = "; ".join(str(stand) for stand in errors[:_NAMED])
        more = f"; and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
        many = "1 device is" if len(errors) == 1 else f"{len(errors)} devices are"
        return f"{many} in error ({self._rule.errors} may be): {named}{more}"

    def _note(self, opened: Publication, against: str | None) -> None:
        chosen = chosen_config(self._config)
        if chosen is None:
            return
        detail = {"ring": opened.ring, "publication": str(opened.number)}
        if against is not None:
            detail["although"] = against
        if why := note(chosen, "list opened", f"list {opened.name}", detail=detail):
            print(f"borderpost-central: {why}", file=sys.stderr)


@contextmanager
def _told_to_end() -> Iterator[Event]:
    stop = Event()
    before = {
        number: signal.signal(number, lambda *_: stop.set())
        for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
