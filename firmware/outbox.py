"""What the device has to tell central, on disk until central says that it has it.

`put` signs a message and returns only once it is durably stored; its place in the device's sequence
(epoch, n) is taken in the same transaction, so the sequence has no gaps: what central misses was
lost on the way or taken from the device. A message that an earlier key of the device signed goes
out signed with the present one, for central no longer believes the other. The epoch is made with
the file, so a device that starts over never repeats a place. A message is done when central's own
signed acknowledgement names it, in all of id, epoch and n; done messages stay for some days and are
then removed.
"""

import json
import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from joserfc.jwk import OKPKey

from firmware.database import MARKS, Database, DiskFault, raise_mark
from firmware.keys import document_mark
from scanner.alert import (
    AckData,
    AlertData,
    Data,
    Event,
    Message,
    new_id,
    seal,
    sealed_anew,
    source_of,
)

_SCHEMA = (
    MARKS
    + """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch (id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS message (
  n INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  document BLOB,
  payload BLOB NOT NULL,
  put_at REAL NOT NULL,
  done_at REAL
);
CREATE INDEX IF NOT EXISTS waiting ON message (n) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS done ON message (done_at) WHERE done_at IS NOT NULL;
"""
)


class OutboxFault(DiskFault):
    """The outbox could not be written or read; the message says why and what to do."""


@dataclass(frozen=True)
class Waiting:
    """A message that central has not yet acknowledged, signed and ready to publish."""

    n: int
    id: str
    message: Message
    payload: bytes


class Outbox:
    """The outbox in the file `path` of `device`, whose messages are signed with `key`.

    For use from any thread. Every method raises OutboxFault where the disk refuses.
    """

    def __init__(self, path: Path, device: str, key: OKPKey) -> None:
        self._database = Database(path, _SCHEMA, OutboxFault)
        self._source = source_of(device)
        self._key = key
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every `put`, in the thread that put."""
        self._listeners.append(listener)

    def put_alert(self, alert: AlertData, now: datetime) -> str:
        """`put` for an alert, whose document is remembered (as a keyed hash) for its answer."""
        document = alert.document
        mark = document_mark(self._key, document.issuer, document.number, document.kind)
        return self._put(Message.ALERT, alert, now, mark)

    def put(self, message: Message, data: Data, now: datetime) -> str:
        """Stores a signed message durably and gives its id, a UUIDv7."""
        if isinstance(data, AlertData):
            return self.put_alert(data, now)
        return self._put(message, data, now, None)

    def _put(self, message: Message, data: Data, now: datetime, mark: bytes | None) -> str:
        with self._database.change() as tx:
            epoch = _epoch(tx)
            n = _next(tx, "n")
            event = Event(message, new_id(), self._source, now, data, epoch, n)
            tx.execute(
                "INSERT INTO message (n, id, kind, document, payload, put_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (n, event.id, message, mark, seal(event, self._key), now.timestamp()),
            )
        for listener in self._listeners:
            listener()
        return event.id

    def waiting(self, limit: int, after: int = 0) -> list[Waiting]:
        """The first `limit` messages with n > `after` that are not acknowledged, oldest first."""
        with self._database.look() as db:
            rows = db.execute(
                "SELECT n, id, kind, payload FROM message"
                " WHERE done_at IS NULL AND n > ? ORDER BY n LIMIT ?",
                (after, limit),
            ).fetchall()
        return self._waiting(rows)

    def waiting_of(self, numbers: Collection[int]) -> list[Waiting]:
        """Those of the messages with these n that are not acknowledged, oldest first."""
        with self._database.look() as db:
            rows = db.execute(
                "SELECT n, id, kind, payload FROM message WHERE done_at IS NULL"
                " AND n IN (SELECT value FROM json_each(?)) ORDER BY n",
                (json.dumps(list(numbers)),),
            ).fetchall()
        return self._waiting(rows)

    def acknowledge(self, ack: AckData, now: datetime) -> int | None:
        """Marks as done what `ack` names by id, epoch and n, and gives how many that were; None
        for an acknowledgement whose counter is not above the last one's: it was said before."""
        with self._database.change() as tx:
            if not raise_mark(tx, "ack", ack.counter):
                return None
            epoch = _epoch(tx)
            named = [(now.timestamp(), c.n, c.id) for c in ack.committed if c.epoch == epoch]
            return sum(
                tx.execute(
                    "UPDATE message SET done_at = ? WHERE n = ? AND id = ? AND done_at IS NULL", row
                ).rowcount
                for row in named
            )

    def queued(self) -> int:
        """How many messages central has not yet acknowledged."""
        with self._database.look() as db:
            row = db.execute("SELECT count(*) FROM message WHERE done_at IS NULL").fetchone()
        return int(row[0])

    def document_of(self, alert: str) -> bytes | None:
        """The mark of the document that `alert` is about, or None for no alert of this device."""
        with self._database.look() as db:
            row = db.execute("SELECT document FROM message WHERE id = ?", (alert,)).fetchone()
        return bytes(row[0]) if row and row[0] is not None else None

    def epoch(self) -> str:
        """The id of this device's sequence: as old as the file."""
        with self._database.change() as tx:
            return _epoch(tx)

    def next_boot(self, now: datetime) -> int:
        """A number for this start of the device, above that of every earlier one.

        It is the time in Unix seconds where that is greater, so that it also grows past a lost or
        an exchanged card.
        """
        with self._database.change() as tx:
            return _next(tx, "boot", at_least=int(now.timestamp()))

    def purge(self, now: datetime, keep: timedelta) -> int:
        """Removes what was done more than `keep` ago, and gives how many messages that were."""
        with self._database.change() as tx:
            return tx.execute(
                "DELETE FROM message WHERE done_at < ?", ((now - keep).timestamp(),)
            ).rowcount

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def _waiting(self, rows: list[tuple[int, str, str, bytes]]) -> list[Waiting]:
        return [
            Waiting(n, id_, Message(kind), sealed_anew(payload, self._key))
            for n, id_, kind, payload in rows
        ]


def _epoch(tx: sqlite3.Connection) -> str:
    row = tx.execute("SELECT id FROM epoch").fetchone()
    if row is None:
        row = tx.execute("INSERT INTO epoch VALUES (?) RETURNING id", (new_id(),)).fetchone()
    return str(row[0])


def _next(tx: sqlite3.Connection, name: str, at_least: int = 1) -> int:
    row = tx.execute(
        "INSERT INTO counter VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = max(value + 1, excluded.value) RETURNING value",
        (name, at_least),
    ).fetchone()
    return int(row[0])
