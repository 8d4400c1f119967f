"""An alert whose time to answer ran out without an answer is escalated: once, whoever notices.

Several consoles look at the same store, and one that was off notices late. The database decides:
an alert is marked only where it is still unanswered and not yet marked, and the mark and its row in
the audit trail are one transaction. An alert that arrived late is overdue as it comes.
"""

from datetime import datetime

import sqlalchemy as sa

from central import audit
from central.moments import to_ms
from central.schema import alerts

AT_ONCE = 200
ACTOR = "central"


def is_any_due(db: sa.Connection, now: datetime) -> bool:
    """Whether `escalate` has anything to do."""
    return db.scalar(sa.select(sa.literal(1)).where(*_due(now)).limit(1)) is not None


def escalate(tx: sa.Connection, now: datetime) -> list[tuple[str, str]]:
    """Marks what is overdue, the most overdue first, at most `AT_ONCE`; each by device and id."""
    some = (
        sa.select(alerts.c.device, alerts.c.id)
        .where(*_due(now))
        .order_by(alerts.c.answer_until)
        .limit(AT_ONCE)
    )
    names = [(row.device, row.id) for row in tx.execute(some)]
    if not names:
        return []
    marked = tx.execute(
        alerts.update()
        .where(sa.tuple_(alerts.c.device, alerts.c.id).in_(names), *_due(now))
        .values(escalated_at=to_ms(now))
        .returning(alerts.c.device, alerts.c.id)
    ).all()
    for row in marked:
        audit.record(tx, ACTOR, "", "escalated", f"{row.device}/{row.id}", {}, now)
    return [(row.device, row.id) for row in marked]


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        alerts.c.answered_at.is_(None),
        alerts.c.answer_until <= to_ms(now),
        alerts.c.escalated_at.is_(None),
    )
