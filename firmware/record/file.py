"""The journal's file: its table, and how a file without a chain becomes one with one.

Triggers refuse to change a row, to put one in anywhere but after the last, or to remove one that no
purge in the journal itself speaks of.
"""

import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from firmware.record.rows import Entry, Row, What, row_after, words_of
from scanner.hash_chain import NOTHING, Head, Link

_COLUMNS = (
    *("n", "at", "what", "device", "outcome", "officer", "lists", "reader", "took_us", "alert"),
    *("entered", "drill", "detail", "previous", "hash"),
)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM entry "  # noqa: S608  our own names
_INSERT = f"INSERT INTO entry VALUES ({', '.join('?' * len(_COLUMNS))})"  # noqa: S608
_TABLE = """
CREATE TABLE entry (
  n INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  device TEXT NOT NULL,
  outcome TEXT NOT NULL,
  officer TEXT,
  lists TEXT NOT NULL,
  reader TEXT,
  took_us INTEGER,
  alert TEXT,
  entered TEXT,
  drill INTEGER NOT NULL,
  detail TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
)"""
_AROUND = (
    "CREATE INDEX IF NOT EXISTS by_time ON entry (at)",
    "CREATE INDEX IF NOT EXISTS by_alert ON entry (alert) WHERE alert IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS by_purge ON entry (n) WHERE what = 'purged'",
    """
    CREATE TRIGGER IF NOT EXISTS unchanged BEFORE UPDATE ON entry
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS kept BEFORE DELETE ON entry
    WHEN OLD.n > coalesce((
      SELECT json_extract(detail, '$.up_to') FROM entry
      WHERE what = 'purged' ORDER BY n DESC LIMIT 1
    ), 0)
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS in_order BEFORE INSERT ON entry
    WHEN NEW.n <> coalesce((SELECT max(n) FROM entry), 0) + 1
    BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END
    """,
)


def prepare(connection: sqlite3.Connection) -> None:
    """Makes a new file ready, and one of the first format into one of this."""
    columns = _columns(connection)
    if "hash" in columns:
        return
    connection.execute("BEGIN IMMEDIATE")
    columns = _columns(connection)  # another process may have been faster
    if not columns:
        connection.execute(_TABLE)
    elif "hash" not in columns:
        _convert(connection)
    for statement in _AROUND:
        connection.execute(statement)
    connection.execute("COMMIT")


def add(tx: sqlite3.Connection, entry: Entry) -> Head:
    """Adds a row after the last one."""
    row = row_after(head(tx), entry)
    tx.execute(_INSERT, _values(row))
    return Head(row.n, row.hash)


def head(db: sqlite3.Connection) -> Head:
    """The last row's place in the chain."""
    row = db.execute("SELECT n, hash FROM entry ORDER BY n DESC LIMIT 1").fetchone()
    return Head(row[0], row[1]) if row else NOTHING


def select(db: sqlite3.Connection, which: str, values: tuple[object, ...] = ()) -> Iterator[Row]:
    """The rows that `which`, the rest of a SELECT, chooses. Raises sqlite3.DatabaseError for one
    that nobody could have written."""
    for stored in db.execute(_SELECT + which, values):
        row = _row(stored)
        if row is None:
            raise sqlite3.DatabaseError
        yield row


def links(db: sqlite3.Connection, up_to: int) -> Iterator[Link]:
    """The chain up to the row `up_to`; a row that nobody could have written has no words."""
    for stored in db.execute(_SELECT + "WHERE n <= ? ORDER BY n", (up_to,)):
        row = _row(stored)
        n, previous, hash_ = stored[0], stored[-2], stored[-1]
        removed = None
        if row is not None and row.entry.what == What.PURGED:
            removed = Head(row.entry.detail.get("up_to", 0), row.entry.detail.get("hash", ""))
        yield Link(n, previous, hash_, row.words if row else {}, removed)


def micros(moment: datetime) -> int:
    """A moment as the file holds it."""
    return (moment - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)


def _columns(db: sqlite3.Connection) -> set[str]:
    return {name for _, name, *_ in db.execute("PRAGMA table_info(entry)")}


def _values(row: Row) -> tuple[object, ...]:
    words = row.words
    held = {
        **words,
        "at": micros(row.entry.at),
        "lists": json.dumps(words["lists"]),
        "detail": json.dumps(words["detail"], ensure_ascii=False),
        "hash": row.hash,
    }
    return tuple(held[name] for name in _COLUMNS)


def _row(stored: tuple[Any, ...]) -> Row | None:
    """The row as it was written, or None for what is none: somebody else has had the file."""
    held = dict(zip(_COLUMNS, stored, strict=True))
    try:
        entry = Entry(
            at=datetime.fromtimestamp(0, UTC) + timedelta(microseconds=held["at"]),
            what=held["what"],
            device=held["device"],
            outcome=held["outcome"],
            officer=held["officer"],
            lists=tuple(dict(json.loads(held["lists"])).items()),
            reader=held["reader"],
            ms=None if held["took_us"] is None else held["took_us"] / 1000,
            alert=held["alert"],
            entered=held["entered"],
            drill={0: False, 1: True}[held["drill"]],
            detail=dict(json.loads(held["detail"])),
        )
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return None
    return Row(entry, words_of(held["n"], entry, held["previous"]), held["hash"])


def _convert(tx: sqlite3.Connection) -> None:
    """Takes over what a file without a chain holds, as the first rows of one."""
    for trigger in ("unchanged", "kept"):
        tx.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    tx.execute("DROP INDEX IF EXISTS by_time")
    tx.execute("ALTER TABLE entry RENAME TO entry_before")
    tx.execute(_TABLE)
    tx.executemany(_INSERT, _chained(tx))
    tx.execute("DROP TABLE entry_before")
    tx.execute("DROP TABLE IF EXISTS retention")


def _chained(db: sqlite3.Connection) -> Iterator[tuple[object, ...]]:
    before = NOTHING
    for at, what, officer, device, outcome, lists, reader, ms, alert in db.execute(
        "SELECT at, what, officer, device, outcome, lists, reader, ms, alert FROM entry_before"
        " ORDER BY n"
    ):
        entry = Entry(
            at=datetime.fromtimestamp(at, UTC),
            what=what,
            device=device,
            outcome=outcome,
            officer=officer,
            lists=tuple((name, version) for name, version in json.loads(lists)),
            reader=reader,
            ms=ms,
            alert=alert,
        )
        row = row_after(before, entry)
        before = Head(row.n, row.hash)
        yield _values(row)
