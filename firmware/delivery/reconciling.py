"""Holds what central says that it has of the device's sequence against what the device remembers.

An acknowledgement can have been central's, and the message still be gone: a store that was lost or
restored, a card that was set back to a copy of an earlier day. So central tells its tally of a
sequence, and three things follow.

What the device counts as delivered and central lacks, waits again. And where central has more than
the device ever said in this sequence, or another message in the place of one of the device's, the
device's own memory was set back: it goes on in a new sequence, in which everything that waits is
numbered anew, under the same ids, so that central keeps each message once.
"""

import sqlite3
from dataclasses import dataclass

from firmware.delivery.outbox_file import begin_sequence, counter, id_blob
from scanner.alert import Missing, TallyData


@dataclass(frozen=True)
class Reconciled:
    """What came of a tally: how many messages wait again, and the first of their places; `set_back`
    where this device's memory is older than what it once said."""

    again: int = 0
    first: int | None = None
    set_back: bool = False


@dataclass(frozen=True)
class _Sequence:
    base: int
    last: int
    present: bool


def reconcile(tx: sqlite3.Connection, tally: TallyData, now: float) -> Reconciled:
    """Compares, and writes down what follows. A tally of a sequence that is not in this file says
    nothing about it."""
    sequence = _sequence(tx, tally.epoch)
    if sequence is None:
        return Reconciled()
    again, first = _reopen(tx, sequence, _lacking(tally, sequence))
    if sequence.present and _is_set_back(tx, tally, sequence):
        _number_anew(tx, now)
        return Reconciled(again, None, set_back=True)
    return Reconciled(again, first)


def _sequence(tx: sqlite3.Connection, epoch: str) -> _Sequence | None:
    row = tx.execute("SELECT base FROM sequence WHERE id = ?", (epoch,)).fetchone()
    if row is None:
        return None
    base = int(row[0])
    (after,) = tx.execute("SELECT min(base) FROM sequence WHERE base > ?", (base,)).fetchone()
    last = counter(tx, "place") if after is None else int(after)
    return _Sequence(base, last, present=after is None)


def _lacking(tally: TallyData, sequence: _Sequence) -> list[Missing]:
    """The places that central lacks, among those that the device has given."""
    every = list(tally.missing)
    highest = sequence.last - sequence.base
    if tally.high < highest:
        every.append(Missing(first=tally.high + 1, last=highest))
    return every


def _reopen(
    tx: sqlite3.Connection, sequence: _Sequence, lacking: list[Missing]
) -> tuple[int, int | None]:
    """Lets what is done and lacking wait again; how many that were, and the first place."""
    again, firsts = 0, []
    for one in lacking:
        span = (sequence.base + one.first, min(sequence.base + one.last, sequence.last))
        done = "done_at IS NOT NULL AND place BETWEEN ? AND ?"
        (first,) = tx.execute(f"SELECT min(place) FROM event WHERE {done}", span).fetchone()  # noqa: S608
        if first is not None:
            firsts.append(int(first))
            again += tx.execute(f"UPDATE event SET done_at = NULL WHERE {done}", span).rowcount  # noqa: S608
    return again, min(firsts, default=None)


def _is_set_back(tx: sqlite3.Connection, tally: TallyData, sequence: _Sequence) -> bool:
    place = sequence.base + tally.high
    if place > sequence.last:
        return True
    row = tx.execute("SELECT id FROM event WHERE place = ?", (place,)).fetchone()
    # A message that is no longer kept is no sign of anything.
    return row is not None and tally.high_id is not None and row[0] != id_blob(tally.high_id)


def _number_anew(tx: sqlite3.Connection, now: float) -> None:
    last = counter(tx, "place")
    begin_sequence(tx, set_back_at=now)
    waiting = tx.execute("SELECT place FROM event WHERE done_at IS NULL ORDER BY place").fetchall()
    moves = [(last + n, place) for n, (place,) in enumerate(waiting, start=1)]
    tx.executemany("UPDATE event SET place = ? WHERE place = ?", moves)
    tx.execute("UPDATE counter SET value = ? WHERE name = 'place'", (last + len(moves),))
