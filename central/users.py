"""Who may sign in to the console, and with what password.

Passwords are kept as Argon2 hashes, made anew when the library's parameters have grown. Whatever
ends somebody's right (a new password, another role, being disabled) ends their sessions in the
same transaction.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from pwdlib import PasswordHash

from central.console.roles import Role
from central.moments import from_ms, to_ms
from central.store.database import add
from central.store.schema import sessions, users
from scanner.user_name import RULE, is_user_name

SHORTEST, LONGEST = 12, 200

_hashing = PasswordHash.recommended()


class UserRefused(Exception):
    """It cannot be done; the message says why in one line."""


@dataclass(frozen=True)
class User:
    """Somebody who may sign in, unless `disabled_at`."""

    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None
    locked_until: datetime | None


def add_user(tx: sa.Connection, name: str, role: Role, password: str, now: datetime) -> None:
    """Raises UserRefused for a name that is taken or none, or a poor password."""
    add_hashed(tx, name, role, hash_of(name, password), now)


def add_hashed(tx: sa.Connection, name: str, role: Role, hashed: str, now: datetime) -> None:
    """Adds somebody whose password was hashed by `hash_of`. Raises UserRefused."""
    if not is_user_name(name):
        raise UserRefused(RULE)
    at = to_ms(now)
    values = {"role": role.value, "password": hashed, "created_at": at, "changed_at": at}
    if not add(tx, users, name=name, failures=0, **values):
        raise UserRefused(f"there is a user {name} already")


def set_password(tx: sa.Connection, name: str, password: str, now: datetime) -> None:
    """Raises UserRefused."""
    _change(tx, name, now, password=hash_of(name, password), failures=0, locked_until=None)


def set_role(tx: sa.Connection, name: str, role: Role, now: datetime) -> None:
    """Raises UserRefused."""
    _change(tx, name, now, role=role.value)


def disable(tx: sa.Connection, name: str, now: datetime) -> None:
    """Raises UserRefused."""
    _change(tx, name, now, disabled_at=to_ms(now))


def enable(tx: sa.Connection, name: str, now: datetime) -> None:
    """Raises UserRefused."""
    _change(tx, name, now, disabled_at=None, failures=0, locked_until=None)


def every_user(db: sa.Connection) -> list[User]:
    """All of them, by name."""
    rows = db.execute(sa.select(users).order_by(users.c.name)).all()
    return [
        User(
            row.name,
            Role(row.role),
            from_ms(row.created_at),
            None if row.disabled_at is None else from_ms(row.disabled_at),
            None if row.locked_until is None else from_ms(row.locked_until),
        )
        for row in rows
    ]


def hash_of(name: str, password: str) -> str:
    """The password as it is kept. Raises UserRefused for a poor one."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UserRefused(f"a password has {SHORTEST} to {LONGEST} characters")
    if len(set(password)) < 5 or name in password.lower():
        raise UserRefused("a password is not the name and not a few characters over and over")
    return _hashing.hash(password)


def matches(password: str, kept: str) -> tuple[bool, str | None]:
    """Whether it is the password, and its hash anew where the kept one has become weak."""
    return _hashing.verify_and_update(password, kept)


def _change(tx: sa.Connection, name: str, now: datetime, **values: object) -> None:
    changed = tx.execute(
        users.update().where(users.c.name == name).values(changed_at=to_ms(now), **values)
    )
    if changed.rowcount != 1:
        raise UserRefused(f"there is no user {name}; `users list` names them")
    tx.execute(sessions.delete().where(sessions.c.user == name))
