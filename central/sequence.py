"""What is missing of each device's sequence, kept as messages arrive.

A device numbers what it says without gaps, so a number that was skipped is a message that was lost
or withheld, or that is still on its way. The missing numbers of a sequence are ranges that do not
overlap; a late arrival takes its number out of its range. A number that arrives once more with
another message behind it is a sign that the device's memory was set back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from central.schema import gaps, sequences


@dataclass(frozen=True)
class Place:
    """A place in the sequence of `device`."""

    device: str
    epoch: str
    n: int


@dataclass(frozen=True)
class Gap:
    """Numbers of a sequence, `first` to `last`, both included."""

    device: str
    epoch: str
    first: int
    last: int


@dataclass
class Change:
    """What one message did: ranges that are missing now, or no longer; or a number used twice."""

    missing: list[Gap] = field(default_factory=list)
    arrived: list[Gap] = field(default_factory=list)
    repeated: bool = False


def advance(tx: sa.Connection, place: Place, now_ms: int) -> Change:
    """Takes note of a new message at `place`."""
    of_sequence = (sequences.c.device == place.device, sequences.c.epoch == place.epoch)
    high = tx.scalar(sa.select(sequences.c.high).where(*of_sequence))
    if high is None:
        high = 0
        tx.execute(sequences.insert().values(device=place.device, epoch=place.epoch, high=place.n))
    elif place.n > high:
        tx.execute(sequences.update().where(*of_sequence).values(high=place.n))
    if place.n <= high:
        return _fill(tx, place)
    if place.n == high + 1:
        return Change()
    gap = Gap(place.device, place.epoch, high + 1, place.n - 1)
    _insert(tx, gap, now_ms)
    return Change(missing=[gap])


def open_gaps(db: sa.Connection) -> Iterator[Gap]:
    """Everything that is missing."""
    chosen = sa.select(gaps).order_by(gaps.c.device, gaps.c.epoch, gaps.c.first)
    for row in db.execute(chosen):
        yield Gap(row.device, row.epoch, row.first, row.last)


def _fill(tx: sa.Connection, place: Place) -> Change:
    """A number below the highest: it was missing, or it is used twice."""
    row = tx.execute(
        sa.select(gaps).where(
            gaps.c.device == place.device,
            gaps.c.epoch == place.epoch,
            gaps.c.first <= place.n,
            gaps.c.last >= place.n,
        )
    ).one_or_none()
    if row is None:
        return Change(repeated=True)
    tx.execute(
        gaps.delete().where(
            gaps.c.device == row.device, gaps.c.epoch == row.epoch, gaps.c.first == row.first
        )
    )
    for first, last in ((row.first, place.n - 1), (place.n + 1, row.last)):
        if first <= last:
            _insert(tx, Gap(row.device, row.epoch, first, last), row.noticed_at)
    return Change(arrived=[Gap(place.device, place.epoch, place.n, place.n)])


def _insert(tx: sa.Connection, gap: Gap, noticed_at: int) -> None:
    tx.execute(
        gaps.insert().values(
            device=gap.device,
            epoch=gap.epoch,
            first=gap.first,
            last=gap.last,
            noticed_at=noticed_at,
        )
    )
