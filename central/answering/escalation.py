"""An alert whose time to answer ran out without an answer is escalated: once, whoever notices.

Several consoles look at the same store, and one that was off notices late. The database decides:
an alert is marked only where it is still unanswered and not yet marked, and the mark and its row in
the audit trail are one transaction. An alert that arrived late is overdue as it comes.
"""

from datetime import datetime

import sqlalchemy as sa

from central import audit
from central.moments import to_ms
from central.store.schema import alerts

AT_ONCE = 200
ACTOR = "central"

_DUE = (
    alerts.c.answered_at.is_(None),
    alerts.c.answer_until <= sa.bindparam("now"),
    alerts.c.escalated_at.is_(None),
)
_ANY_DUE = sa.select(sa.literal(1)).where(*_DUE).limit(1)
"""Made once: it is asked with every change of the store."""


def is_any_due(db: sa.Connection, now: datetime) -> bool:
    """Whether `escalate` has anything to do."""
    return db.scalar(_ANY_DUE, {"now": to_ms(now)}) is not None


def escalate(tx: sa.Connection, now: datetime) -> list[tuple[str, str]]:
    """Marks what is overdue, the most overdue first, at most `AT_ONCE`; each by device and id."""
    some = (
        sa.select(alerts.c.device, alerts.c.id)
        .where(*_DUE)
        .order_by(alerts.c.answer_until)
        .limit(AT_ONCE)
    )
    names = [(row.device, row.id) for row in tx.execute(some, {"now": to_ms(now)})]
    if not names:
        return []
    marked = tx.execute(
        alerts.update()
        .where(sa.tuple_(alerts.c.device, alerts.c.id).in_(names), *_DUE)
        .values(escalated_at=sa.bindparam("now"))
        .returning(alerts.c.device, alerts.c.id),
        {"now": to_ms(now)},
    ).all()
    for row in marked:
        audit.record(tx, ACTOR, "", "escalated", f"{row.device}/{row.id}", {}, now)
    return [(row.device, row.id) for row in marked]
