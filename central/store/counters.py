"""Counts what happens at central, for the metrics, in the store where all processes add to it.

Receivers and the console are processes of their own, on perhaps several machines, and come and go;
the sums in the store outlast them and only grow, so one place tells them all.

No label is ever taken from a message: all are words of ours.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from central.moments import to_ms
from central.store.schema import alerts, counters
from scanner.alert import AnswerOutcome

BATCH_UP_TO = (1, 2, 5, 10, 20, 50, 100)
STORE_UP_TO_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ANSWER_UP_TO_S = (10, 30, 60, 120, 300, 600, 1800, 3600)
BEYOND = "+Inf"

Key = tuple[str, str]
"""A counter's name and its label."""

_TIMES = sa.select(alerts.c.received_at, alerts.c.answered_at).where(
    alerts.c.id == sa.bindparam("alert"), alerts.c.device == sa.bindparam("device")
)


def add_counts(tx: sa.Connection, counts: Mapping[Key, int]) -> None:
    """Adds to the counters in the store, in one order, so that nobody waits crosswise."""
    rows = [
        {"name": name, "label": label, "value": count}
        for (name, label), count in sorted(counts.items())
        if count
    ]
    if rows:
        tx.execute(_adding(tx.dialect.name), rows)


@cache
def _adding(dialect: str) -> Any:
    adding = postgresql.insert(counters) if dialect == "postgresql" else sqlite.insert(counters)
    summed = counters.c.value + adding.excluded.value
    return adding.on_conflict_do_update(index_elements=["name", "label"], set_={"value": summed})


def every_count(db: sa.Connection) -> dict[Key, int]:
    """All of them."""
    return {(row.name, row.label): row.value for row in db.execute(sa.select(counters))}


def note_answer(
    tx: sa.Connection, alert: str, device: str, outcome: AnswerOutcome, now: datetime
) -> None:
    """Counts an answer that `tx` is about to record; the first one to an alert also by its time."""
    row = tx.execute(_TIMES, {"alert": alert, "device": device}).one_or_none()
    counts = Counter({("answers", outcome.value): 1})
    if row is not None and row.answered_at is None:
        took_ms = max(0, to_ms(now) - row.received_at)
        counts += observed("answer", took_ms / 1000, ANSWER_UP_TO_S)
    add_counts(tx, counts)


def observed(name: str, value: float, up_to: Sequence[float]) -> Counter[Key]:
    """What a histogram grows by: the bucket's own count, and the sum in millionths."""
    bucket = next((str(limit) for limit in up_to if value <= limit), BEYOND)
    return Counter({(name, bucket): 1, (f"{name}_sum", ""): round(value * 1e6)})
