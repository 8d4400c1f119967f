"""How central's store speaks to its database, whichever it is."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)

from central.store.rows import insert_new_rows
from scanner.write_ahead import write_ahead

_BUSY_S = 10.0
STILL_S = 10.0
"""A transaction in which nobody says anything for as long is ended by PostgreSQL. Who froze, or
lost its power, in the middle of one would hold its rows for hours, and all others with them."""
_LOCKS = 0x626F7264
"""What our locks in PostgreSQL have in common, apart from those of other programs."""

_LOCKING = sa.select(
    sa.func.pg_advisory_xact_lock(_LOCKS, sa.func.hashtext(sa.bindparam("name", type_=sa.Text)))
)

_WATCHFUL = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
"""A server that is gone without a word is noticed within 25 s."""


class StoreFault(Exception):
    """The store cannot be read or written; the message says why."""


class StoreAway(StoreFault):
    """The database's server does not answer or takes nobody in; later it may."""


class Unstorable(StoreFault):
    """The database takes other things, but not this."""


def open_engine(url: str) -> sa.Engine:
    """The engine for `url`. Raises StoreFault where the url is none."""
    url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
    try:
        engine = sa.create_engine(url, **_options(url))
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError, ValueError):
        raise StoreFault(
            "the store's url is not one that this installation can use; "
            "it looks like sqlite:////var/lib/borderpost-central/central.db"
        ) from None
    if engine.dialect.name == "sqlite":
        _make_durable(engine)
    else:
        _make_considerate(engine)
    return engine


@contextmanager
def in_words() -> Iterator[None]:
    """Turns whatever the database raises into StoreFault."""
    try:
        yield
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        first_line = (str(cause).splitlines() or [""])[0]
        raise _sort_of(error)(f"the store refuses: {first_line}") from None
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise StoreFault(f"the store refuses: {where}{error.strerror}") from None


def _sort_of(error: SQLAlchemyError) -> type[StoreFault]:
    if isinstance(error, DataError | IntegrityError):
        return Unstorable
    cause = getattr(error, "orig", None)
    away = isinstance(error, OperationalError) and type(cause).__module__ == "psycopg"
    cut_off = isinstance(error, DBAPIError) and error.connection_invalidated
    return StoreAway if away or cut_off else StoreFault


def add(tx: sa.Connection, table: sa.Table, **values: Any) -> bool:
    """Adds a row unless its key is there already, and says whether it did."""
    return bool(insert_new_rows(tx, table, [values]))


def lock(tx: sa.Connection, name: str) -> None:
    """Waits until no other transaction holds `name`, and holds it until `tx` ends. SQLite lets one
    transaction change at a time as it is."""
    if tx.dialect.name == "postgresql":
        tx.execute(_LOCKING, {"name": name})


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": _BUSY_S}}
    return {"pool_pre_ping": True, "connect_args": _WATCHFUL}


def _make_durable(engine: sa.Engine) -> None:
    """Every commit on the disk when it returns; the file its owner's alone."""

    @sa.event.listens_for(engine, "do_connect")
    def create(_dialect: Any, _record: Any, arguments: list[Any], _options: Any) -> None:
        path = Path(str(arguments[0]))
        if str(path) != ":memory:" and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        write_ahead(connection, _BUSY_S)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA secure_delete=ON")

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        options = connection.get_execution_options()
        if options.get("reading", False):
            connection.exec_driver_sql("BEGIN")
            return
        waits = "FULL" if options.get("lasting", True) else "NORMAL"
        connection.exec_driver_sql(f"PRAGMA synchronous={waits}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _make_considerate(engine: sa.Engine) -> None:
    """PostgreSQL waits for the disk by itself, unless it is not asked to; and for a transaction
    that stands still it does not wait for long."""

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        still = f"{STILL_S * 1000:.0f}"
        connection.execute(f"SET idle_in_transaction_session_timeout TO {still}")
        connection.commit()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        if not connection.get_execution_options().get("lasting", True):
            connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
