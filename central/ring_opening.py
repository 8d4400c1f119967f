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
from central.enrol_trail import note
from central.hint_cli import hint_after
from central.publish_parts import chosen_config, now_utc, told
from central.publishing.publish import Publisher, PublishRefused, published_in
from central.publishing.repository import RepositoryFolder
from scanner.command_line import Failure
from scanner.watchlist.publication import Publication

if TYPE_CHECKING:  # the store needs the extra `central`; publishing does not
    from central.store import Store

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
    """Opens one list to one ring after the other."""

    def __init__(
        self,
        publisher: Publisher,
        repository: RepositoryFolder,
        name: str,
        store: "Store | None",
        rule: Rule,
        config: Path | None,
        course: Course,
    ) -> None:
        self._publisher = publisher
        self._repository = repository
        self._name = name
        self._store = store
        self._rule = rule
        self._config = config
        self._course = course

    def open(self, before: str, ring: str) -> None:
        """Opens what ring `before` has to `ring`. Raises Failure where devices are against it."""
        publication = self._of(before)
        against = self._against(publication, ring) if self._store is not None else None
        if against is not None and not self._rule.anyway:
            raise Failure(f"{against}; publish again, or give --errors or --anyway to go on")
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

    def wait(self, store: "Store", before: str, ring: str, every_s: float) -> None:
        """Waits until enough of ring `before` has it. Raises Failure where devices are against
        it, or where this is told to end."""
        from central.rollout import fare  # noqa: PLC0415  needs the extra `central`
        from central.store import StoreFault  # noqa: PLC0415

        with _told_to_end() as stop:
            while True:
                publication = self._of(before)
                try:
                    with store.reading() as db:
                        one = fare(db, publication)
                    if not self._rule.anyway and (against := self._against(publication, ring)):
                        raise Failure(f"{against}; publish again, or give --errors or --anyway")
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

    def _against(self, publication: Publication, ring: str) -> str | None:
        """Why it is not to be opened further: too many devices of the rings that have it already
        are in error."""
        from central.rollout import fare  # noqa: PLC0415  needs the extra `central`

        assert self._store is not None  # noqa: S101  asked only where there is one
        rings = [
            one
            for one in published_in(self._repository)
            if (one.name, one.number) == (publication.name, publication.number)
        ]
        with self._store.reading() as db:
            errors = [stand for one in rings for stand in fare(db, one).errors]
        if len(errors) <= self._rule.errors:
            return None
        named = "; ".join(str(stand) for stand in errors[:_NAMED])
        more = f"; and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
        devices = "1 device" if len(errors) == 1 else f"{len(errors)} devices"
        return (
            f"list {self._name} is not to be opened to ring {ring}: {devices} of the rings that "
            f"have it in error ({self._rule.errors} may be): {named}{more}"
        )

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
