"""The alerts by their state: what waits for an answer comes first what is most pressing first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.console.alert_view import views
from central.console.wire import cursor_of, place_of
from central.store.schema import alerts

MOST = 200
_NEVER = 2**53
"""Stands for the deadline of an alert that has none."""


@dataclass(frozen=True)
class Order:
    """How alerts follow one another: by `columns`, downwards or upwards, then by name."""

    columns: tuple[sa.ColumnElement[Any], ...]
    down: bool

    def by(self) -> list[sa.ColumnElement[Any]]:
        """For ORDER BY."""
        return [column.desc() if self.down else column.asc() for column in self._all()]

    def after(self, cursor: str) -> sa.ColumnElement[bool]:
        """What comes behind the cursor. Raises Problem."""
        here = sa.tuple_(*self._all())
        there = sa.tuple_(*map(sa.literal, self.place(cursor)))
        return here < there if self.down else here > there

    def place(self, cursor: str) -> tuple[Any, ...]:
        """The columns' values and the name at the cursor. Raises Problem."""
        return place_of(cursor, *[int] * len(self.columns), str, str)

    def _all(self) -> tuple[sa.ColumnElement[Any], ...]:
        return (*self.columns, alerts.c.device, alerts.c.id)


_PRESSING = Order(
    (sa.func.coalesce(alerts.c.answer_until, sa.literal_column(str(_NEVER))), alerts.c.received_at),
    down=False,
)
_ANSWERED = Order((alerts.c.answered_at,), down=True)
RECEIVED = Order((alerts.c.received_at,), down=True)

STATES: dict[str, tuple[sa.ColumnElement[bool], Order]] = {
    "open": (alerts.c.answered_at.is_(None), _PRESSING),
    "answered": (alerts.c.answered_at.is_not(None), _ANSWERED),
    "all": (sa.true(), RECEIVED),
}


def page(
    db: sa.Connection,
    state: str,
    limit: int,
    before: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Some of the alerts in `state`, and where they go on. Raises Problem for a bad cursor."""
    chosen, order = STATES[state]
    if before is not None:
        chosen = sa.and_(chosen, order.after(before))
    wanted = sa.select(alerts, *_places(order)).where(chosen).order_by(*order.by())
    rows = db.execute(wanted.limit(limit + 1)).all()
    return paged(db, rows, limit, order, now)


def paged(
    db: sa.Connection, rows: Sequence[Any], limit: int, order: Order, now: datetime
) -> dict[str, Any]:
    """At most `limit` rows, whole; `rows` are one more where there are."""
    some = rows[:limit]
    following = None
    if len(rows) > limit:
        last = some[-1]
        places = [getattr(last, f"place_{number}") for number in range(len(order.columns))]
        following = cursor_of(*places, last.device, last.id)
    return {"alerts": views(db, some, now), "next": following}


def _places(order: Order) -> list[sa.ColumnElement[Any]]:
    """What a cursor is made of."""
    return [column.label(f"place_{number}") for number, column in enumerate(order.columns)]
