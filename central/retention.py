"""How long central keeps what it has, and the purge that ends it.

An alert goes with its answers, with what the officer did, and with the signed bytes of each. The
ids of its messages stay, without a word of what they said: a device, or whoever kept a copy, that
says one again is acknowledged and brings nothing back. Sequences and what is missing of them always
stay.

An alert stays beyond its time while one of its answers still holds at the desks and, unless the
policy says otherwise, while nobody has answered it for good.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from central import audit
from central.moments import to_ms
from central.settings import RetentionSettings
from central.store.schema import alerts, answers, drills, messages, outcomes, rollouts, stats
from central.store.schema import audit as trail
from central.store.store import Store
from scanner.alert import AnswerOutcome

AT_ONCE = 500
"""How many rows go in one transaction, so that receivers never wait long."""
_FINAL = (AnswerOutcome.CONFIRMED.value, AnswerOutcome.NOT_CONFIRMED.value)


@dataclass
class Purged:
    """How many went, or would go."""

    alerts: int = 0
    stats: int = 0
    rollouts: int = 0
    drills: int = 0
    audit: int = 0

    def __str__(self) -> str:
        counts = (f"{getattr(self, one.name)} {_WORDS[one.name]}" for one in fields(self))
        return ", ".join(counts)


_WORDS = {
    "alerts": "alerts",
    "stats": "hourly counts",
    "rollouts": "reports of updates",
    "drills": "reports of drills",
    "audit": "rows of the audit trail",
}


def due(store: Store, policy: RetentionSettings, now: datetime) -> Purged:
    """What `purge` would remove now."""
    with store.reading() as db:
        return Purged(
            alerts=_count(db, alerts, _old_alerts(policy, now)),
            stats=_count(db, stats, _old_stats(policy, now)),
            rollouts=_count(db, rollouts, _old_told(rollouts, policy.stats_days, now)),
            drills=_count(db, drills, _old_told(drills, policy.alerts_days, now)),
            audit=_count(db, trail, _old_audit(policy, now)),
        )


def purge(
    store: Store, policy: RetentionSettings, now: datetime, *, actor: str, role: str
) -> Purged:
    """Removes what is beyond its time, and writes into the audit trail that it did."""
    purged = Purged()
    while count := _purge_alerts(store, policy, now):
        purged.alerts += count
    while count := _purge_told(store, stats, _old_stats(policy, now)):
        purged.stats += count
    while count := _purge_told(store, rollouts, _old_told(rollouts, policy.stats_days, now)):
        purged.rollouts += count
    while count := _purge_told(store, drills, _old_told(drills, policy.alerts_days, now)):
        purged.drills += count
    with store.changing(quietly=True) as tx:
        detail = {name: getattr(purged, name) for name in ("alerts", "stats", "rollouts", "drills")}
        if any(detail.values()):
            audit.record(tx, actor, role, "purged", "store", detail, now)
        before = _before(policy.audit_days, now)
        if before is not None:
            purged.audit = audit.purge(tx, before, actor, role, now)
    return purged


def _purge_alerts(store: Store, policy: RetentionSettings, now: datetime) -> int:
    with store.changing(quietly=True) as tx:
        chosen = sa.select(alerts.c.id, alerts.c.device).where(*_old_alerts(policy, now))
        some = chosen.order_by(alerts.c.received_at).limit(AT_ONCE).with_for_update()
        names = [tuple(row) for row in tx.execute(some)]
        if not names:
            return 0
        about = sa.tuple_(outcomes.c.alert, outcomes.c.device).in_(names)
        done = tx.execute(sa.select(outcomes.c.id, outcomes.c.device).where(about))
        _forget(tx, names + [tuple(row) for row in done])
        tx.execute(outcomes.delete().where(about))
        tx.execute(answers.delete().where(sa.tuple_(answers.c.alert, answers.c.device).in_(names)))
        tx.execute(alerts.delete().where(sa.tuple_(alerts.c.id, alerts.c.device).in_(names)))
        return len(names)


def _purge_told(store: Store, table: sa.Table, old: Iterator[sa.ColumnElement[bool]]) -> int:
    """Some of what devices told of themselves."""
    with store.changing(quietly=True) as tx:
        chosen = sa.select(table.c.id, table.c.device).where(*old)
        names = [tuple(row) for row in tx.execute(chosen.limit(AT_ONCE).with_for_update())]
        if names:
            _forget(tx, names)
            tx.execute(table.delete().where(sa.tuple_(table.c.id, table.c.device).in_(names)))
        return len(names)


def _forget(tx: sa.Connection, names: list[tuple[Any, ...]]) -> None:
    """Leaves nothing of these messages but that they were here."""
    these = sa.tuple_(messages.c.id, messages.c.device).in_(names)
    tx.execute(messages.update().where(these).values(payload=b""))


def _old_alerts(policy: RetentionSettings, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    before = _before(policy.alerts_days, now)
    yield sa.false() if before is None else alerts.c.received_at < to_ms(before)
    holding = sa.select(answers.c.id).where(
        answers.c.alert == alerts.c.id,
        answers.c.device == alerts.c.device,
        answers.c.until > to_ms(now),
    )
    yield ~holding.exists()
    if policy.answered_only:
        yield alerts.c.answer.in_(_FINAL)


def _old_stats(policy: RetentionSettings, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    before = _before(policy.stats_days, now)
    yield sa.false() if before is None else stats.c.until < to_ms(before)


def _old_told(table: sa.Table, days: int, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    before = _before(days, now)
    yield sa.false() if before is None else table.c.received_at < to_ms(before)


def _old_audit(policy: RetentionSettings, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
    before = _before(policy.audit_days, now)
    latest = sa.select(sa.func.max(trail.c.n)).scalar_subquery()
    yield sa.false() if before is None else trail.c.at < to_ms(before)
    yield trail.c.n < latest


def _before(days: int, now: datetime) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _count(db: sa.Connection, table: sa.Table, old: Iterator[sa.ColumnElement[bool]]) -> int:
    return int(db.scalar(sa.select(sa.func.count()).select_from(table).where(*old)) or 0)
