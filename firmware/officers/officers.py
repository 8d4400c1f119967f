"""Who may sign in at this desk, and with what.

One file, its owner's alone, replaced whole. A PIN is kept as an Argon2 hash with a salt of its own
and belongs to a name. A badge is its own name: it has to be found among all of them, so badges are
hashed with one salt for the file, and the hash is looked up. Neither stands there in clear.

The file is read at each sign-in, so a change holds from the next one on.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError
from argon2.low_level import Type, hash_secret
from argon2.profiles import RFC_9106_LOW_MEMORY
from pydantic import BaseModel, ConfigDict, Field

from firmware.officers.roles import Officer, Role
from scanner.durable import replace_durably
from scanner.user_name import RULE, is_user_name

SHORTEST_PIN, LONGEST_PIN = 6, 12
SHORTEST_BADGE, LONGEST_BADGE = 4, 64
PARAMETERS = RFC_9106_LOW_MEMORY
"""How hard a PIN or a badge is to guess for whoever has the file."""


class OfficersUnusable(Exception):
    """The file cannot be read or written; the message says why and what to do."""


class OfficerRefused(Exception):
    """It cannot be done; the message says why in one line."""


class Kept(BaseModel):
    """An officer as the file keeps one: `pin` and `badge` are hashes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    role: Role
    pin: str | None = None
    badge: str | None = None

    @property
    def officer(self) -> Officer:
        return Officer(self.name, self.role)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    salt: str = Field(pattern=r"^[0-9a-f]{32}$")
    officers: tuple[Kept, ...] = ()


class Officers:
    """The officers in the file `path`; none where it is not there. For use from any thread and
    process. Methods raise OfficersUnusable, and those that change something OfficerRefused."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def every(self) -> list[Kept]:
        """All of them, by name."""
        return self._read()[1]

    def find(self, name: str) -> Officer | None:
        """Whoever has that name."""
        kept = _named(self.every(), name)
        return kept.officer if kept else None

    def by_pin(self, name: str, pin: str) -> Officer | None:
        """The officer of that name, if that is the PIN. A wrong name takes as long as a wrong
        PIN."""
        kept = _named(self.every(), name)
        try:
            _hasher().verify(kept.pin if kept and kept.pin else _nobodys(), pin)
        except VerifyMismatchError:
            return None
        except (VerificationError, InvalidHashError):
            raise self._damaged() from None
        return kept.officer if kept else None

    def by_badge(self, number: str) -> Officer | None:
        """The officer whose badge has that number."""
        salt, every = self._read()
        held = _badge_hash(number, salt)
        found = (one.officer for one in every if one.badge == held)
        return next(found, None)

    def add(
        self, name: str, role: Role, *, pin: str | None = None, badge: str | None = None
    ) -> None:
        """Adds somebody who signs in with `pin`, with `badge`, or with either."""
        if not is_user_name(name):
            raise OfficerRefused(RULE)
        with self._changing() as (salt, every):
            if _named(every, name):
                raise OfficerRefused(f"there is an officer {name} already")
            every.append(Kept(name=name, role=role))
            _give(every, name, pin, badge, salt)

    def give(self, name: str, *, pin: str | None = None, badge: str | None = None) -> None:
        """Gives an officer a new PIN or badge, or both; what was there of it ends."""
        with self._changing() as (salt, every):
            _give(every, name, pin, badge, salt)

    def remove(self, name: str) -> None:
        """Lets an officer sign in no longer."""
        with self._changing() as (_, every):
            every.remove(_known(every, name))

    @contextmanager
    def _changing(self) -> Iterator[tuple[bytes, list[Kept]]]:
        """The file's content, written back if the block ends well; one at a time."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX)
                salt, every = self._read()
                yield salt, every
                self._write(salt, every)
            finally:
                os.close(folder)
        except OSError as error:
            raise OfficersUnusable(_in_words(self._path, error)) from None

    def _read(self) -> tuple[bytes, list[Kept]]:
        try:
            held = _File.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return secrets.token_bytes(16), []
        except OSError as error:
            raise OfficersUnusable(_in_words(self._path, error)) from None
        except ValueError:
            raise self._damaged() from None
        return bytes.fromhex(held.salt), list(held.officers)

    def _write(self, salt: bytes, every: list[Kept]) -> None:
        held = _File(salt=salt.hex(), officers=tuple(sorted(every, key=lambda one: one.name)))
        content = held.model_dump_json(indent=1).encode()
        replace_durably(self._path, content, like_folder=True)

    def _damaged(self) -> OfficersUnusable:
        return OfficersUnusable(
            f"{self._path}: this is no file of officers; move it away and add them anew"
        )


def _hasher() -> PasswordHasher:
    return PasswordHasher.from_parameters(PARAMETERS)


@cache
def _nobodys() -> str:
    """What the PIN of a name that nobody has is held against: it takes as long as any other."""
    return _hasher().hash(secrets.token_hex())


def _give(every: list[Kept], name: str, pin: str | None, badge: str | None, salt: bytes) -> None:
    before = after = _known(every, name)
    if pin is not None:
        after = after.model_copy(update={"pin": _hasher().hash(_sound_pin(pin))})
    if badge is not None:
        held = _badge_hash(_sound_badge(badge), salt)
        if any(one.badge == held for one in every if one is not before):
            raise OfficerRefused("that badge is somebody else's already")
        after = after.model_copy(update={"badge": held})
    every[every.index(before)] = after


def _known(every: list[Kept], name: str) -> Kept:
    kept = _named(every, name)
    if kept is None:
        raise OfficerRefused(f"there is no officer {name}; `borderpost officers list` names them")
    return kept


def _named(every: list[Kept], name: str) -> Kept | None:
    return next((one for one in every if one.name == name), None)


def _sound_pin(pin: str) -> str:
    if not (pin.isascii() and pin.isdigit() and SHORTEST_PIN <= len(pin) <= LONGEST_PIN):
        raise OfficerRefused(f"a PIN has {SHORTEST_PIN} to {LONGEST_PIN} digits, nothing else")
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    if len(steps) == 1:
        raise OfficerRefused("a PIN is not one digit over and over and not a row such as 123456")
    return pin


def _sound_badge(number: str) -> str:
    if not (number.isprintable() and SHORTEST_BADGE <= len(number) <= LONGEST_BADGE):
        raise OfficerRefused(
            f"a badge's number has {SHORTEST_BADGE} to {LONGEST_BADGE} printable characters"
        )
    return number


def _badge_hash(number: str, salt: bytes) -> str:
    return hash_secret(
        number.encode(),
        salt,
        time_cost=PARAMETERS.time_cost,
        memory_cost=PARAMETERS.memory_cost,
        parallelism=PARAMETERS.parallelism,
        hash_len=PARAMETERS.hash_len,
        type=Type.ID,
    ).decode()


def _in_words(path: Path, error: OSError) -> str:
    return f"{error.filename or path}: {error.strerror}; the officers are kept there"
