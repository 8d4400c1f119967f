"""How the devices of a ring fare with what is published for them, from what they said.

An enrolled device belongs to the ring that its latest status names. It *has* a publication once it
said that it is updated to it or current with it. It is *in error* where the last that it said of
the list is a refusal or a failure with this publication, or, while it is there, one before it came
to know any; a link that is down or slow is nobody's error. Everything else *waits*.

What was received last counts as said last: a device's clock may be years off.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from central.enrolment.authority import Authority
from central.store.schema import devices, rollouts
from central.store.store import Store
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
            and (
                self.said.publication == publication.number
                or (self.said.publication is None and self.online)
            )
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
        at = "".join(
            f", at {'none' if version is None else f'version {version}'}: {n}"
            for version, n in self.versions
        )
        return (
            f"devices: {every}, have it: {len(self.has)}, wait: {len(self.waits)}"
            f"{f' (offline: {away})' if away else ''}, in error: {len(self.errors)}{at}"
        )


class Fleet:
    """The enrolled devices, as the store knows them at the moment. Raises StoreFault."""

    def __init__(self, store: Store, authority: Authority) -> None:
        self._store = store
        self._authority = authority

    def fare(self, publication: Publication) -> Fare:
        """How the devices of the publication's ring fare with it."""
        found, enrolled = Fare(publication), frozenset(self._authority.devices())
        with self._store.reading() as db:
            for stand in _stands(db, publication, enrolled):
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
        .order_by(rollouts.c.received_at.desc(), rollouts.c.at.desc(), rollouts.c.id.desc())
        .limit(1)
        .correlate(devices)
        .scalar_subquery()
    )
    these = sa.select(last, devices.c.device).where(*which)
    named = sa.tuple_(rollouts.c.id, rollouts.c.device).in_(these)
    return db.execute(sa.select(rollouts).where(named)).all()


def _stands(
    db: sa.Connection, publication: Publication, enrolled: frozenset[str]
) -> Iterable[Stand]:
    said = {row.device: row for row in latest(db, publication.name)}
    chosen = sa.select(devices.c.device, devices.c.online, devices.c.status)
    for row in db.execute(chosen.order_by(devices.c.device)):
        status = row.status or {}
        if row.device in enrolled and status.get("ring") == publication.ring:
            versions = {one["name"]: one["version"] for one in status.get("lists", ())}
            version = versions.get(publication.name)
            yield Stand(row.device, bool(row.online), version, said.get(row.device))
