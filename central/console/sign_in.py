"""Signing in: slow to guess at, and impossible to lock a shift out by.

Failures of a name bring growing pauses, so a password cannot be guessed. Alone, that would let
anyone who knows the operators' names keep all of them out. So a browser in which somebody has
signed in before holds a proof of it, and its failures are counted apart: what strangers try never
makes him wait at his own desk. The proof is bound to the user's password hash and ends with it.

Names that nobody has are treated alike: the same pauses, and a password hashed all the same, so
that neither words nor time tell which names there are.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from central import audit
from central.console import sessions
from central.moments import to_ms
from central.store.schema import users
from central.store.store import Store
from central.users import LONGEST, hash_of, matches
from scanner.pauses import Pauses, pause_after

_NAME_LONGEST = 64
_FREE_OF_ADDRESS, _LONGEST_OF_ADDRESS_S = 30, 30.0
"""For whoever tries many names from one place."""


@dataclass(frozen=True)
class Attempt:
    """Somebody at `address` says who he is. `known` is his browser's proof, or empty."""

    name: str
    password: str
    address: str
    known: str


@dataclass(frozen=True)
class Welcome:
    """He is signed in; his browser is given both."""

    token: str
    known: str


@dataclass(frozen=True)
class NotIn:
    """He is not; he may try again in `wait_s`. With `locked`, his password was not looked at."""

    wait_s: float
    locked: bool = False


class SignIn:
    """For any thread."""

    def __init__(self, store: Store, limits: sessions.Limits) -> None:
        self._store = store
        self._limits = limits
        self._pauses = Pauses()
        self._addresses = Pauses(free=_FREE_OF_ADDRESS, longest_s=_LONGEST_OF_ADDRESS_S)
        self._nobody = hash_of("nobody", secrets.token_urlsafe(24))

    def attempt(self, attempt: Attempt, now: datetime) -> Welcome | NotIn:
        """Lets him in, or not. Raises StoreFault."""
        row = self._row(attempt.name)
        known = row is not None and _is_known(attempt, row.password)
        wait = self._wait(attempt, row, known, now)
        if wait > 0:
            return NotIn(wait, locked=True)
        kept = self._nobody if row is None else row.password
        right, anew = matches(attempt.password[: LONGEST + 1], kept)
        if row is not None and right and row.disabled_at is None:
            return self._let_in(attempt, row, anew, known, now)
        self._refuse(attempt, row, known, now)
        return NotIn(self._wait(attempt, self._row(attempt.name), known, now))

    def sign_out(self, who: sessions.Who, now: datetime) -> None:
        """Ends his session."""
        with self._store.changing(quietly=True) as tx:
            sessions.end(tx, who.session)
            audit.record(tx, who.name, who.role.value, "signed out", who.name, {}, now)

    def _row(self, name: str) -> Any:
        if len(name) > _NAME_LONGEST:
            return None
        with self._store.reading() as db:
            return db.execute(sa.select(users).where(users.c.name == name)).one_or_none()

    def _wait(self, attempt: Attempt, row: Any, known: bool, now: datetime) -> float:
        if known:
            return self._pauses.left(_browser(attempt))
        waits = [self._addresses.left(attempt.address)]
        if row is None:
            waits.append(self._pauses.left(_name(attempt)))
        elif row.locked_until is not None:
            waits.append((row.locked_until - to_ms(now)) / 1000)
        return max(0.0, *waits)

    def _let_in(
        self, attempt: Attempt, row: Any, anew: str | None, known: bool, now: datetime
    ) -> Welcome:
        kept = row.password if anew is None else anew
        values: dict[str, Any] = {"password": kept}
        if not known:  # else strangers' failures go on counting against strangers
            values |= {"failures": 0, "locked_until": None}
        with self._store.changing(quietly=True) as tx:
            tx.execute(users.update().where(users.c.name == row.name).values(**values))
            token = sessions.begin(tx, row.name, self._limits, now)
            audit.record(tx, row.name, row.role, "signed in", row.name, {}, now)
        self._pauses.forget(_browser(attempt))
        self._addresses.forget(attempt.address)
        return Welcome(token, _proof(secrets.token_hex(16), row.name, kept))

    def _refuse(self, attempt: Attempt, row: Any, known: bool, now: datetime) -> None:
        """Counts it. A name that nobody has is not kept: it may be a password gone astray."""
        if known:
            self._pauses.failed(_browser(attempt))
        else:
            self._addresses.failed(attempt.address)
        if row is None:
            self._pauses.failed(_name(attempt))
        with self._store.changing(quietly=True) as tx:
            if row is not None and not known:
                _count_failure(tx, row.name, now)
            subject = "a name that nobody has" if row is None else row.name
            detail = {"address": attempt.address}
            audit.record(tx, "", "", "failed to sign in", subject, detail, now)


def known_cookie(name: str) -> str:
    """What a browser keeps its proof for `name` under."""
    return f"borderpost-known-{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _count_failure(tx: sa.Connection, name: str, now: datetime) -> None:
    one = users.c.name == name
    tx.execute(users.update().where(one).values(failures=users.c.failures + 1))
    failures = tx.scalar(sa.select(users.c.failures).where(one)) or 0
    if pause := pause_after(failures):
        until = to_ms(now + timedelta(seconds=pause))
        tx.execute(users.update().where(one).values(locked_until=until))


def _proof(nonce: str, name: str, kept: str) -> str:
    key = hashlib.sha256(kept.encode()).digest()
    return f"{nonce}.{hmac.new(key, f'{nonce} {name}'.encode(), hashlib.sha256).hexdigest()}"


def _is_known(attempt: Attempt, kept: str) -> bool:
    nonce = attempt.known.partition(".")[0]
    told = _proof(nonce, attempt.name, kept).encode()
    return bool(nonce) and hmac.compare_digest(attempt.known.encode(), told)


def _browser(attempt: Attempt) -> str:
    return f"browser {attempt.known.partition('.')[0]}"


def _name(attempt: Attempt) -> str:
    return f"name {hashlib.sha256(attempt.name.encode()).hexdigest()}"
