"""How the devices of a ring fare with what is published for them, from what they said.

A device belongs to the ring that its latest status names. It *has* a publication once it said that
it is updated to it or current with it. It is *in error* where the last that it said of the list is
a refusal or a failure with this publication, or one before it came to know any; a link that is down
or slow is nobody's error. Everything else *waits*.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from central.schema import devices, rollouts
from scanner.alert import UpdateOutcome
from scanner.watchlist.publication import Publication

WELL = (UpdateOutcome.UPDATED, UpdateOutcome.CURRENT)
LINK_CODES = ("unreachable", "slow", "busy")
"""Why a device has not got a publication yet without anything being wrong with it."""


@dataclass(frozen=True)
class Stand:
    """How one device stands with one list: the version that it has, and what it last said."""

    device: str
    online: bool
    version: int | None
    said: Any | None

    def has(self, publication: Publication) -> bool:
        """Whether it came to this publication, or to a later one."""
        return (
            self.said is not None
            and self.said.outcome in WELL
            and (self.said.publication or 0) >= publication.number
        )

    def errs(self, publication: Publication) -> bool:
        """Whether it reports an error with this publication."""
        return (
            self.said is not None
            and self.said.outcome not in WELL
            and self.said.code not in LINK_CODES
            and self.said.publication in (None, publication.number)
        )

    def __str__(self) -> str:
        if self.said is None:
            return f"{self.device}: {'nothing said yet' if self.online else 'offline'}"
        told = f"{self.said.code}: {self.said.reason}" if self.said.code else self.said.outcome
        return f"{self.device}: {told}{'' if self.online else ' (offline)'}"


@dataclass
class Fare:
    """How a ring fares with the publication that it is open to."""

    publication: Publication
    has: list[Stand] = field(default_factory=list)
    errors: list[Stand] = field(default_factory=list)
    waits: list[Stand] = field(default_factory=list)

    @property
    def share(self) -> float:
        """The share of its devices that have it; those that wait and are offline count for none,
        or one that was put away would hold up all others."""
        awaited = len(self.errors) + sum(stand.online for stand in self.waits)
        return len(self.has) / max(1, len(self.has) + awaited)

    @property
    def versions(self) -> list[tuple[int | None, int]]:
        """Each version in force and at how many devices, the newest first."""
        counts = Counter(stand.version for stand in (*self.has, *self.errors, *self.waits))
        return sorted(counts.items(), key=lambda one: one[0] or -1, reverse=True)

    def __str__(self) -> str:
        every = len(self.has) + len(self.errors) + len(self.waits)
        away = sum(not stand.online for stand in self.waits)
        waits = f"{len(self.waits)} wait{f' ({away} of them offline)' if away else ''}"
        at = ", ".join(
            f"{n} at {'none' if v is None else f'version {v}'}" for v, n in self.versions
        )
        return (
            f"{every} devices: {len(self.has)} have it, {waits}, {len(self.errors)} in error"
            f"{f'; {at}' if at else ''}"
        )


def fare(db: sa.Connection, publication: Publication) -> Fare:
    """How the devices of the publication's ring fare with it."""
    found = Fare(publication)
    for stand in _stands(db, publication):
        if stand.has(publication):
            found.has.append(stand)
        elif stand.errs(publication):
            found.errors.append(stand)
        else:
            found.waits.append(stand)
    return found


def latest(db: sa.Connection, name: str, *which: sa.ColumnElement[bool]) -> Sequence[Any]:
    """The last that each device said of the list `name`; `which` says of which devices. Each is
    looked up by itself: what was said before may be a thousand times as much."""
    last = (
        sa.select(rollouts.c.id)
        .where(rollouts.c.device == devices.c.device, rollouts.c.list == name)
        .order_by(rollouts.c.at.desc(), rollouts.c.id.desc())
        .limit(1)
        .correlate(devices)
        .scalar_subquery()
    )
    same = sa.and_(rollouts.c.device == devices.c.device, rollouts.c.id == last)
    return db.execute(
        sa.select(rollouts).select_from(devices.join(rollouts, same)).where(*which)
    ).all()


def _stands(db: sa.Connection, publication: Publication) -> Iterable[Stand]:
    said = {row.device: row for row in latest(db, publication.name)}
    chosen = sa.select(devices.c.device, devices.c.online, devices.c.status)
    for row in db.execute(chosen.order_by(devices.c.device)):
        status = row.status or {}
        if status.get("ring") == publication.ring:
            versions = {one["name"]: one["version"] for one in status.get("lists", ())}
            version = versions.get(publication.name)
            yield Stand(row.device, bool(row.online), version, said.get(row.device))
