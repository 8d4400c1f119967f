"""What the device has to tell central, on disk until central says that it has it.

`put` returns only once a message is durably stored; its place in the device's sequence (epoch, n)
is taken in the same transaction, so the sequence has no gaps: what central misses was lost on the
way or taken from the device. What is stored is the message itself, packed; it is signed when it is
sent, with the device's key of that moment, for central no longer believes an earlier one. The epoch
is made with the file, so a device that starts over never repeats a place.

A message is done when central's own signed acknowledgement names it, in all of id, epoch and n.
Done messages stay for some days, so that what central turns out to lack (`reconcile`) can be told
again, and are then removed. Nothing here grows slower or larger in memory with what waits: it is
counted as it comes and goes, and read a few rows at a time.
"""

import json
import logging
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firmware.database import (
    MARKS,
    Database,
    DiskFault,
    forget_heard,
    heard_once,
    raise_mark,
)
from firmware.delivery.outbox_file import (
    SCHEMA,
    count_up,
    counter,
    id_blob,
    id_text,
    prepare,
)
from firmware.delivery.packing import PRESENT, Damaged, packed, unpacked
from firmware.delivery.reconciling import Reconciled, reconcile
from firmware.identity.keys import document_mark
from scanner.alert import (
    MAX_PAYLOAD,
    TABLE,
    AckData,
    AlertData,
    Data,
    Event,
    Message,
    StatsData,
    TallyData,
    body_around,
    body_of,
    new_id,
    source_of,
)

log = logging.getLogger(__name__)

MAX_BODY = MAX_PAYLOAD * 3 // 4 - 512
"""The most bytes that a message may have before it is signed, which adds a third."""
_PURGED_AT_ONCE = 500
_COUNTED = "counted"
_WAITING = "SELECT place, id, kind, said_at, dictionary, data FROM event WHERE done_at IS NULL AND "
_SEQUENCED = tuple(message for message, row in TABLE.items() if row.sequenced)


class OutboxFault(DiskFault):
    """The outbox could not be written or read; the message says why and what to do."""


@dataclass(frozen=True)
class Waiting:
    """A message that central has not yet acknowledged, ready to be signed. `place` orders it among
    all others; `body` is None where the disk has damaged it."""

    place: int
    id: str
    epoch: str
    n: int
    message: Message
    body: bytes | None


