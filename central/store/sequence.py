"""What is missing of each device's sequence, kept as messages arrive.

A device numbers what it says without gaps, so a number that was skipped is a message that was lost
or withheld, or that is still on its way. The missing numbers of a sequence are ranges that do not
overlap; a late arrival takes its number out of its range. A number that arrives once more with
another message behind it is a sign that the device's memory was set back. A device that says how
far it has come, and that all of it was acknowledged, shows what is missing at the end, too.

Several receivers share what a device says, so its messages overtake each other by moments. A range
is therefore only said to be missing once it has lasted.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import sqlalchemy as sa

from central.store.rows import among, insert_rows, put_rows
from central.store.schema import gaps, messages, sequences

LASTING_MS = 5_000
"""How long a range must be missing until it is said."""


@dataclass(frozen=True)
class Gap:
    """Numbers of a sequence, `first` to `last`, both included."""

    device: str
    epoch: str
    first: int
    last: int


def numbers(gap: Gap) -> str:
    """The numbers, as a log says them."""
    if gap.first == gap.last:
        return f"message {gap.first}"
    return f"messages {gap.first} to {gap.last}"


@dataclass(frozen=True)
class _Range:
    last: int
    noticed_at: int
    reported_at: int | None


@dataclass
class Sequence:
    """One sequence as central has it, while a batch changes it."""

    device: str
    epoch: str
    high: int = 0
    high_id: str | None = None
    last_n: int = 0
    repeated_at: int | None = None
    """A number that was used twice."""
    arrived: list[Gap] = field(default_factory=list)
    """What came after it was said to be missing."""
    _ranges: dict[int, _Range] = field(default_factory=dict)
    _before: dict[int, _Range] = field(default_factory=dict)

    @property
    def top(self) -> int:
        """The highest number that is known to have been given."""
        return max(self.high, self.last_n)

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The ranges that are missing, in order."""
        return [(first, self._ranges[first].last) for first in sorted(self._ranges)]

    def take(self, n: int, message_id: str, now_ms: int) -> None:
        """A new message arrived at `n`."""
        if n > self.top:
            self._miss(self.top + 1, n - 1, now_ms)
        else:
            self._fill(n)
        if n > self.high:
            self.high, self.high_id = n, message_id

    def told(self, last_n: int, now_ms: int) -> None:
        """The device has come as far as `last_n`, and believes that all of it is here."""
        self._miss(self.top + 1, last_n, now_ms)
        self.last_n = max(self.last_n, last_n)

    def has_missing(self, first: int, last: int, noticed_at: int, reported_at: int | None) -> None:
        """Takes in a range as the store has it."""
        self._ranges[first] = self._before[first] = _Range(last, noticed_at, reported_at)

    def changed_ranges(self) -> tuple[dict[int, _Range], dict[int, _Range]]:
        """The ranges to remove from the store, and those to add."""
        gone = {first: one for first, one in self._before.items() if self._ranges.get(first) != one}
        new = {first: one for first, one in self._ranges.items() if self._before.get(first) != one}
        return gone, new

    def _miss(self, first: int, last: int, now_ms: int) -> None:
        if first <= last:
            self._ranges[first] = _Range(last, now_ms, None)

    def _fill(self, n: int) -> None:
        """A number below the highest: it was missing, or it is used twice."""
        first = next((one for one, to in self._ranges.items() if one <= n <= to.last), None)
        if first is None:
            self.repeated_at = n
            return
        whole = self._ranges.pop(first)
        for start, end in ((first, n - 1), (n + 1, whole.last)):
            if start <= end:
                self._ranges[start] = _Range(end, whole.noticed_at, whole.reported_at)
        if whole.reported_at is not None:
            self.arrived.append(Gap(self.device, self.epoch, n, n))


Key = tuple[str, str]
"""A device and an epoch."""


