"""Follows the alerts as they are committed, each exactly once, for a pipe.

Alerts carry the moment of their receipt, but become visible when their transaction ends, and every
receiver stamps by its own clock: with several receivers an earlier stamp can appear after a later
one. So each look goes back a little behind what was last seen, and skips what was told already. How
far it may go back is counted from the latest stamp in the store, so this process' own clock may be
wrong; it only bounds what a receiver whose clock runs ahead could do.

While the database is away nothing is lost: the next look begins where the last whole one ended.
"""

import logging
import select
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event as Signal

import sqlalchemy as sa

from central.moments import from_ms, to_ms
from central.store.schema import alerts
from central.store.store import AlertRow, Store, StoreFault
from scanner.alert import AlertData

log = logging.getLogger(__name__)

MARGIN_MS = 120_000
"""By how much receivers' clocks may differ, and a transaction may last."""
LOOK_EVERY_S = 1.0
_NAMES_AT_ONCE = 5000
_ROWS_AT_ONCE = 500
_SHARE = 4
"""The part of the time that looking may take, as one in so many."""

Name = tuple[str, str]
"""An alert's device and id."""


@dataclass(frozen=True)
class _Stamp:
    received_at: int
    device: str
    id: str

    @property
    def name(self) -> Name:
        return (self.device, self.id)


class Follower:
    """Run `run(stop)`. `tell` is given each alert once, those since `since` first; without it, only
    what comes from now on."""

    def __init__(
        self, store: Store, tell: Callable[[AlertRow], None], since: datetime | None = None
    ) -> None:
        self._store = store
        self._tell = tell
        self._behind = 0 if since is None else to_ms(since)
        self._told: dict[Name, int] = {}
        self._fault: str | None = None
        self._watch = store.watch()
        if since is None:
            self._pass_over_what_is_there()

    def run(self, stop: Signal) -> None:
        """Follows until `stop` is set and `wake` called, or until nobody reads what is told."""
        try:
            while not stop.is_set() and not _reader_is_gone():
                began = time.monotonic()
                self._try_to_look(stop)
                stop.wait((time.monotonic() - began) * (_SHARE - 1))
                self._watch.wait(LOOK_EVERY_S)
        finally:
            self._watch.close()

    def wake(self) -> None:
        """Ends the present waiting. For any thread, and for signals."""
        self._watch.wake()

    def _try_to_look(self, stop: Signal) -> None:
        try:
            self.look(stop)
        except StoreFault as fault:
            if self._fault != str(fault):
                self._fault = str(fault)
                log.warning("%s; alerts are followed again when it does not", fault)
        else:
            self._fault = None

    def look(self, stop: Signal) -> None:
        """Tells whatever is new. Raises StoreFault; what was told by then is not told again."""
        bound = self._bound()
        waiting: list[_Stamp] = []
        for stamp in self._stamps():
            if stamp.name not in self._told:
                waiting.append(stamp)
            if len(waiting) == _ROWS_AT_ONCE:
                self._tell_of(waiting)
                waiting = []
            if stop.is_set():
                return
        self._tell_of(waiting)
        self._move_to(bound)

    def _pass_over_what_is_there(self) -> None:
        self._behind = self._bound()
        self._told = {stamp.name: stamp.received_at for stamp in self._stamps()}

    def _bound(self) -> int:
        """Behind which nothing new will appear."""
        with self._store.reading() as db:
            latest = db.scalar(sa.select(sa.func.max(alerts.c.received_at)))
        if latest is None:
            return self._behind
        return min(int(latest), to_ms(datetime.now(UTC))) - MARGIN_MS

    def _move_to(self, bound: int) -> None:
        if bound > self._behind:
            self._behind = bound
            self._told = {name: at for name, at in self._told.items() if at >= bound}

    def _stamps(self) -> Iterator[_Stamp]:
        """The alerts from where nothing new will appear before, in the order of their stamps."""
        order = (alerts.c.received_at, alerts.c.device, alerts.c.id)
        last: tuple[int, str, str] = (self._behind, "", "")
        while True:
            chosen = (
                sa.select(*order)
                .where(alerts.c.received_at >= last[0])
                .where(sa.tuple_(*order) > sa.tuple_(*map(sa.literal, last)))
                .order_by(*order)
                .limit(_NAMES_AT_ONCE)
            )
            with self._store.reading() as db:
                rows = [_Stamp(*row) for row in db.execute(chosen).all()]
            yield from rows
            if len(rows) < _NAMES_AT_ONCE:
                return
            last = (rows[-1].received_at, *rows[-1].name)

    def _tell_of(self, stamps: list[_Stamp]) -> None:
        if not stamps:
            return
        these = sa.tuple_(alerts.c.device, alerts.c.id).in_([stamp.name for stamp in stamps])
        with self._store.reading() as db:
            rows = db.execute(sa.select(alerts).where(these)).all()
        of_name = {(row.device, row.id): row for row in rows}
        for stamp in stamps:
            row = of_name.get(stamp.name)
            if row is not None:  # else it was purged in between
                data = AlertData.model_validate(row.data, strict=False)
                at = from_ms(row.received_at)
                self._tell(AlertRow(row.id, row.device, at, row.late, data))
            self._told[stamp.name] = stamp.received_at


def _reader_is_gone() -> bool:
    """Whether standard output is a pipe that nobody reads any more: with no alert to write, nothing
    else would say so."""
    poll = select.poll()
    poll.register(sys.stdout.fileno(), 0)
    return any(event & select.POLLERR for _, event in poll.poll(0))
