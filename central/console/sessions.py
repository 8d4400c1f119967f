"""Who is signed in.

A session is a random token that the browser alone holds; the store has its hash, so whoever reads
the store cannot sign in with what he finds. It ends when nobody has had the page open for a while,
when a shift is over, and when the user's password, role or right to sign in changes. An open page
counts as somebody there: a console that signs a watching operator out would hide the next hit.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa

from central.console.roles import Role
from central.moments import to_ms
from central.store.rows import among
from central.store.schema import sessions, users

NOTED_EVERY_MS = 60_000
"""How exactly the last use is kept."""
_OVER = (
    sessions.c.expires_at <= sa.bindparam("now"),
    sessions.c.used_at <= sa.bindparam("idle_since"),
)


@dataclass(frozen=True)
class Who:
    """Somebody signed in, and by which session."""

    name: str
    role: Role
    session: str
    used_at: int


@dataclass(frozen=True)
class Limits:
    """How long a session lasts: without use, and in all."""

    idle: timedelta
    whole: timedelta


def begin(tx: sa.Connection, name: str, limits: Limits, now: datetime) -> str:
    """A new session, and the token that the browser is given; sessions long over are forgotten."""
    token = secrets.token_urlsafe(32)
    at = to_ms(now)
    tx.execute(sessions.delete().where(sa.or_(*_OVER)), _at(limits, now))
    tx.execute(
        sessions.insert().values(
            id=_id_of(token),
            user=name,
            created_at=at,
            used_at=at,
            expires_at=to_ms(now + limits.whole),
        )
    )
    return token


def who(db: sa.Connection, token: str, limits: Limits, now: datetime) -> Who | None:
    """Who holds `token`, if his session still lasts."""
    return _those(db, [_id_of(token)], limits, now).get(_id_of(token))


def still(db: sa.Connection, ids: Iterable[str], limits: Limits, now: datetime) -> dict[str, Who]:
    """Of these sessions, those that still last."""
    chosen = list(ids)
    found: dict[str, Who] = {}
    for start in range(0, len(chosen), 500):
        found |= _those(db, chosen[start : start + 500], limits, now)
    return found


def note_use(tx: sa.Connection, ids: Iterable[str], now: datetime) -> None:
    """These are being used."""
    tx.execute(sessions.update().where(sessions.c.id.in_(list(ids))).values(used_at=to_ms(now)))


def end(tx: sa.Connection, session: str) -> None:
    """Signs out."""
    tx.execute(sessions.delete().where(sessions.c.id == session))


def _those(db: sa.Connection, ids: list[str], limits: Limits, now: datetime) -> dict[str, Who]:
    chosen = _lasting(db.dialect.name)
    asked = {"ids": ids, **_at(limits, now)}
    return {
        row.id: Who(row.name, Role(row.role), row.id, row.used_at)
        for row in db.execute(chosen, asked)
    }


@cache
def _lasting(dialect: str) -> sa.Select[Any]:
    """Made once for each database: it is asked with every request."""
    joined = sessions.join(users, users.c.name == sessions.c.user)
    return (
        sa.select(sessions.c.id, sessions.c.used_at, users.c.name, users.c.role)
        .select_from(joined)
        .where(
            among(dialect, sessions.c.id, "ids"),
            users.c.disabled_at.is_(None),
            sa.not_(sa.or_(*_OVER)),
        )
    )


def _at(limits: Limits, now: datetime) -> dict[str, int]:
    idle_ms = round(limits.idle.total_seconds() * 1000)
    return {"now": to_ms(now), "idle_since": to_ms(now) - idle_ms}


def _id_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
