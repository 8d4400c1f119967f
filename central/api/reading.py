"""What the interface reads of the store beyond what the console reads of it too."""

from collections import defaultdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.api.asked import StatsAsked
from central.console.devices import Known
from central.console.wire import cursor_of, moment, place_of
from central.moments import to_ms
from central.store.schema import alerts, stats
from scanner.watchlist.contract import ListHealth


def alert_named(db: sa.Connection, device: str, alert: str) -> Any:
    """The row of an alert, or None."""
    one = (alerts.c.id == alert, alerts.c.device == device)
    return db.execute(sa.select(alerts).where(*one)).one_or_none()


def lists_of(known: list[Known]) -> list[dict[str, Any]]:
    """The lists by name with their versions, the newest first, and who has which."""
    found: dict[str, dict[int, dict[str, Any]]] = defaultdict(dict)
    for one in known:
        for told in (one.status or {}).get("lists", ()):
            number = -1 if told["version"] is None else told["version"]
            empty = {"version": told["version"], "as_of": None, "devices": [], "not_ok": []}
            version = found[told["name"]].setdefault(number, empty)
            version["devices"].append(one.device)
            version["as_of"] = version["as_of"] or _as_moment(told["as_of"])
            if told["health"] != ListHealth.OK:
                version["not_ok"].append(one.device)
    return [
        {"name": name, "versions": [versions[n] for n in sorted(versions, reverse=True)]}
        for name, versions in sorted(found.items())
    ]


def hours(db: sa.Connection, asked: StatsAsked) -> dict[str, Any]:
    """A page of what devices counted. Raises Problem for a cursor that is none."""
    place = (stats.c.since, stats.c.device, stats.c.id)
    chosen = sa.select(stats).order_by(*(column.desc() for column in place))
    if asked.since is not None:
        chosen = chosen.where(stats.c.since >= to_ms(asked.since))
    if asked.until is not None:
        chosen = chosen.where(stats.c.since < to_ms(asked.until))
    if asked.device is not None:
        chosen = chosen.where(stats.c.device == asked.device)
    if asked.before is not None:
        there = place_of(asked.before, int, str, str)
        chosen = chosen.where(sa.tuple_(*place) < sa.tuple_(*map(sa.literal, there)))
    rows = db.execute(chosen.limit(asked.limit + 1)).all()
    some, following = rows[: asked.limit], None
    if len(rows) > asked.limit:
        following = cursor_of(some[-1].since, some[-1].device, some[-1].id)
    return {"hours": [_hour(row) for row in some], "next": following}


def _hour(row: Any) -> dict[str, Any]:
    return {
        "device": row.device,
        "since": moment(row.since),
        "until": moment(row.until),
        "counts": row.data["counts"],
        "suppressed_below": row.data["suppressed_below"],
        "issuers": row.data.get("issuers", {}),
        "journal": row.data.get("journal"),
    }


def _as_moment(told: str | None) -> str | None:
    return None if told is None else moment(to_ms(datetime.fromisoformat(told)))
