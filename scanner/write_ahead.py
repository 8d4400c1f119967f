"""Puts an SQLite file into write-ahead mode, also while others do the same.

The change of mode needs the file alone, and asks for that while it already reads. Two who wait for
each other so would wait for ever; SQLite therefore refuses one of them at once, whatever busy
timeout the connection has (https://www.sqlite.org/c3ref/busy_handler.html). So the one that was
refused asks again. Once a file is in this mode it stays so, and the question costs one look.
"""

import sqlite3
import time

_AGAIN_S = 0.01


def write_ahead(connection: sqlite3.Connection, busy_s: float) -> None:
    """Puts the file of `connection`, which is in no transaction, into write-ahead mode. Raises
    sqlite3.Error, and where others kept the file for `busy_s` seconds the one that says so."""
    until = time.monotonic() + busy_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
            if not busy or time.monotonic() >= until:
                raise
        time.sleep(_AGAIN_S)