def load(db: sa.Connection, keys: Collection[Key]) -> dict[Key, Sequence]:
    """The sequences of `keys`, empty ones where there are none yet."""
    found = {key: Sequence(*key) for key in keys}
    if not found:
        return found
    named = {
        "devices": sorted({device for device, _ in found}),
        "epochs": sorted({epoch for _, epoch in found}),
    }
    for row in db.execute(_of(sequences, db.dialect.name), named):
        if one := found.get((row.device, row.epoch)):
            one.high, one.high_id, one.last_n = row.high, row.high_id, row.last_n or 0
    for row in db.execute(_of(gaps, db.dialect.name), named):
        if one := found.get((row.device, row.epoch)):
            one.has_missing(row.first, row.last, row.noticed_at, row.reported_at)
    return found


@cache
def _of(table: sa.Table, dialect: str) -> sa.Select[Any]:
    """What is about these devices and epochs, and perhaps more."""
    of_devices = among(dialect, table.c.device, "devices")
    return sa.select(table).where(of_devices, among(dialect, table.c.epoch, "epochs"))


def save(tx: sa.Connection, changed: Iterable[Sequence], now_ms: int) -> None:
    """Writes sequences back whose devices are locked in `tx`."""
    every = list(changed)
    if not every:
        return
    gone: list[tuple[str, str, int]] = []
    new: list[dict[str, object]] = []
    for one in every:
        key = {"device": one.device, "epoch": one.epoch}
        old, fresh = one.changed_ranges()
        gone += [(one.device, one.epoch, first) for first in old]
        new += [
            {
                **key,
                "first": first,
                "last": to.last,
                "noticed_at": to.noticed_at,
                "reported_at": to.reported_at,
            }
            for first, to in fresh.items()
        ]
    if gone:
        tx.execute(
            gaps.delete().where(sa.tuple_(gaps.c.device, gaps.c.epoch, gaps.c.first).in_(gone))
        )
    insert_rows(tx, gaps, new)
    _save_heights(tx, every, now_ms)


def first_at(db: sa.Connection, key: Key, n: int) -> str | None:
    """The id of the message that came first at `n`."""
    device, epoch = key
    place = (messages.c.device == device, messages.c.epoch == epoch, messages.c.n == n)
    order = (messages.c.received_at, messages.c.id)
    return db.scalar(sa.select(messages.c.id).where(*place).order_by(*order).limit(1))


def open_gaps(db: sa.Connection) -> Iterator[Gap]:
    """Everything that is missing."""
    chosen = sa.select(gaps).order_by(gaps.c.device, gaps.c.epoch, gaps.c.first)
    for row in db.execute(chosen):
        yield Gap(row.device, row.epoch, row.first, row.last)


def is_any_lasting(db: sa.Connection, now_ms: int) -> bool:
    """Whether `take_lasting` has anything to do."""
    return db.scalar(sa.select(sa.literal(1)).where(*_lasting(now_ms)).limit(1)) is not None


def take_lasting(tx: sa.Connection, now_ms: int) -> list[Gap]:
    """The ranges that have come to last, each given once and to one receiver."""
    taken = (
        gaps.update()
        .where(*_lasting(now_ms))
        .values(reported_at=now_ms)
        .returning(gaps.c.device, gaps.c.epoch, gaps.c.first, gaps.c.last)
    )
    return sorted((Gap(*row) for row in tx.execute(taken)), key=lambda gap: (gap.device, gap.first))


def _lasting(now_ms: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (gaps.c.reported_at.is_(None), gaps.c.noticed_at <= now_ms - LASTING_MS)


def _save_heights(tx: sa.Connection, every: list[Sequence], now_ms: int) -> None:
    rows = [
        {
            "device": one.device,
            "epoch": one.epoch,
            "high": one.high,
            "high_id": one.high_id,
            "heard_at": now_ms,
            "last_n": one.last_n or None,
        }
        for one in sorted(every, key=lambda one: (one.device, one.epoch))
    ]
    put_rows(tx, sequences, rows)
