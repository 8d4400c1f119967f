"""Trends: scans, hits and answers over the last day, week or month.

Scans are what devices count, hit by hour. A device leaves out a count that is so small that it
could point at a person; such a count is in no sum here, and a sum of nothing else is null. Hits are
counted from the alerts themselves. Whoever may not look at alerts sees no hit count that devices
would leave out either, and no issuing State.
"""

import statistics
import time
from collections import Counter, defaultdict
from datetime import datetime
from threading import Lock
from typing import Any

import sqlalchemy as sa

from central.console.wire import moment
from central.moments import to_ms
from central.store.schema import alerts, answers, devices, stats
from central.store.store import Store
from scanner.alert import Alerting
from scanner.mrz.states import name_of

HOUR_MS = 3_600_000
COUNTED_EVERY_S = 15.0
SMALL = 5
"""Below how many a count is left out where no device has said."""
UP_TO_S = (30, 60, 120, 300, 600, 1800, 3600, None)
ISSUERS_MOST = 20
_TIMES_MOST = 20_000
"""Of how many answered alerts, the latest ones, the times are told."""
Cell = dict[str, Any]
Raised = defaultdict[Any, Counter[str]]
"""Alerts by anything and by outcome."""


class Trends:
    """Counted once for everybody who asks within a while. For any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._counted: dict[tuple[int, bool], tuple[float, dict[str, Any]]] = {}

    def of(self, days: int, now: datetime, *, sees_alerts: bool) -> dict[str, Any]:
        """The last `days` days up to `now`, or a little before. Raises StoreFault."""
        asked = (days, sees_alerts)
        with self._lock:
            at, told = self._counted.get(asked, (0.0, {}))
            if not told or time.monotonic() >= at + COUNTED_EVERY_S:
                with self._store.reading() as db:
                    told = trends(db, days, now, sees_alerts=sees_alerts)
                self._counted[asked] = (time.monotonic(), told)
            return told


def trends(db: sa.Connection, days: int, now: datetime, *, sees_alerts: bool) -> dict[str, Any]:
    """The last `days` days up to `now`."""
    end = to_ms(now)
    start = (end // HOUR_MS) * HOUR_MS - (days * 24 - 1) * HOUR_MS
    small = 0 if sees_alerts else _small(db, start)
    hours, checkpoints, issuers = _raised(db, start)
    return {
        "hours": _hours(db, hours, range(start, end + 1, HOUR_MS), small),
        "checkpoints": _checkpoints(db, checkpoints, start, small),
        "issuers": _issuers(issuers) if sees_alerts else [],
        **_answer_times(db, start),
    }


def _hours(db: sa.Connection, raised: Raised, hours: range, small: int) -> list[Cell]:
    scans = _scans(db, stats.c.since - stats.c.since % HOUR_MS, hours.start)
    return [
        {"at": moment(at), "scans": scans.get(at), **_counts(raised[at], small)} for at in hours
    ]


def _checkpoints(db: sa.Connection, raised: Raised, start: int, small: int) -> list[Cell]:
    at = {
        row.device: ((row.status or {}).get("place") or {}).get("site", "")
        for row in db.execute(sa.select(devices.c.device, devices.c.status))
    }
    scans: dict[str, int | None] = {}
    for device, count in _scans(db, stats.c.device, start).items():
        site = at.get(device, "")
        known = [one for one in (scans.get(site), count) if one is not None]
        scans[site] = sum(known) if known else None
    return [
        {"site": site, "scans": scans.get(site), **_counts(raised[site], small)}
        for site in sorted({*scans, *raised})
    ]


def _issuers(raised: Raised) -> list[Cell]:
    most = sorted(raised, key=lambda issuer: (-raised[issuer].total(), issuer))
    return [
        {"issuer": issuer, "name": name_of(issuer), **_counts(raised[issuer], 0)}
        for issuer in most[:ISSUERS_MOST]
    ]


def _answer_times(db: sa.Connection, start: int) -> dict[str, Any]:
    """From an alert's arrival to the first answer to it."""
    latest = (
        sa.select(alerts.c.device, alerts.c.id, alerts.c.received_at)
        .where(alerts.c.received_at >= start, alerts.c.answered_at.is_not(None))
        .order_by(alerts.c.received_at.desc())
        .limit(_TIMES_MOST)
        .subquery()
    )
    to_it = sa.and_(answers.c.alert == latest.c.id, answers.c.device == latest.c.device)
    chosen = (
        sa.select(sa.func.min(answers.c.at) - latest.c.received_at)
        .select_from(latest.join(answers, to_it))
        .group_by(latest.c.device, latest.c.id, latest.c.received_at)
    )
    times = sorted(max(0, one) / 1000 for one in db.scalars(chosen))
    in_window = alerts.c.received_at >= start
    counted = sa.select(sa.func.count(alerts.c.answered_at), sa.func.count(alerts.c.escalated_at))
    answered, overdue = db.execute(counted.where(in_window)).one()
    return {
        "answer_times": _histogram(times),
        "answered": answered,
        "overdue": overdue,
        "median_s": round(statistics.median(times), 1) if times else None,
        "p90_s": round(times[(len(times) * 9 - 1) // 10], 1) if times else None,
    }


def _histogram(times: list[float]) -> list[Cell]:
    counts = [0] * len(UP_TO_S)
    for one in times:
        counts[next(i for i, most in enumerate(UP_TO_S) if most is None or one <= most)] += 1
    return [{"upto_s": most, "count": count} for most, count in zip(UP_TO_S, counts, strict=True)]


def _scans(db: sa.Connection, by: sa.ColumnElement[Any], start: int) -> dict[Any, int | None]:
    """Scans of every outcome by `by`; None where every count was left out."""
    counts = _each_count(db)
    key = by.label("key")
    known = sa.func.sum(sa.cast(counts.c.value, sa.BigInteger))
    chosen = (
        sa.select(key, known)
        .select_from(stats.join(counts, sa.true()))
        .where(stats.c.since >= start)
        .group_by(key)
    )
    return {row[0]: None if row[1] is None else int(row[1]) for row in db.execute(chosen)}


def _each_count(db: sa.Connection) -> sa.FromClause:
    """The counts of a row of stats, one a row."""
    if db.dialect.name == "postgresql":
        counts = sa.func.json_each_text(stats.c.data["counts"])
        return counts.table_valued("key", "value", joins_implicitly=True).lateral()
    return sa.func.json_each(stats.c.data, "$.counts").table_valued("key", "value")


def _small(db: sa.Connection, start: int) -> int:
    """Below how many devices leave a count out."""
    told = stats.c.data["suppressed_below"].as_integer()
    most = db.scalar(sa.select(sa.func.max(told)).where(stats.c.since >= start))
    return SMALL if most is None else max(SMALL, int(most))


def _raised(db: sa.Connection, start: int) -> tuple[Raised, Raised, Raised]:
    """Alerts by outcome, for each hour of capture, checkpoint and issuing State; counted in one
    walk along the time of arrival."""
    hour = alerts.c.captured_at - alerts.c.captured_at % HOUR_MS
    keys = (hour.label("hour"), alerts.c.site, alerts.c.issuer, alerts.c.outcome)
    chosen = sa.select(*keys, sa.func.count()).where(alerts.c.received_at >= start).group_by(*keys)
    hours, checkpoints, issuers = _no_alerts(), _no_alerts(), _no_alerts()
    for at, site, issuer, outcome, count in db.execute(chosen):
        for raised, key in ((hours, at), (checkpoints, site), (issuers, issuer)):
            raised[key][outcome] += count
    return hours, checkpoints, issuers


def _no_alerts() -> Raised:
    return defaultdict(Counter)


def _counts(raised: Counter[str], small: int) -> Cell:
    def told(outcome: Alerting) -> int | None:
        count = raised[outcome.value]
        return None if 0 < count < small else count

    return {"hits": told(Alerting.HIT), "possible": told(Alerting.POSSIBLE)}
