"""The audit trail: who did what at central, in rows that are only ever added.

A row is written in the transaction of the act itself, so neither exists without the other. It is
bound to the row before it by a hash (`scanner/hash_chain.py` says how, and what that is good for):
a row that is changed, taken out, put in or moved breaks the chain at that place, and `verify` names
it. Triggers refuse to change or remove a row in the first place.

Old rows go by policy only. A purge first adds a row of its own, which says up to where it removes
and with which hash the removed part ends; the triggers let exactly those rows go, and the rest is
verified from there.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.moments import to_ms
from central.store.database import lock
from central.store.rows import insert_rows
from central.store.schema import audit
from scanner import hash_chain
from scanner.hash_chain import NOTHING, Broken, Head, Link, hash_of

PURGED = "audit purged"
_LOCK = "audit"
_LATEST = sa.select(audit.c.n, audit.c.hash).order_by(audit.c.n.desc()).limit(1)


def record(
    tx: sa.Connection,
    actor: str,
    role: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
    now: datetime,
) -> Head:
    """Adds a row to the trail in `tx`. `detail` holds what JSON can say, without fractions."""
    lock(tx, _LOCK)
    before = head(tx)
    row: dict[str, Any] = {
        "n": before.n + 1,
        "at": to_ms(now),
        "actor": actor,
        "role": role,
        "action": action,
        "subject": subject,
        "detail": dict(detail),
        "previous": before.hash,
    }
    row["hash"] = hash_of(row)
    insert_rows(tx, audit, [row])
    return Head(row["n"], row["hash"])


def head(db: sa.Connection) -> Head:
    """The latest row."""
    row = db.execute(_LATEST).one_or_none()
    return NOTHING if row is None else Head(row.n, row.hash)


def rows(db: sa.Connection, *, after: int = 0) -> Iterator[dict[str, Any]]:
    """The rows above `after`, oldest first."""
    chosen = sa.select(audit).where(audit.c.n > after).order_by(audit.c.n)
    for row in db.execute(chosen, execution_options={"yield_per": 1000}):
        yield dict(row._mapping)


def verify(
    db: sa.Connection, noted: Head | None = None, *, after: Head | None = None
) -> Broken | None:
    """Where the chain breaks first, or None where it holds. `noted` is a head from earlier, which
    must still be in it, or purged by policy since; with `after`, only what follows that row."""
    every = rows(db, after=0 if after is None else after.n)
    return hash_chain.verify(map(_link, every), noted, after=after)


def purge(tx: sa.Connection, before: datetime, actor: str, role: str, now: datetime) -> int:
    """Removes the rows from before `before`, after a row that says so; how many. The latest row
    stays."""
    lock(tx, _LOCK)
    chosen = (audit.c.at < to_ms(before), audit.c.n < head(tx).n)
    last = sa.select(audit.c.n, audit.c.hash).where(*chosen).order_by(audit.c.n.desc()).limit(1)
    end = tx.execute(last).one_or_none()
    if end is None:
        return 0
    old = audit.c.n <= end.n
    count = int(tx.scalar(sa.select(sa.func.count()).select_from(audit).where(old)) or 0)
    detail = {"up_to": end.n, "hash": end.hash, "rows": count}
    record(tx, actor, role, PURGED, "audit", detail, now)
    tx.execute(audit.delete().where(old))
    return count


def _link(row: Mapping[str, Any]) -> Link:
    words = {name: word for name, word in row.items() if name != "hash"}
    removed = None
    if row["action"] == PURGED:
        removed = Head(row["detail"].get("up_to", 0), row["detail"].get("hash", ""))
    return Link(row["n"], row["previous"], row["hash"], words, removed)
