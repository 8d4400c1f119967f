"""A small SQLite file that must not lose what it was told, for the outbox, the answers and the
journal.

Write-ahead log with `synchronous=FULL`: a commit is on the disk when it returns, by one fsync of
the log. (With NORMAL a power cut takes committed rows; with a rollback journal, FULL does not sync
the folder after the journal is removed, and a cut can bring a committed change back out.) Deleted
content is overwritten. The file is its owner's alone, and SQLite gives its log the same mode.

Nothing is opened until it is needed, and whatever goes wrong with disk or file becomes the one
typed fault that the owner named; the next call starts afresh. So a full, read-only or damaged disk
keeps neither the daemon from starting nor a hit from being shown.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import RLock

from scanner.durable import own_like, sync_folder
from scanner.failing import Told
from scanner.said import said
from scanner.write_ahead import write_ahead

MARKS = """
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS heard (
  name TEXT NOT NULL, counter INTEGER NOT NULL, PRIMARY KEY (name, counter)
) WITHOUT ROWID;
"""
"""Part of a schema: the highest counter that central has used towards this device, by name; and the
latest of those that may overtake one another."""

HEARD = 64
"""How many counters of one name are remembered."""

_BUSY_S = 5.0
_LOG_BYTES = 4 * 1024 * 1024
"""What the log keeps of the disk once its content is in the file."""


class DiskFault(Told):
    """The file cannot be read or written; the message says which, why, and what to do."""


class Database:
    """One SQLite file, for use from any number of threads. `prepare` may look at the file each
    time that it is opened and change what an earlier release left."""

    def __init__(
        self,
        path: Path,
        schema: str,
        fault: type[DiskFault],
        prepare: Callable[[sqlite3.Connection], None] = lambda connection: None,
    ) -> None:
        self._path = path
        self._schema = schema
        self._fault = fault
        self._prepare = prepare
        self._lock = RLock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def change(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed to the disk when the block ends, undone where it raises."""
        with self._lock, self._faults():
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def look(self) -> Iterator[sqlite3.Connection]:
        """For reading alone."""
        with self._lock, self._faults():
            yield self._open()

    def close(self) -> None:
        """Lets go of the file; the next use opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            self._forget()
            raise self._fault(_in_words(self._path, error)) from None

    def _forget(self) -> None:
        try:
            self.close()
        except sqlite3.Error:
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            _create(self._path)
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                write_ahead(connection, _BUSY_S)
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute(f"PRAGMA journal_size_limit={_LOG_BYTES}")
                connection.executescript(self._schema)
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    try:
        own_like(path.parent, handle)
    finally:
        os.close(handle)
    sync_folder(path.parent)


def _in_words(path: Path, error: sqlite3.Error | OSError) -> str:
    if isinstance(error, OSError):
        return said(
            "{path}: {error}; make room or mend the permissions", path=path, error=error.strerror
        )
    code = getattr(error, "sqlite_errorname", "")
    if code.startswith("SQLITE_FULL"):
        return said("{path}: the disk is full; make room", path=path)
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return said(
            "{path}: the file is damaged; move it away, and a new one is started", path=path
        )
    if code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return said(
            "{path}: the file cannot be written; mend the permissions or the disk", path=path
        )
    return said(
        "{path}: the disk refuses ({code}); look at the disk",
        path=path,
        code=code or "SQLite error",
    )


def raise_mark(tx: sqlite3.Connection, name: str, counter: int) -> bool:
    """Whether `counter` is above every one seen under `name`, and now the highest seen."""
    raised = tx.execute(
        "INSERT INTO mark VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > value",
        (name, counter),
    )
    return raised.rowcount == 1


def heard_once(tx: sqlite3.Connection, name: str, counter: int) -> bool:
    """Whether `counter` was not seen under `name` before. Several receivers speak for central, so
    what one of them says can overtake the other's; of the latest counters each counts once, and
    whatever is not above the mark, which follows them, never again."""
    row = tx.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
    if row is not None and counter <= row[0]:
        return False
    added = tx.execute("INSERT OR IGNORE INTO heard VALUES (?, ?)", (name, counter)).rowcount == 1
    beyond = tx.execute(
        "SELECT counter FROM heard WHERE name = ? ORDER BY counter DESC LIMIT 1 OFFSET ?",
        (name, HEARD),
    ).fetchone()
    if beyond is not None:
        forget_heard(tx, name, int(beyond[0]))
    return added


def forget_heard(tx: sqlite3.Connection, name: str, counter: int) -> None:
    """Nothing up to `counter` counts under `name` any more."""
    raise_mark(tx, name, counter)
    tx.execute("DELETE FROM heard WHERE name = ? AND counter <= ?", (name, counter))