class Outbox:
    """The outbox in the file `path` of `device`; documents are remembered under `marks`.

    For use from any thread. Every method raises OutboxFault where the disk refuses.
    """

    def __init__(self, path: Path, device: str, marks: bytes) -> None:
        self._database = Database(path, MARKS + SCHEMA, OutboxFault, prepare=prepare)
        self._source = source_of(device)
        self._marks = marks
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every `put`, in the thread that put."""
        self._listeners.append(listener)

    def put_alert(self, alert: AlertData, now: datetime) -> str:
        """`put` for an alert, whose document is remembered (as a keyed hash) for its answer."""
        document = alert.document
        mark = document_mark(self._marks, document.issuer, document.number, document.kind)
        return self._put(Message.ALERT, alert, now, mark)

    def put(self, message: Message, data: Data, now: datetime) -> str:
        """Stores a message durably and gives its id, a UUIDv7. Raises ValueError for one that
        breaks its model or its limit."""
        if isinstance(data, AlertData):
            return self.put_alert(data, now)
        return self._put(message, data, now, None)

    def _put(self, message: Message, data: Data, now: datetime, mark: bytes | None) -> str:
        id_ = new_id()
        content = packed(data.model_dump_json().encode())
        with self._database.change() as tx:
            place = count_up(tx, "place")
            base, epoch = _present(tx)
            event = Event(message, id_, self._source, now, data, epoch, place - base)
            if (length := len(body_of(event))) > MAX_BODY:
                raise ValueError(f"the message has {length} bytes; {MAX_BODY} are allowed")
            tx.execute(
                "INSERT INTO event (place, id, kind, document, said_at, dictionary, data)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (place, id_blob(id_), message, mark, _micros(now), PRESENT, content),
            )
            if isinstance(data, StatsData):
                raise_mark(tx, _COUNTED, _micros(data.until))
        for listener in self._listeners:
            listener()
        return id_

    def counted_until(self, at_first: datetime) -> datetime:
        """Up to when counts were put; where none ever were, `at_first`, which is remembered."""
        with self._database.change() as tx:
            tx.execute("INSERT OR IGNORE INTO mark VALUES (?, ?)", (_COUNTED, _micros(at_first)))
            row = tx.execute("SELECT value FROM mark WHERE name = ?", (_COUNTED,)).fetchone()
        return _moment(row[0])

    def waiting(self, limit: int, after: int = 0) -> list[Waiting]:
        """The first `limit` messages after the place `after` that are not acknowledged, oldest
        first."""
        return self._waiting("place > ? ORDER BY place LIMIT ?", (after, limit))

    def waiting_of(self, places: Collection[int]) -> list[Waiting]:
        """Those of the messages at these places that are not acknowledged, oldest first."""
        wanted = json.dumps(list(places))
        return self._waiting("place IN (SELECT value FROM json_each(?)) ORDER BY place", (wanted,))

    def acknowledge(self, ack: AckData, now: datetime) -> list[int] | None:
        """Marks as done what `ack` names by id, epoch and n, and gives the places of what was not
        done before; None for an acknowledgement that was said before."""
        with self._database.change() as tx:
            if not heard_once(tx, "ack", ack.counter):
                return None
            bases = dict(tx.execute("SELECT id, base FROM sequence").fetchall())
            named = [
                (bases[one.epoch] + one.n, id_blob(one.id))
                for one in ack.committed
                if one.epoch in bases
            ]
            return [
                place
                for place, blob in named
                if tx.execute(
                    "UPDATE event SET done_at = ? WHERE place = ? AND id = ? AND done_at IS NULL",
                    (now.timestamp(), place, blob),
                ).rowcount
            ]

    def reconcile(self, tally: TallyData, now: datetime) -> Reconciled | None:
        """Holds what is done and waiting against what central says that it has; None for a tally
        whose counter is not above the last one's."""
        with self._database.change() as tx:
            if not raise_mark(tx, "tally", tally.counter):
                return None
            # What was acknowledged before it may be what central turns out to lack.
            forget_heard(tx, "ack", tally.counter)
            return reconcile(tx, tally, now.timestamp())

    def queued(self) -> int:
        """How many messages central has not yet acknowledged."""
        with self._database.look() as db:
            return sum(counter(db, f"waiting {message}") for message in _SEQUENCED)

    def queued_alerts(self) -> int:
        """How many of them are alerts."""
        return self.queued_of(Message.ALERT)

    def queued_of(self, message: Message) -> int:
        """How many of them are of one kind."""
        with self._database.look() as db:
            return counter(db, f"waiting {message}")

    def document_of(self, alert: str) -> bytes | None:
        """The mark of the document that `alert` is about, or None for no alert of this device."""
        with self._database.look() as db:
            row = db.execute(
                "SELECT document FROM event WHERE id = ?", (id_blob(alert),)
            ).fetchone()
        return bytes(row[0]) if row and row[0] is not None else None

    def alert(self, alert: str) -> AlertData | None:
        """What `alert` says, for as long as it is kept; None for no alert of this device, and for
        one that the disk has damaged."""
        with self._database.look() as db:
            row = db.execute(
                "SELECT dictionary, data FROM event WHERE id = ? AND kind = ?",
                (id_blob(alert), Message.ALERT),
            ).fetchone()
        try:
            return AlertData.model_validate_json(unpacked(row[1], row[0])) if row else None
        except (Damaged, ValueError):
            return None

    def is_done(self, id_: str) -> bool:
        """Whether central has acknowledged the message."""
        with self._database.look() as db:
            row = db.execute("SELECT done_at FROM event WHERE id = ?", (id_blob(id_),)).fetchone()
        return row is not None and row[0] is not None

    def epoch(self) -> str:
        """The id of this device's sequence: as old as the file, unless that was set back."""
        with self._database.look() as db:
            return _present(db)[1]

    def last_n(self) -> int:
        """The highest place in that sequence so far, 0 before the first."""
        with self._database.look() as db:
            return counter(db, "place") - _present(db)[0]

    def set_back_at(self) -> datetime | None:
        """When this file was last found to be older than what the device had said, or None."""
        with self._database.look() as db:
            row = db.execute("SELECT max(set_back_at) FROM sequence").fetchone()
        return datetime.fromtimestamp(row[0], UTC) if row[0] is not None else None

    def next_boot(self, now: datetime) -> int:
        """A number for this start of the device, above that of every earlier one.

        It is the time in Unix milliseconds where that is greater, so that it also grows past a
        lost or an exchanged card.
        """
        with self._database.change() as tx:
            return count_up(tx, "boot", at_least=int(now.timestamp() * 1000))

    def purge(self, now: datetime, keep: timedelta) -> int:
        """Removes what was done more than `keep` ago, and gives how many messages that were. It
        goes in small steps, so that no alert has to wait for it."""
        before, removed = (now - keep).timestamp(), 0
        while True:
            with self._database.change() as tx:
                step = tx.execute(
                    "DELETE FROM event WHERE place IN"
                    " (SELECT place FROM event WHERE done_at < ? LIMIT ?)",
                    (before, _PURGED_AT_ONCE),
                ).rowcount
            removed += step
            if step < _PURGED_AT_ONCE:
                return removed

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def _waiting(self, which: str, values: tuple[object, ...]) -> list[Waiting]:
        with self._database.look() as db:
            rows = db.execute(_WAITING + which, values).fetchall()
            sequences = db.execute("SELECT base, id FROM sequence ORDER BY base").fetchall()
        return [self._read(row, sequences) for row in rows]

    def _read(
        self, row: tuple[int, bytes, str, int, int, bytes], sequences: list[tuple[int, str]]
    ) -> Waiting:
        place, blob, kind, said_at, dictionary, packed_data = row
        message, id_ = Message(kind), id_text(blob)
        base, epoch = next(one for one in reversed(sequences) if one[0] < place)
        try:
            data = unpacked(packed_data, dictionary)
        except Damaged:
            log.error("outbox: message %s is damaged and cannot be sent; look at the disk", id_)
            return Waiting(place, id_, epoch, place - base, message, None)
        body = body_around(
            data,
            message=message,
            id=id_,
            source=self._source,
            time=_moment(said_at),
            epoch=epoch,
            n=place - base,
        )
        return Waiting(place, id_, epoch, place - base, message, body)


def _present(db: sqlite3.Connection) -> tuple[int, str]:
    """The base and the epoch of the sequence that goes on."""
    row = db.execute("SELECT base, id FROM sequence ORDER BY base DESC LIMIT 1").fetchone()
    return int(row[0]), str(row[1])


def _micros(moment: datetime) -> int:
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _moment(micros: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
