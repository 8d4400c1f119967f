"""What a backup is: one tar file, compressed, whose last member says what the others must be.

    configuration              the configuration file
    keys/…                     the folder of keys: central's own, the register, the authority
    files/<section>.<setting>  each file that the configuration names: certificates, passwords
    brokers/<n>/…              each broker's folder on this machine, without what it keeps by itself
    store.db or store.dump     the store: an SQLite file, or a dump of PostgreSQL's
    contents.json              what was put in, with lengths and digests

Parts are named by what they are and not by where they were, so a backup can be brought back to a
machine that keeps them elsewhere: that machine's configuration says where. The last member is
written when all others are, so a backup that was cut short is known by its absence.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from central.settings import Settings
from scanner.failing import Told

CONTENTS = "contents.json"
CONFIGURATION = "configuration"
_NAMED = re.compile(
    r"(files|keys|brokers)/([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*"
)
_LOCK = "lock"
_BROKERS_FILES = ("mosquitto.conf", "acl", "crl.pem", "ca.crt", "tls.crt", "tls.key")


class Part(StrEnum):
    """What can be brought back by itself."""

    CONFIGURATION = "configuration"
    KEYS = "keys"
    FILES = "files"
    BROKERS = "brokers"
    STORE = "store"


class StoreKind(StrEnum):
    """Which database the store was in."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"

    @property
    def member(self) -> str:
        """What its copy is called."""
        return "store.db" if self is StoreKind.SQLITE else "store.dump"


class Member(BaseModel):
    """One file in a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    mode: int = Field(ge=0, le=0o777)


class StoreSaid(BaseModel):
    """What the store held when it was copied, or a little later."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: StoreKind
    schema_version: str
    alerts: int = Field(ge=0)
    audit: str
    """The head of the audit trail, as `audit verify` prints it."""


class Contents(BaseModel):
    """The last member of a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    form: Literal[1] = 1
    made_at: str
    software: str
    store: StoreSaid
    members: dict[str, Member]


class BackupFault(Told):
    """A backup cannot be made, read or brought back; the message is one line."""


@dataclass(frozen=True)
class Place:
    """A member, and the file that it is a copy of."""

    name: str
    path: Path


def part_of(name: str) -> Part | None:
    """Which part a member belongs to; None for a name that no backup has."""
    if name in {kind.member for kind in StoreKind}:
        return Part.STORE
    if name == CONFIGURATION:
        return Part.CONFIGURATION
    if _NAMED.fullmatch(name) is None:
        return None
    return Part(name.split("/", maxsplit=1)[0])


def places_of(config: Path, settings: Settings) -> Iterator[Place]:
    """Every file that a backup copies, but the store, where it is there."""
    yield Place(CONFIGURATION, config)
    folder = settings.keys.folder
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.name != _LOCK and not path.name.startswith("."):
            yield Place(f"keys/{path.relative_to(folder)}", path)
    yield from named_files(settings)
    for place in brokers_files(settings):
        if place.path.exists():
            yield place


def named_files(settings: Settings) -> Iterator[Place]:
    """The files that the configuration names."""
    sections = {
        "broker": settings.broker,
        "nats": settings.nats,
        "console": settings.console,
        "republish": settings.republish,
    }
    for section, values in sections.items():
        for setting in ("ca", "certificate", "private_key", "password_file"):
            path = getattr(values, setting, None)
            if path is not None:
                yield Place(f"files/{section}.{setting}", path)


def brokers_files(settings: Settings) -> Iterator[Place]:
    """What makes a broker this broker: not its sessions, for devices say everything again."""
    for n, folder in enumerate(settings.enrolment.brokers):
        for name in _BROKERS_FILES:
            yield Place(f"brokers/{n}/{name}", folder / name)


def place_for(name: str, config: Path, settings: Settings) -> Path | None:
    """Where a member goes on a machine with these settings; None where it has no place there."""
    part = part_of(name)
    if part is Part.CONFIGURATION:
        return config
    if part is Part.KEYS:
        return settings.keys.folder / name.removeprefix("keys/")
    known = {place.name: place.path for place in (*named_files(settings), *brokers_files(settings))}
    return known.get(name)
