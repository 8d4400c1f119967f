"""Central's store: what devices have said, once each, and what central owes them.

`commit` takes a batch in one transaction and is idempotent by a device's message id: one that is
there already changes nothing, and counts as committed all the same. Where it returns, the batch is
on the disk: SQLite (the default) runs with `synchronous=FULL`, PostgreSQL commits so by itself.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central import audit
from central.answering import answers as answering
from central.answering.answers import Answer, AnsweredMeanwhile, DueAnswer, UnknownAlert
from central.moments import from_ms, iso, to_ms
from central.store import batch as batches
from central.store import sequence, upgrade, waking
from central.store.batch import AlertRow, Committed, Received
from central.store.database import StoreAway, StoreFault, Unstorable, in_words, open_engine
from central.store.device_rows import Counters, locked
from central.store.schema import alerts, answers, devices
from scanner.alert import AlertData, TallyData

__all__ = [
    "AlertRow",
    "Answer",
    "AnsweredMeanwhile",
    "Committed",
    "DueAnswer",
    "Received",
    "Store",
    "StoreAway",
    "StoreFault",
    "UnknownAlert",
    "Unstorable",
]

_AT_ONCE = 500
"""Rows that one statement names."""


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
        with self.changing() as tx:
            return batches.store(tx, batch, now)

    def alert(self, alert_id: str) -> AlertRow | None:
        """One alert, or None."""
        return next(self._alerts(alerts.c.id == alert_id), None)

    def all_alerts(self) -> Iterator[AlertRow]:
        """Every alert in the order of arrival."""
        return self._alerts(sa.true())

    def unshown(self, before: datetime | None = None) -> Iterator[AlertRow]:
        """The alerts that were never shown, those from before `before`, in the order of arrival."""
        old = sa.true() if before is None else alerts.c.received_at < to_ms(before)
        return self._alerts(sa.and_(alerts.c.shown_at.is_(None), old))

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
        found: list[DueAnswer] = []
        with self.reading() as db:
            new, others = answering.due(db, now)
        if new:
            with self.changing(quietly=True, lasting=False) as tx:
                found += answering.take_new(tx, now)
        if others:
            with self.changing(quietly=True) as tx:
                found += answering.take_due(tx, now)
        return found

    def lasting_gaps(self, now: datetime) -> list[sequence.Gap]:
        """What has come to be missing for so long that it is to be said, each once and to one
        receiver."""
        with self.reading() as db:
            if not sequence.is_any_lasting(db, to_ms(now)):
                return []
        with self.changing(quietly=True) as tx:
            return sequence.take_lasting(tx, to_ms(now))

    def tallies(self, gaps: Sequence[sequence.Gap], now: datetime) -> list[TallyData]:
        """What central holds of the sequences that these are missing of, to be told their devices:
        what they believe to have delivered, they say again."""
        with self.changing(quietly=True) as tx:
            return batches.tallies(tx, {(gap.device, gap.epoch) for gap in gaps}, now)

    def keys_held(self) -> list[tuple[str, tuple[str, ...]]]:
        """Each device that is online, and the keys that it believes central by."""
        held = devices.c.status["central_keys"]
        chosen = sa.select(devices.c.device, held).where(devices.c.online.is_(True))
        with self.reading() as db:
            return [(device, tuple(keys or ())) for device, keys in db.execute(chosen)]

    def counter_for_keys(self, device: str, now: datetime, again_after_s: float) -> int | None:
        """A counter for telling `device` central's keys, or None where it was told just now."""
        at = to_ms(now)
        with self.changing(quietly=True) as tx:
            rows = locked(tx, [device], at)
            told_at = rows[device].keys_at
            if told_at is not None and at - told_at < again_after_s * 1000:
                return None
            counters = Counters(rows, at)
            counter = counters.take(device)
            counters.save(tx)
            tx.execute(devices.update().where(devices.c.device == device).values(keys_at=at))
            return counter

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

    def _alerts(self, chosen: sa.ColumnElement[bool]) -> Iterator[AlertRow]:
        with self.reading() as db:
            order = (alerts.c.received_at, alerts.c.id)
            rows = db.execute(sa.select(alerts).where(chosen).order_by(*order)).all()
        for row in rows:
            data = AlertData.model_validate(row.data, strict=False)
            yield AlertRow(row.id, row.device, from_ms(row.received_at), row.late, data)

    @contextmanager
    def changing(self, *, quietly: bool = False, lasting: bool = True) -> Iterator[sa.Connection]:
        """One transaction, whole or not at all, for whatever is to be changed together; where it
        ends, it is on the disk, and whoever watches the store wakes, unless `quietly`. Where it
        need not be `lasting`, the disk is not waited for: a power cut can take it back."""
        with in_words(), self._engine.connect() as connection:
            connection.execution_options(lasting=lasting)
            with connection.begin():
                yield connection
                if not quietly:
                    waking.notify(connection)
            if not quietly:
                waking.committed(self._engine)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """One view of the store."""
        with in_words(), self._engine.connect() as connection:
            yield connection.execution_options(reading=True)

    def watch(self) -> waking.Watch:
        """Wakes with what is committed to this store from now on, by whichever process."""
        return waking.Watch(self._engine)
