"""Tells other systems of alerts and answers: plain JSON events to a broker of their choice.

What the store holds is told after it is committed, each thing at least once: it is marked in the
store only when that broker has acknowledged it, so a broker that is away, a restart or a kill
delays it and loses nothing. Whoever listens absorbs what comes twice by its id.

Only what was received since republishing was first switched on is told; switched off for a while,
it goes on where it stood. The events carry document data in the clear, to whoever may listen there:
it is off unless configured, and goes beyond this machine with TLS only, unless told openly to do
without.
"""

import ipaddress
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event as Signal
from typing import Any

import sqlalchemy as sa

from central import audit
from central.brokers.publish_link import Link
from central.moments import from_ms, in_iso_ms, to_ms
from central.receiving.inflow import LinkDown
from central.settings import RepublishSettings
from central.store.database import add
from central.store.schema import alerts, answers, republishing
from central.store.store import Store, StoreFault
from central.systems.republished import ALERT, ANSWERED
from scanner.alert import CENTRAL, source_of
from scanner.backoff import Backoff
from scanner.command_line import Refusal

log = logging.getLogger(__name__)

AT_ONCE = 100
LOOK_EVERY_S = 1.0
STORE_PAUSE_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0


def check(settings: RepublishSettings) -> None:
    """Raises Refusal where it is not to be done, or not like that."""
    if not settings.enabled:
        raise Refusal(
            "republishing is switched off; enabled = true in [republish] switches it on: it gives "
            "document data to whoever may listen at that broker"
        )
    if settings.ca is None and not _is_loopback(settings.host) and not settings.plain:
        raise Refusal(
            f"nothing is republished to {settings.host} without TLS: set ca in [republish], or "
            "plain = true to send document data unencrypted"
        )


class Republisher:
    """Run `run(stop)`. `connect` makes a link to the broker."""

    def __init__(self, store: Store, prefix: str, connect: Callable[[], Link]) -> None:
        self._store = store
        self._prefix = prefix
        self._connect = connect
        self._watch = store.watch()
        self._said: str | None = None

    def wake(self) -> None:
        """Ends the present waiting. For any thread, and for signals."""
        self._watch.wake()

    def run(self, stop: Signal) -> None:
        """Tells what there is to tell until `stop` is set and `wake` called."""
        backoff = Backoff(FIRST_PAUSE_S, LONGEST_PAUSE_S)
        try:
            while not stop.is_set():
                try:
                    self._serve(stop, backoff)
                except (LinkDown, StoreFault) as fault:
                    self._say(logging.WARNING, f"not republishing: {fault}")
                    backoff.wait(stop)
        finally:
            self._watch.close()

    def _serve(self, stop: Signal, backoff: Backoff) -> None:
        """One connection. Raises LinkDown and StoreFault."""
        since = self._since()
        link = self._connect()
        try:
            link.open()
            self._say(logging.INFO, "republishing")
            while not stop.is_set():
                if self.tell(link, since):
                    backoff.reset()
                else:
                    self._watch.wait(LOOK_EVERY_S)
        finally:
            link.close()

    def tell(self, link: Link, since: int) -> int:
        """Tells some of what is not told yet, alerts before answers; how much it was."""
        with self._store.reading() as db:
            found = _waiting(db, alerts, alerts.c.received_at, since, AT_ONCE)
            given = _waiting(db, answers, answers.c.at, since, AT_ONCE - len(found))
        link.publish([*map(self._alert, found), *map(self._answer, given)])
        if found or given:
            now = datetime.now(UTC)
            with self._store.changing(quietly=True) as tx:
                _mark(tx, alerts, found, now)
                _mark(tx, answers, given, now)
        return len(found) + len(given)

    def _since(self) -> int:
        """From when on: the moment of the first time, for ever."""
        now = datetime.now(UTC)
        with self._store.changing(quietly=True) as tx:
            if add(tx, republishing, prefix=self._prefix, since=to_ms(now)):
                audit.record(tx, "republish", "system", "republishing began", self._prefix, {}, now)
            one = sa.select(republishing.c.since).where(republishing.c.prefix == self._prefix)
            return int(tx.scalar(one) or 0)

    def _alert(self, row: Any) -> tuple[str, bytes]:
        event = {
            "specversion": "1.0",
            "id": row.id,
            "source": source_of(row.device),
            "type": ALERT,
            "time": in_iso_ms(from_ms(row.captured_at)),
            "receivedat": in_iso_ms(from_ms(row.received_at)),
            "datacontenttype": "application/json",
            "data": row.data,
        }
        return f"{self._prefix}/alert/{row.device}", json.dumps(event, ensure_ascii=False).encode()

    def _answer(self, row: Any) -> tuple[str, bytes]:
        at = in_iso_ms(from_ms(row.at))
        event = {
            "specversion": "1.0",
            "id": row.id,
            "source": CENTRAL,
            "type": ANSWERED,
            "time": at,
            "datacontenttype": "application/json",
            "data": {
                "device": row.device,
                "alert": row.alert,
                "outcome": row.outcome,
                "instruction": row.instruction,
                "at": at,
                "until": in_iso_ms(from_ms(row.until)),
            },
        }
        return f"{self._prefix}/answer/{row.device}", json.dumps(event, ensure_ascii=False).encode()

    def _say(self, level: int, state: str) -> None:
        """Logs the state when it changes."""
        if state != self._said:
            self._said = state
            log.log(level, "%s", state)


def _waiting(
    db: sa.Connection, table: sa.Table, at: sa.ColumnElement[int], since: int, most: int
) -> list[Any]:
    if most <= 0:
        return []
    untold = (table.c.republished_at.is_(None), at >= since)
    chosen = sa.select(table).where(*untold).order_by(at, table.c.device, table.c.id)
    return list(db.execute(chosen.limit(most)).all())


def _mark(tx: sa.Connection, table: sa.Table, told: list[Any], now: datetime) -> None:
    if told:
        names = sa.tuple_(table.c.id, table.c.device)
        these = names.in_([(row.id, row.device) for row in told])
        tx.execute(table.update().where(these).values(republished_at=to_ms(now)))


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
