"""Trends: scans, hits and answers over the last day, week or month.

Scans are what devices count, hit by hour. A device leaves out a count that is so small that it
could point at a person; such a count is in no sum here, and a sum of nothing else is null. Hits are
counted from the alerts themselves. Whoever may not look at alerts sees no hit count that devices
would leave out either, and no issuing State.
"""

import statistics
from collections import defaultdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.console.wire import moment
from central.moments import to_ms
from central.schema import alerts, answers, devices, stats
from scanner.alert import Alerting
from scanner.mrz.states import name_of

HOUR_MS = 3_600_000
SMALL = 5
"""Below how many a count is left out where no device has said."""
UP_TO_S = (30, 60, 120, 300, 600, 1800, 3600, None)
ISSUERS_MOST = 20
_TIMES_MOST = 100_000
Cell = dict[str, Any]


def trends(db: sa.Connection, days: int, now: datetime, *, sees_alerts: bool) -> dict[str, Any]:
    """The last `days` days up to `now`."""
    end = to_ms(now)
    start = (end // HOUR_MS) * HOUR_MS - (days * 24 - 1) * HOUR_MS
    small = 0 if sees_alerts else _small(db, start)
    return {
        "hours": _hours(db, start, end, small),
        "checkpoints": _checkpoints(db, start, small),
        "issuers": _issuers(db, start) if sees_alerts else [],
        **_answer_times(db, start),
    }


def _hours(db: sa.Connection, start: int, end: int, small: int) -> list[Cell]:
    scans = _scans(db, stats.c.since - stats.c.since % HOUR_MS, start)
    raised = _raised(db, alerts.c.captured_at - alerts.c.captured_at % HOUR_MS, start)
    return [
        {"at": moment(at), "scans": scans.get(at), **_counts(raised[at], small)}
        for at in range(start, end + 1, HOUR_MS)
    ]


def _checkpoints(db: sa.Connection, start: int, small: int) -> list[Cell]:
    at = {
        row.device: ((row.status or {}).get("place") or {}).get("site", "")
        for row in db.execute(sa.select(devices.c.device, devices.c.status))
    }
    scans: dict[str, int | None] = {}
    for device, count in _scans(db, stats.c.device, start).items():
        site = at.get(device, "")
        known = [one for one in (scans.get(site), count) if one is not None]
        scans[site] = sum(known) if known else None
    raised = _raised(db, alerts.c.site, start)
    return [
        {"site": site, "scans": scans.get(site), **_counts(raised[site], small)}
        for site in sorted({*scans, *raised})
    ]


def _issuers(db: sa.Connection, start: int) -> list[Cell]:
    raised = _raised(db, alerts.c.issuer, start)
    most = sorted(raised, key=lambda issuer: (-sum(raised[issuer].values()), issuer))
    return [
        {"issuer": issuer, "name": name_of(issuer), **_counts(raised[issuer], 0)}
        for issuer in most[:ISSUERS_MOST]
    ]


def _answer_times(db: sa.Connection, start: int) -> dict[str, Any]:
    """From an alert's arrival to the first answer to it."""
    first = sa.func.min(answers.c.at) - alerts.c.received_at
    chosen = (
        sa.select(first)
        .select_from(alerts.join(answers, answers.c.alert == alerts.c.id))
        .where(alerts.c.received_at >= start, answers.c.device == alerts.c.device)
        .group_by(alerts.c.device, alerts.c.id, alerts.c.received_at)
        .order_by(alerts.c.received_at.desc())
        .limit(_TIMES_MOST)
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


def _raised(
    db: sa.Connection, by: sa.ColumnElement[Any], start: int
) -> defaultdict[Any, dict[str, int]]:
    """Alerts by `by` and outcome."""
    key = by.label("key")
    chosen = (
        sa.select(key, alerts.c.outcome, sa.func.count())
        .where(alerts.c.received_at >= start)
        .group_by(key, alerts.c.outcome)
    )
    found: defaultdict[Any, dict[str, int]] = defaultdict(dict)
    for row in db.execute(chosen):
        found[row[0]][row[1]] = row[2]
    return found


def _counts(raised: dict[str, int], small: int) -> Cell:
    def told(outcome: Alerting) -> int | None:
        count = raised.get(outcome.value, 0)
        return None if 0 < count < small else count

    return {"hits": told(Alerting.HIT), "possible": told(Alerting.POSSIBLE)}
