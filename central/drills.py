"""Drills at the devices: which there were and how they went, and asking a device for one.

What devices say of drills lies in a table of its own, and this alone reads it. A drill is told of
when it begins, when it ends, and once more where its trainee chose to keep how it went; whatever
came of that, in whatever order, makes one drill here.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central import audit
from central.answering.voice import Voice
from central.brokers.every_broker import at_every_broker
from central.enrolment.authority import Authority
from central.moments import iso, to_ms
from central.settings import Settings
from central.store.device_rows import Counters, locked
from central.store.schema import drills
from central.store.store import Store
from scanner.alert import CommandData, DrillPhase, Order


def every(db: sa.Connection, device: str | None = None) -> Iterator[dict[str, Any]]:
    """The drills, of one device or of all, in the order in which they began."""
    chosen = sa.select(drills).order_by(drills.c.began_at, drills.c.device, drills.c.session)
    if device is not None:
        chosen = chosen.where(drills.c.device == device)
    told: dict[tuple[str, str], dict[str, Any]] = {}
    for row in db.execute(chosen):
        drill = told.setdefault((row.device, row.session), _begun(row))
        if row.phase == DrillPhase.ENDED:
            drill["ended_at"], drill["end"] = iso(row.at), row.data["end"]
        if row.data["steps"]:
            drill["officer"], drill["steps"] = row.data["officer"], row.data["steps"]
    yield from told.values()


def ask_for(
    settings: Settings,
    store: Store,
    device: str,
    *,
    by: str,
    reason: str,
    now: datetime,
    until: datetime,
) -> None:
    """Asks `device` to begin a drill; one that hears it from `until` on does not. Raises LinkDown
    where a broker did not take it, KeyFault and StoreFault."""
    with store.changing(quietly=True) as tx:
        counters = Counters(locked(tx, [device], to_ms(now)), to_ms(now))
        counter = counters.take(device)
        counters.save(tx)
        detail = {"reason": reason, "until": iso(to_ms(until))}
        audit.record(tx, by, "command line", "drill asked for", device, detail, now)
    command = CommandData(
        device=device, counter=counter, order=Order.DRILL, reason=reason, until=until
    )
    message = Voice(Authority(settings.keys.folder)).say(command)
    at_every_broker(settings, message, retain=False)


def _begun(row: Any) -> dict[str, Any]:
    return {
        "session": row.session,
        "device": row.device,
        "began_at": iso(row.began_at),
        "ended_at": None,
        "end": None,
        "by_central": row.data["by_central"],
        "officer": None,
        "steps": [],
    }
