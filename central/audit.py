"""The audit trail: who did what at central, in rows that are only ever added.

A row is written in the transaction of the act itself, so neither exists without the other. It is
bound to the row before it by a hash over its own words and that row's hash: a row that is changed,
taken out, put in or moved breaks the chain at that place, and `verify` names it. Triggers refuse to
change or remove a row in the first place.

Old rows go by policy only. A purge first adds a row of its own, which says up to where it removes
and with which hash the removed part ends; the triggers let exactly those rows go, and the rest is
verified from there.

Whoever owns the database could write the whole chain anew. Against that, its head (number and hash)
is noted elsewhere from time to time: `verify` prints it and takes one that was noted.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.database import lock
from central.moments import to_ms
from central.schema import audit

FIRST_PREVIOUS = "0" * 64
PURGED = "audit purged"
_LOCK = "audit"


@dataclass(frozen=True)
class Head:
    """The latest row: its number, 0 where there is none, and its hash."""

    n: int
    hash: str


@dataclass(frozen=True)
class Broken:
    """Where the chain does not hold, and why."""

    n: int
    why: str


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
    row["hash"] = _hash(row)
    tx.execute(audit.insert().values(row))
    return Head(row["n"], row["hash"])


def head(db: sa.Connection) -> Head:
    """The latest row."""
    latest = sa.select(audit.c.n, audit.c.hash).order_by(audit.c.n.desc()).limit(1)
    row = db.execute(latest).one_or_none()
    return Head(0, FIRST_PREVIOUS) if row is None else Head(row.n, row.hash)


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
    expected: Head | None = after
    begins: Head | None = None
    checkpoints: set[tuple[int, str]] = set()
    for row in rows(db, after=0 if after is None else after.n):
        if expected is None:
            begins = expected = Head(row["n"] - 1, row["previous"])
        if row["n"] != expected.n + 1:
            return Broken(expected.n + 1, "the row is missing")
        if row["previous"] != expected.hash:
            return Broken(row["n"], "it does not follow the row before it")
        if row["hash"] != _hash(row):
            return Broken(row["n"], "its words are not those that were written")
        expected = Head(row["n"], row["hash"])
        if noted is not None and row["n"] == noted.n and row["hash"] != noted.hash:
            return Broken(row["n"], "it is another row than was noted")
        if row["action"] == PURGED:
            checkpoints.add((row["detail"].get("up_to"), row["detail"].get("hash")))
    return _ends_hold(begins, expected, checkpoints, noted)


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


def _ends_hold(
    begins: Head | None,
    ends: Head | None,
    checkpoints: set[tuple[int, str]],
    noted: Head | None,
) -> Broken | None:
    if begins is not None and begins.n == 0 and begins.hash != FIRST_PREVIOUS:
        return Broken(1, "it does not begin the chain")
    if begins is not None and begins.n > 0 and (begins.n, begins.hash) not in checkpoints:
        return Broken(begins.n, "the rows up to here were removed, and no purge says so")
    if noted is not None and noted.n > (0 if ends is None else ends.n):
        return Broken(noted.n, "it was noted and is gone")
    return None


def _hash(row: Mapping[str, Any]) -> str:
    words = {name: row[name] for name in _HASHED}
    text = json.dumps(
        words, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


_HASHED = ("n", "at", "actor", "role", "action", "subject", "detail", "previous")
