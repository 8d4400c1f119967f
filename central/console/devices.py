"""The devices, and which of them are blind: a hit at a blind device would reach nobody, or would
not be found.

A device is blind when its link is down, when nothing was heard of it for too long, or when a list
that it asks is not in order or too old. What a device said last may be old itself, so ages are
counted from now, not from what it said.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.console.alert_view import list_view
from central.console.wire import moment
from central.lists import rollout
from central.moments import to_ms
from central.settings import ConsoleSettings
from central.store.schema import devices, gaps
from scanner.watchlist.contract import ListHealth

_HEALTH = {
    ListHealth.OVER_AGE: "is over its age",
    ListHealth.MISSING: "is missing",
    ListHealth.DAMAGED: "is damaged",
    ListHealth.LOCKED: "is locked: its key is not at hand",
}


@dataclass(frozen=True)
class Known:
    """What the store has of a device."""

    device: str
    online: bool | None
    heard_at: int
    status_at: int | None
    status: dict[str, Any] | None
    missing: tuple[tuple[int, int], ...]
    rollouts: tuple[Any, ...] = ()
    """What it last said of each of its lists' publications."""


def known(db: sa.Connection, names: Iterable[str] | None = None) -> list[Known]:
    """These devices, or all, by name."""
    chosen = sa.select(devices).order_by(devices.c.device)
    holes = sa.select(gaps).order_by(gaps.c.device, gaps.c.epoch, gaps.c.first)
    if names is not None:
        some = list(names)
        chosen = chosen.where(devices.c.device.in_(some))
        holes = holes.where(gaps.c.device.in_(some))
    missing = defaultdict(list)
    for row in db.execute(holes):
        missing[row.device].append((row.first, row.last))
    rows = db.execute(chosen).all()
    said = defaultdict(list)
    these = [] if names is None else [devices.c.device.in_(some)]
    for name in sorted(
        {one["name"] for row in rows for one in (row.status or {}).get("lists", ())}
    ):
        for last in rollout.latest(db, name, *these):
            said[last.device].append(last)
    return [
        Known(
            row.device,
            row.online,
            row.heard_at,
            row.status_at,
            row.status,
            tuple(missing[row.device]),
            tuple(said[row.device]),
        )
        for row in rows
    ]


def heard(db: sa.Connection) -> dict[str, int]:
    """When each device was last heard: what changes all the time."""
    chosen = sa.select(devices.c.device, devices.c.heard_at)
    return {row.device: row.heard_at for row in db.execute(chosen)}


def why_blind(one: Known, settings: ConsoleSettings, now: datetime) -> str:
    """Every reason for being blind, in a line; empty where there is none."""
    return "; ".join(_blind(one, settings, now))


def view(one: Known, settings: ConsoleSettings, now: datetime) -> dict[str, Any]:
    """The device as the page shows it."""
    status = one.status or {}
    place = status.get("place") or {}
    lists = [list_view(version, now) for version in status.get("lists", ())]
    why = why_blind(one, settings, now)
    return {
        "device": one.device,
        "site": place.get("site", ""),
        "lane": place.get("lane", ""),
        "online": one.online,
        "blind": bool(why),
        "why": why,
        "heard_at": moment(one.heard_at),
        "status_at": moment(one.status_at),
        "queued": status.get("queued", 0),
        "missing": [list(one_range) for one_range in one.missing],
        "software": status.get("software", ""),
        "certificate_until": _as_moment(status.get("certificate_until")),
        "refused": status.get("refused", 0),
        "lists": lists,
        "ring": status.get("ring"),
        "updating": status.get("updating"),
        "updates": [_update(said) for said in one.rollouts],
        "faults": status.get("faults", []),
    }


def _update(said: Any) -> dict[str, Any]:
    """What last became of a list's publication at the device."""
    same = ("list", "outcome", "from_version", "version", "publication", "bytes", "code", "reason")
    took = {"took_s": round(said.took_ms / 1000, 1), "at": moment(said.at)}
    return {name: getattr(said, name) for name in same} | took


def _blind(one: Known, settings: ConsoleSettings, now: datetime) -> Iterator[str]:
    """Each reason for being blind."""
    lists = [list_view(version, now) for version in (one.status or {}).get("lists", ())]
    silent_s = (to_ms(now) - one.heard_at) / 1000
    if one.status is None:
        yield "it never said how it is"
    if one.online is False:
        since = one.heard_at if one.status_at is None else one.status_at
        yield f"offline for {_span((to_ms(now) - since) / 1000)}"
    elif silent_s > settings.silent_minutes * 60:
        yield f"silent for {_span(silent_s)}"
    for each in lists:
        if each["health"] != ListHealth.OK:
            yield f"list {each['name']} {_HEALTH.get(each['health'], 'is not in order')}"
        elif each["age_s"] is not None and each["age_s"] > settings.list_age_hours * 3600:
            yield f"list {each['name']} is {_span(each['age_s'])} old"
    if one.status is not None and not lists:
        yield "it has no list"


def _span(seconds: float) -> str:
    """In the unit that people would say it in."""
    if seconds < 120:
        return f"{max(0, round(seconds))} s"
    if seconds < 2 * 3600:
        return f"{round(seconds / 60)} min"
    if seconds < 48 * 3600:
        return f"{round(seconds / 3600)} h"
    return f"{round(seconds / 86400)} days"


def _as_moment(told: str | None) -> str | None:
    return None if told is None else moment(to_ms(datetime.fromisoformat(told)))
