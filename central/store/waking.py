"""Tells within milliseconds that something was committed to the store, by whichever process.

PostgreSQL says so itself: whoever changes the store notifies a channel in the same transaction, and
`Watch` listens on it. SQLite has no such word; there whoever has committed touches a file beside
the database, and the kernel tells every `Watch` of that. Besides, `Watch` reads `PRAGMA
data_version` now and then, which changes with every commit of another connection: what others do
to the database is noticed too, a little later.

A wake says only that it is worth looking. Whoever waits looks into the store each time, and also
when nothing woke it for a while: while the database is away nothing can be heard.
"""

import os
import select
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from inotify_simple import INotify, flags
from sqlalchemy.exc import SQLAlchemyError

from scanner.waker import Waker

CHANNEL = "borderpost"
POLL_S = 0.05
AGAIN_S = 1.0


def notify(tx: sa.Connection) -> None:
    """Wakes every `Watch` when `tx` is committed, together with `committed`."""
    if tx.dialect.name == "postgresql":
        tx.exec_driver_sql(f"NOTIFY {CHANNEL}")


def committed(engine: sa.Engine) -> None:
    """Wakes every `Watch`, where a transaction that has ended could not say so itself."""
    if (touched := _touched(engine)) is not None:
        try:
            os.utime(touched)
        except OSError:  # whoever watches looks by himself as well
            return


def _touched(engine: sa.Engine) -> Path | None:
    """The file beside SQLite's database that every commit touches."""
    database = engine.url.database
    if engine.dialect.name != "sqlite" or not database:
        return None
    return Path(f"{database}-touched")


class Watch:
    """What is committed through any engine at the same database as `engine` from now on. One thread
    waits; any thread may `wake`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._waker = Waker()
        self._connection: Any = None
        self._touches: INotify | None = None
        self._version = 0
        self._connect_at = 0.0
        self._connect()

    def wait(self, timeout_s: float) -> bool:
        """Waits until something is committed, or `wake` is called, at most `timeout_s`; whether it
        was. What happened since the last call counts."""
        until = time.monotonic() + timeout_s
        while True:
            if self._connection is None and time.monotonic() >= self._connect_at:
                self._connect()
                if self._connection is not None:
                    return True  # whatever was committed meanwhile was not heard
            if self._heard(until - time.monotonic()):
                return True
            if time.monotonic() >= until:
                return False

    def wake(self) -> None:
        """Ends the present waiting, or the next."""
        self._waker.wake()

    def close(self) -> None:
        """Lets go of the database."""
        self._lose()
        self._waker.close()

    def _heard(self, within_s: float) -> bool:
        """Waits a little, or `within_s` where the database speaks by itself."""
        connection = self._connection
        if connection is None:
            return self._woken([], min(within_s, AGAIN_S))
        try:
            if self._listens:
                woken = self._woken([connection], within_s)
                return bool(list(connection.notifies(timeout=0))) or woken
            woken = self._woken_by_touch(min(within_s, POLL_S))
            version = self._data_version()
        except (self._engine.dialect.loaded_dbapi.Error, OSError, ValueError):
            self._lose()
            return False
        changed, self._version = version != self._version, version
        return changed or woken

    def _woken_by_touch(self, within_s: float) -> bool:
        if self._touches is None:
            return self._woken([], within_s)
        woken = self._woken([self._touches], within_s)
        return bool(self._touches.read(timeout=0)) or woken

    def _woken(self, others: list[Any], within_s: float) -> bool:
        """By `poll`: a console has a file for each open page, and `select` takes few."""
        reader = self._waker.reader
        waiting = select.poll()
        for each in (reader, *others):
            waiting.register(each, select.POLLIN)
        ready = {number for number, _ in waiting.poll(max(0.0, within_s) * 1000)}
        if reader.fileno() in ready:
            self._waker.clear()
        return reader.fileno() in ready

    @property
    def _listens(self) -> bool:
        return self._engine.dialect.name == "postgresql"

    def _data_version(self) -> int:
        return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def _connect(self) -> None:
        """A connection of its own, outside the pool; it tries again later where there is none."""
        self._connect_at = time.monotonic() + AGAIN_S
        try:
            pooled = self._engine.raw_connection()
            self._connection = pooled.driver_connection
            pooled.detach()
            if self._listens:
                self._connection.autocommit = True
                self._connection.execute(f"LISTEN {CHANNEL}")
            else:
                self._touches = _touches(self._engine)
                self._version = self._data_version()
        except (SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error, OSError):
            self._lose()

    def _lose(self) -> None:
        connection, self._connection = self._connection, None
        touches, self._touches = self._touches, None
        if touches is not None:
            touches.close()
        if connection is not None:
            try:
                connection.close()
            except self._engine.dialect.loaded_dbapi.Error:
                return


def _touches(engine: sa.Engine) -> INotify | None:
    """The kernel's news of the file that commits touch. Raises OSError."""
    touched = _touched(engine)
    if touched is None:
        return None
    touched.touch(mode=0o600)
    news = INotify(nonblocking=True)
    news.add_watch(touched, flags.ATTRIB)
    return news
