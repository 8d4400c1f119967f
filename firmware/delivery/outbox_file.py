"""The outbox's file: its tables, and how a file of the first format becomes one of this.

An event's `place` orders it among all that the device ever said and never changes hands; its place
in the sequence is derived: each sequence begins after the place `base`, so n = place - base. A new
sequence is therefore one row. What waits is counted by triggers, so that asking costs nothing
however much waits; those counts stand beside the other counters, so that a commit writes few pages.
"""

import sqlite3

from firmware.delivery.packing import PRESENT, packed
from scanner.alert import data_of, new_id

SCHEMA = """
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sequence (
  base INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  set_back_at REAL
);
CREATE TABLE IF NOT EXISTS event (
  place INTEGER PRIMARY KEY,
  id BLOB NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  document BLOB,
  said_at INTEGER NOT NULL,
  dictionary INTEGER NOT NULL,
  data BLOB NOT NULL,
  done_at REAL
);
CREATE INDEX IF NOT EXISTS event_waiting ON event (place) WHERE done_at IS NULL;
CREATE INDEX IF NOT EXISTS event_done ON event (done_at) WHERE done_at IS NOT NULL;
CREATE TRIGGER IF NOT EXISTS count_put AFTER INSERT ON event WHEN new.done_at IS NULL BEGIN
  INSERT INTO counter VALUES ('waiting ' || new.kind, 1)
  ON CONFLICT (name) DO UPDATE SET value = value + 1;
END;
CREATE TRIGGER IF NOT EXISTS count_done AFTER UPDATE OF done_at ON event
WHEN old.done_at IS NULL AND new.done_at IS NOT NULL BEGIN
  UPDATE counter SET value = value - 1 WHERE name = 'waiting ' || new.kind;
END;
CREATE TRIGGER IF NOT EXISTS count_again AFTER UPDATE OF done_at ON event
WHEN old.done_at IS NOT NULL AND new.done_at IS NULL BEGIN
  UPDATE counter SET value = value + 1 WHERE name = 'waiting ' || new.kind;
END;
CREATE TRIGGER IF NOT EXISTS count_gone AFTER DELETE ON event WHEN old.done_at IS NULL BEGIN
  UPDATE counter SET value = value - 1 WHERE name = 'waiting ' || old.kind;
END;
"""


def prepare(connection: sqlite3.Connection) -> None:
    """Makes a new file ready, and one of the first format into one of this."""
    if not (_is_first_format(connection) or _has_no_sequence(connection)):
        return
    connection.execute("BEGIN IMMEDIATE")
    if _is_first_format(connection):
        _convert(connection)
    if _has_no_sequence(connection):
        begin_sequence(connection)
    connection.execute("COMMIT")


def _is_first_format(db: sqlite3.Connection) -> bool:
    """Whether the file still holds whole signed messages, as the first releases kept them."""
    found = db.execute("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'message'")
    return found.fetchone() is not None


def _has_no_sequence(db: sqlite3.Connection) -> bool:
    return db.execute("SELECT 1 FROM sequence").fetchone() is None


def _convert(tx: sqlite3.Connection) -> None:
    """Takes over what a file of the first format holds."""
    rows = tx.execute("SELECT n, id, kind, document, payload, put_at, done_at FROM message")
    for n, id_, kind, document, payload, put_at, done_at in rows:
        data = packed(data_of(payload))
        said_at = round(put_at * 1_000_000)
        tx.execute(
            "INSERT INTO event (place, id, kind, document, said_at, dictionary, data, done_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (n, id_blob(id_), kind, document, said_at, PRESENT, data, done_at),
        )
    tx.execute("INSERT INTO counter SELECT 'place', value FROM counter WHERE name = 'n'")
    tx.execute("DELETE FROM counter WHERE name = 'n'")
    tx.execute("INSERT INTO sequence (base, id) SELECT 0, id FROM epoch")
    tx.execute("DROP TABLE message")
    tx.execute("DROP TABLE epoch")


def begin_sequence(tx: sqlite3.Connection, set_back_at: float | None = None) -> None:
    """Begins a sequence after every place that was ever given. It takes the place of the one
    before, if nothing was said in that."""
    tx.execute(
        "INSERT OR REPLACE INTO sequence (base, id, set_back_at) VALUES (?, ?, ?)",
        (counter(tx, "place"), new_id(), set_back_at),
    )


def counter(db: sqlite3.Connection, name: str) -> int:
    """The value of a counter, 0 before its first."""
    row = db.execute("SELECT value FROM counter WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def count_up(tx: sqlite3.Connection, name: str, at_least: int = 1) -> int:
    """The next value of a counter: one more, or `at_least` where that is greater."""
    row = tx.execute(
        "INSERT INTO counter VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = max(value + 1, excluded.value) RETURNING value",
        (name, at_least),
    ).fetchone()
    return int(row[0])


def id_blob(id_: str) -> bytes:
    """A UUID as the file holds it."""
    return bytes.fromhex(id_.replace("-", ""))


def id_text(blob: bytes) -> str:
    """A UUID as messages write it."""
    hexed = blob.hex()
    return "-".join((hexed[:8], hexed[8:12], hexed[12:16], hexed[16:20], hexed[20:]))
