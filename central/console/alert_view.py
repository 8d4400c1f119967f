"""An alert as the console's page shows it: with its answers, what the officer did of it, and what
else was raised about the same document.

However many alerts are shown, each of these is asked for once.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from central.console.wire import moment
from central.moments import to_ms
from central.store.rows import among
from central.store.schema import alerts, answers, outcomes
from scanner.mrz.reading import Entered
from scanner.mrz.states import name_of

EARLIER_MOST = 10
Name = tuple[str, str]
"""A device and the id of an alert that it raised."""


# Each statement is made once for each database: making one takes longer than asking it.


@cache
def _earlier_of_each(dialect: str) -> sa.Select[Any]:
    """Of each document among `numbers`, the latest alerts."""
    rank = sa.func.row_number().over(
        partition_by=(alerts.c.issuer, alerts.c.number), order_by=alerts.c.received_at.desc()
    )
    columns = ("issuer", "number", "device", "id", "received_at", "answer")
    ranked = (
        sa.select(*(alerts.c[name] for name in columns), rank.label("place"))
        .where(among(dialect, alerts.c.number, "numbers"))
        .subquery()
    )
    latest = sa.select(ranked).where(ranked.c.place <= EARLIER_MOST + 1)
    return latest.order_by(ranked.c.received_at.desc())


@cache
def _rows_of(table: sa.Table, column: str, order: tuple[str, ...], dialect: str) -> sa.Select[Any]:
    """The rows of `table` that are about the alerts in `ids`, in the order of columns."""
    these = among(dialect, table.c[column], "ids")
    return sa.select(table).where(these).order_by(*(table.c[name] for name in order))


def shown(db: sa.Connection, chosen: Sequence[Name], now: datetime) -> list[dict[str, Any]]:
    """The alerts so named that are there, in that order."""
    found: dict[Name, dict[str, Any]] = {}
    for start in range(0, len(chosen), 200):
        names = list(chosen[start : start + 200])
        rows = _asked(db, alerts, "id", (), names)
        found |= {_name(alert): alert for alert in views(db, rows, now)}
    return [found[name] for name in chosen if name in found]


def views(db: sa.Connection, rows: Sequence[Any], now: datetime) -> list[dict[str, Any]]:
    """These rows of the alerts' table, each whole."""
    if not rows:
        return []
    names = [(row.device, row.id) for row in rows]
    answered, done, earlier = _answers(db, names), _outcomes(db, names), _earlier(db, rows)
    return [
        {
            **_alert(row, now),
            "answers": answered[row.device, row.id],
            "outcomes": done[row.device, row.id],
            "earlier": [
                one
                for one in earlier[row.issuer, row.number]
                if (one["device"], one["id"]) != (row.device, row.id)
            ][:EARLIER_MOST],
        }
        for row in rows
    ]


def list_view(version: dict[str, Any], at: datetime) -> dict[str, Any]:
    """A list as a device told of it, and how old it is at `at`."""
    as_of = version["as_of"]
    told = None if as_of is None else datetime.fromisoformat(as_of)
    return {
        "name": version["name"],
        "version": version["version"],
        "as_of": None if told is None else moment(to_ms(told)),
        "health": version["health"],
        "age_s": None if told is None else round((at - told).total_seconds()),
    }


def _alert(row: Any, now: datetime) -> dict[str, Any]:
    data = row.data
    captured = datetime.fromisoformat(data["captured_at"])
    document = data["document"]
    open_until = None if row.answered_at is not None else row.answer_until
    return {
        "id": row.id,
        "device": row.device,
        "site": data["place"]["site"],
        "lane": data["place"]["lane"],
        "outcome": row.outcome,
        "entered": data.get("entered", Entered.READ),
        "captured_at": moment(row.captured_at),
        "received_at": moment(row.received_at),
        "late": row.late,
        "answer_until": moment(row.answer_until),
        "overdue": open_until is not None and open_until <= to_ms(now),
        "answer": row.answer,
        "answered_at": moment(row.answered_at),
        "escalated_at": moment(row.escalated_at),
        "seen_at": moment(row.seen_at),
        "document": {
            **document,
            "issuer_name": name_of(document["issuer"]),
            "nationality_name": name_of(document["nationality"]),
        },
        "matches": data["matches"],
        "matches_left_out": data["matches_left_out"],
        "lists": [list_view(one, captured) for one in data["lists"]],
    }


def _answers(db: sa.Connection, names: list[Name]) -> dict[Name, list[dict[str, Any]]]:
    found: dict[Name, list[dict[str, Any]]] = defaultdict(list)
    for row in _asked(db, answers, "alert", ("id",), names):
        found[row.device, row.alert].append(
            {
                "id": row.id,
                "outcome": row.outcome,
                "instruction": row.instruction,
                "reason": row.reason,
                "at": moment(row.at),
                "until": moment(row.until),
                "by": row.by,
                "held_at": moment(row.held_at),
            }
        )
    return found


def _outcomes(db: sa.Connection, names: list[Name]) -> dict[Name, list[dict[str, Any]]]:
    found: dict[Name, list[dict[str, Any]]] = defaultdict(list)
    for row in _asked(db, outcomes, "alert", ("at", "id"), names):
        found[row.device, row.alert].append(
            {
                "action": row.action,
                "officer": row.officer,
                "at": moment(row.at),
                "note": row.note,
            }
        )
    return found


def _earlier(db: sa.Connection, rows: Sequence[Any]) -> dict[Name, list[dict[str, Any]]]:
    """By issuer and number, the latest alerts about that document."""
    numbers = sorted({row.number for row in rows})
    found: dict[Name, list[dict[str, Any]]] = defaultdict(list)
    for row in db.execute(_earlier_of_each(db.dialect.name), {"numbers": numbers}):
        found[row.issuer, row.number].append(
            {
                "id": row.id,
                "device": row.device,
                "received_at": moment(row.received_at),
                "answer": row.answer,
            }
        )
    return found


def _asked(
    db: sa.Connection, table: sa.Table, column: str, order: tuple[str, ...], names: list[Name]
) -> Sequence[Any]:
    """The rows about these alerts. An id can have been taken by several devices; the caller tells
    them apart."""
    chosen = _rows_of(table, column, order, db.dialect.name)
    return db.execute(chosen, {"ids": [alert for _, alert in names]}).all()


def _name(alert: dict[str, Any]) -> Name:
    return alert["device"], alert["id"]
