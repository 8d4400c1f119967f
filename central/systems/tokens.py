"""What other systems read with: tokens, each for some kinds of data.

A token is 256 random bits, shown once when it is made; the store has its hash alone, so whoever
reads the store cannot use what he finds. It ends when it is revoked or, where that was said, at a
stated time, and counts for nothing from the next request on.
"""

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from central.moments import from_ms, to_ms
from central.store.database import add
from central.store.schema import tokens

PREFIX = "borderpost_"
NOTED_EVERY_MS = 60_000
"""How exactly the last use is kept."""
_LONGEST = 128
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Scope(StrEnum):
    """A kind of data that a token may be for."""

    ALERTS = "alerts"
    DEVICES = "devices"
    METRICS = "metrics"


class TokenRefused(Exception):
    """It cannot be done; the message says why in one line."""


@dataclass(frozen=True)
class Token:
    """What is known of a token; never the token itself."""

    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


def add_token(
    tx: sa.Connection, name: str, scopes: Iterable[Scope], until: datetime | None, now: datetime
) -> str:
    """A new token, which nobody can be told again. Raises TokenRefused."""
    if not _NAME.fullmatch(name):
        raise TokenRefused(
            "a token's name is 1 to 63 small letters, digits, '.', '_' or '-', and starts with one "
            "of the first two"
        )
    token = PREFIX + secrets.token_urlsafe(32)
    added = add(
        tx,
        tokens,
        name=name,
        hash=_hash_of(token),
        scopes=" ".join(sorted(scopes)),
        created_at=to_ms(now),
        expires_at=None if until is None else to_ms(until),
    )
    if not added:
        raise TokenRefused(f"there is or was a token {name}; give this one another name")
    return token


def revoke(tx: sa.Connection, name: str, now: datetime) -> None:
    """Ends it. Raises TokenRefused."""
    one = (tokens.c.name == name, tokens.c.revoked_at.is_(None))
    if tx.execute(tokens.update().where(*one).values(revoked_at=to_ms(now))).rowcount != 1:
        raise TokenRefused(f"there is no token {name} to revoke; `tokens list` names them")


def every_token(db: sa.Connection) -> list[Token]:
    """All of them, by name; also those that count no longer."""
    return [_token(row) for row in db.execute(sa.select(tokens).order_by(tokens.c.name))]


def whose(db: sa.Connection, token: str, now: datetime) -> Token | None:
    """What `token` is, where it counts."""
    if not token.startswith(PREFIX) or len(token) > _LONGEST:
        return None
    row = db.execute(sa.select(tokens).where(tokens.c.hash == _hash_of(token))).one_or_none()
    if row is None or row.revoked_at is not None:
        return None
    return None if row.expires_at is not None and row.expires_at <= to_ms(now) else _token(row)


def is_to_be_noted(token: Token, now: datetime) -> bool:
    """Whether its last use is to be kept anew."""
    return token.used_at is None or to_ms(token.used_at) <= to_ms(now) - NOTED_EVERY_MS


def note_use(tx: sa.Connection, name: str, now: datetime) -> None:
    """It is being used."""
    tx.execute(tokens.update().where(tokens.c.name == name).values(used_at=to_ms(now)))


def _token(row: Any) -> Token:
    def moment(ms: int | None) -> datetime | None:
        return None if ms is None else from_ms(ms)

    return Token(
        row.name,
        frozenset(map(Scope, row.scopes.split())),
        from_ms(row.created_at),
        moment(row.expires_at),
        moment(row.used_at),
        moment(row.revoked_at),
    )


def _hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
