"""Central's store: what devices have said, once each, and what central owes them.

`commit` takes a batch in one transaction and is idempotent by a device's message id: one that is
there already changes nothing, and counts as committed all the same. Where it returns, the batch is
on the disk: SQLite (the default) runs with `synchronous=FULL`, PostgreSQL commits so by itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central import answering, audit, sequence, upgrade, waking
from central.answering import Answer, AnsweredMeanwhile, DueAnswer, UnknownAlert
from central.database import StoreFault, add, in_words, open_engine
from central.moments import from_ms, iso, to_ms
from central.schema import alerts, answers, devices, messages, outcomes, stats
from scanner.alert import AlertData, Event, OutcomeData, StatsData, StatusData

__all__ = [
    "AlertRow",
    "Answer",
    "AnsweredMeanwhile",
    "Committed",
    "DueAnswer",
    "Received",
    "Store",
    "StoreFault",
    "UnknownAlert",
]

_AT_ONCE = 500
"""Rows that one statement names."""


@dataclass(frozen=True)
class Received:
    """A message of `device` that was found genuine, and the bytes that it came in."""

    device: str
    event: Event
    payload: bytes


@dataclass
class Committed:
    """What a batch came to. `counters` holds, for each device, the counter for what central says to
    it about this batch."""

    alerts: list[str] = field(default_factory=list)
    """The ids of the alerts that are new."""
    missing: list[sequence.Gap] = field(default_factory=list)
    arrived: list[sequence.Gap] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    """The devices that used a place in their sequence twice: a restored card, perhaps."""
    counters: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class AlertRow:
    """An alert as it stands in the store."""

    id: str
    device: str
    received_at: datetime
    late: bool
    data: AlertData


class Store:
    """The store at an SQLAlchemy URL. Every method raises StoreFault."""

    def __init__(self, url: str) -> None:
        self._engine = open_engine(url)
        with self.reading() as db:
            present = upgrade.is_present(db)
        if not present:
            with self.changing(quietly=True) as tx:
                upgrade.upgrade(tx)

    def commit(self, batch: Sequence[Received], now: datetime) -> Committed:
        """Stores a batch, whole or not at all."""
        done = Committed()
        with self.changing() as tx:
            for received in batch:
                if isinstance(received.event.data, StatusData):
                    self._keep_status(tx, received.device, received.event.data, now)
                else:
                    self._keep_message(tx, received, now, done)
            for device in sorted({received.device for received in batch}):
                done.counters[device] = self._next_counter(tx, device, now)
        return done

    def alert(self, alert_id: str) -> AlertRow | None:
        """One alert, or None."""
        return next(self._alerts(alerts.c.id == alert_id), None)

    def all_alerts(self) -> Iterator[AlertRow]:
        """Every alert in the order of arrival."""
        return self._alerts(sa.true())

    def unshown(self) -> Iterator[AlertRow]:
        """The alerts that were never shown, in the order of arrival."""
        return self._alerts(alerts.c.shown_at.is_(None))

    def mark_shown(self, shown: Sequence[AlertRow], now: datetime) -> None:
        """The alerts were shown to the operator."""
        names = sa.tuple_(alerts.c.id, alerts.c.device)
        with self.changing(quietly=True) as tx:
            for start in range(0, len(shown), _AT_ONCE):
                some = shown[start : start + _AT_ONCE]
                these = names.in_([(alert.id, alert.device) for alert in some])
                tx.execute(alerts.update().where(these).values(shown_at=to_ms(now)))

    def answer(
        self, answer: Answer, now: datetime, *, seen: str | None = answering.ANY, role: str = ""
    ) -> str:
        """Records an answer, to be sent until the device holds it, and gives its id. It takes the
        place of any earlier answer to the same alert. The audit trail says who gave it. Raises
        UnknownAlert, and AnsweredMeanwhile where `seen` is not the latest answer."""
        with self.changing() as tx:
            answer_id = answering.record(tx, answer, now, seen=seen)
            detail = {
                "answer": answer_id,
                "outcome": answer.outcome.value,
                "until": iso(to_ms(answer.until)),
            }
            audit.record(tx, answer.by or "", role, "answered", answer.alert, detail, now)
            return answer_id

    def due_answers(self, now: datetime) -> list[DueAnswer]:
        """The answers to send now, each with a counter of its own; each falls due again later."""
        with self.reading() as db:
            if not answering.is_any_due(db, now):
                return []
        with self.changing() as tx:
            return answering.take_due(tx, now, lambda device: self._next_counter(tx, device, now))

    def devices(self) -> list[dict[str, Any]]:
        """What is known of each device: its latest status, when it was heard, what is missing of
        its sequences."""
        with self.reading() as db:
            rows = db.execute(sa.select(devices).order_by(devices.c.device)).mappings().all()
            missing = defaultdict(list)
            for gap in sequence.open_gaps(db):
                missing[gap.device].append([gap.first, gap.last])
        return [
            {
                "device": row["device"],
                "online": row["online"],
                "heard_at": iso(row["heard_at"]),
                "status_at": iso(row["status_at"]),
                "status": row["status"],
                "missing": missing[row["device"]],
            }
            for row in rows
        ]

    def answers_to(self, alert_id: str) -> list[dict[str, Any]]:
        """The answers to an alert, oldest first, and whether the device holds them."""
        with self.reading() as db:
            chosen = sa.select(answers).where(answers.c.alert == alert_id).order_by(answers.c.id)
            rows = db.execute(chosen).all()
        return [
            {
                "id": row.id,
                "outcome": row.outcome,
                "instruction": row.instruction,
                "reason": row.reason,
                "by": row.by,
                "at": iso(row.at),
                "until": iso(row.until),
                "held_at": iso(row.held_at),
            }
            for row in rows
        ]

    def close(self) -> None:
        """Lets go of the database."""
        self._engine.dispose()

    def _keep_message(
        self, tx: sa.Connection, received: Received, now: datetime, done: Committed
    ) -> None:
        event, device = received.event, received.device
        if event.epoch is None or event.n is None:
            raise ValueError(f"a message of kind {event.message} has no place in a sequence")
        added = add(
            tx,
            messages,
            id=event.id,
            device=device,
            kind=event.message.value,
            epoch=event.epoch,
            n=event.n,
            said_at=to_ms(event.time),
            received_at=to_ms(now),
            payload=received.payload,
        )
        add(tx, devices, device=device, heard_at=to_ms(now))
        tx.execute(devices.update().where(devices.c.device == device).values(heard_at=to_ms(now)))
        if not added:
            return
        place = sequence.Place(device, event.epoch, event.n)
        change = sequence.advance(tx, place, to_ms(now))
        done.missing += change.missing
        done.arrived += change.arrived
        done.repeated += [device] if change.repeated else []
        self._keep_content(tx, event, device, now)
        if isinstance(event.data, AlertData):
            done.alerts.append(event.id)

    def _keep_content(self, tx: sa.Connection, event: Event, device: str, now: datetime) -> None:
        data = event.data
        if isinstance(data, AlertData):
            until = data.request_answer_until
            tx.execute(
                alerts.insert().values(
                    id=event.id,
                    device=device,
                    outcome=data.outcome.value,
                    issuer=data.document.issuer,
                    number=data.document.number,
                    kind=data.document.kind.value,
                    surname=data.document.surname,
                    given_names=data.document.given_names,
                    site=data.place.site,
                    captured_at=to_ms(data.captured_at),
                    received_at=to_ms(now),
                    answer_until=None if until is None else to_ms(until),
                    late=until is not None and now > until,
                    data=data.model_dump(mode="json"),
                )
            )
        elif isinstance(data, OutcomeData):
            tx.execute(
                outcomes.insert().values(
                    id=event.id,
                    alert=data.alert,
                    device=device,
                    action=data.action.value,
                    officer=data.officer,
                    at=to_ms(data.at),
                    note=data.note,
                )
            )
        elif isinstance(data, StatsData):
            tx.execute(
                stats.insert().values(
                    id=event.id,
                    device=device,
                    since=to_ms(data.since),
                    until=to_ms(data.until),
                    data=data.model_dump(mode="json"),
                )
            )

    def _keep_status(
        self, tx: sa.Connection, device: str, status: StatusData, now: datetime
    ) -> None:
        """Keeps the status if it is later than the one kept; a last will that comes after its
        device is back, or any status said again, is not."""
        add(tx, devices, device=device, heard_at=to_ms(now))
        row = tx.execute(sa.select(devices).where(devices.c.device == device)).one()
        ended = int(not status.online)
        order = (status.boot, status.connection, ended, status.revision)
        if row.status_at is not None and order <= (
            row.boot,
            row.connection,
            row.ended,
            row.revision,
        ):
            return
        tx.execute(
            devices.update()
            .where(devices.c.device == device)
            .values(
                boot=status.boot,
                connection=status.connection,
                ended=ended,
                revision=status.revision,
                online=status.online,
                status_at=to_ms(now),
                heard_at=to_ms(now) if status.online else row.heard_at,
                status=status.model_dump(mode="json") if status.online else row.status,
            )
        )
        if status.answers_held:
            answering.settle(tx, device, status.answers_held, now)
        if status.online and (status.boot, status.connection) != (row.boot, row.connection):
            answering.hurry(tx, device, now)

    def _next_counter(self, tx: sa.Connection, device: str, now: datetime) -> int:
        """A number above every one before: the time in milliseconds where that is greater, so that
        it also grows past a store that was lost or brought back from a copy."""
        add(tx, devices, device=device, heard_at=to_ms(now))
        of_device = devices.c.device == device
        last = tx.scalar(sa.select(devices.c.counter).where(of_device)) or 0
        counter = max(last + 1, to_ms(now))
        tx.execute(devices.update().where(of_device).values(counter=counter))
        return counter

    def _alerts(self, chosen: sa.ColumnElement[bool]) -> Iterator[AlertRow]:
        with self.reading() as db:
            order = (alerts.c.received_at, alerts.c.id)
            rows = db.execute(sa.select(alerts).where(chosen).order_by(*order)).all()
        for row in rows:
            data = AlertData.model_validate(row.data, strict=False)
            yield AlertRow(row.id, row.device, from_ms(row.received_at), row.late, data)

    @contextmanager
    def changing(self, *, quietly: bool = False) -> Iterator[sa.Connection]:
        """One transaction, whole or not at all, for whatever is to be changed together; where it
        ends, it is on the disk, and whoever watches the store wakes, unless `quietly`."""
        with in_words(), self._engine.begin() as connection:
            yield connection
            if not quietly:
                waking.notify(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One view of the store."""
        with in_words(), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    def watch(self) -> waking.Watch:
        """Wakes with what is committed to this store from now on, by whichever process."""
        return waking.Watch(self._engine)
