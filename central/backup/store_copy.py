"""Copies a store whole while it is used, and brings a copy back.

Both databases give a view of one moment without holding up whoever writes: SQLite by `VACUUM INTO`,
which also leaves out what was removed, PostgreSQL by its own `pg_dump`. A copy is brought back into
a place where there is nothing.
"""

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from central import audit
from central.backup.form import BackupFault, StoreKind, StoreSaid
from central.store import upgrade
from central.store.database import StoreFault, in_words, open_engine
from central.store.schema import alerts
from central.store.store import Store
from scanner.durable import sync_folder

_PROGRAMS = "/usr/lib/postgresql"


def kind_of(url: str) -> StoreKind:
    """Which database a URL is for. Raises BackupFault."""
    try:
        name = open_engine(url).dialect.name
        return StoreKind(name)
    except StoreFault as fault:
        raise BackupFault(str(fault)) from None
    except ValueError:
        raise BackupFault("a store can be copied in SQLite and PostgreSQL alone") from None


def copy_out(url: str, out: Path) -> StoreSaid:
    """Copies the store at `url` to the file `out`, and says what it held. Raises BackupFault,
    StoreFault or OSError."""
    kind = kind_of(url)
    store = Store(url)
    try:
        if kind is StoreKind.SQLITE:
            with store.reading() as db:
                db.exec_driver_sql("COMMIT")
                db.exec_driver_sql("VACUUM INTO ?", (str(out),))
                db.exec_driver_sql("BEGIN")
        else:
            _run("pg_dump", url, "--format=custom", "--no-owner", f"--file={out}")
        with store.reading() as db:
            return _said(db, kind)
    finally:
        store.close()


def is_empty(url: str) -> bool:
    """Whether nothing of ours is at `url`. Raises StoreFault."""
    engine = open_engine(url)
    if engine.dialect.name == "sqlite":
        return not _sqlite_path(url).exists()
    try:
        with in_words(), engine.connect() as db:
            return not sa.inspect(db).get_table_names()
    finally:
        engine.dispose()


def bring_back(copy: Path, kind: StoreKind, url: str) -> StoreSaid:
    """Brings a copy back into the empty place at `url`, and says what is there then. Raises
    BackupFault, StoreFault or OSError."""
    if kind_of(url) is not kind:
        raise BackupFault(
            f"the backup's store is of {kind}, and [store] url names another database"
        )
    if kind is StoreKind.SQLITE:
        _place(copy, _sqlite_path(url))
    else:
        options = ("--no-owner", "--exit-on-error", "--single-transaction", str(copy))
        _run("pg_restore", url, *options)
    store = Store(url)
    try:
        with store.reading() as db:
            return _said(db, kind)
    finally:
        store.close()


def look_through(copy: Path, kind: StoreKind) -> str:
    """What a copy is found to be, read from end to end. Raises BackupFault."""
    if kind is StoreKind.POSTGRESQL:
        listed = _called([_program("pg_restore"), "--list", str(copy)], {})
        tables = sum(" TABLE DATA " in line for line in listed.splitlines())
        return f"a dump of {tables} tables; only bringing it back into a database tries it whole"
    try:
        with closing(sqlite3.connect(f"file:{copy}?mode=ro&immutable=1", uri=True)) as db:
            (found,) = db.execute("PRAGMA integrity_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise BackupFault(f"the store's copy is damaged: {found}")
    engine = sa.create_engine(f"sqlite:///file:{copy}?mode=ro&immutable=1&uri=true")
    with in_words(), engine.connect() as connection:
        broken = audit.verify(connection)
    engine.dispose()
    if broken is not None:
        raise BackupFault(f"the audit trail in the store's copy does not hold: {broken}")
    return "the store is whole, and its audit trail holds"


def _said(db: sa.Connection, kind: StoreKind) -> StoreSaid:
    count = db.scalar(sa.select(sa.func.count()).select_from(alerts)) or 0
    return StoreSaid(
        kind=kind,
        schema_version=upgrade.VERSION,
        alerts=int(count),
        audit=str(audit.head(db)),
    )


def _place(copy: Path, path: Path) -> None:
    """Copies a file to a place where there is none, its owner's alone and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as target, copy.open("rb") as source:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    sync_folder(path.parent)


def _sqlite_path(url: str) -> Path:
    return Path(sa.make_url(url).database or "")


def _run(program: str, url: str, *arguments: str) -> None:
    """Runs one of PostgreSQL's own programs for a database. Its password goes by the environment,
    for every user of the machine can read a command line."""
    where = sa.make_url(url)
    environment = {"PGPASSWORD": str(where.password)} if where.password else {}
    plain = sa.URL.create(
        "postgresql", where.username, None, where.host, where.port, where.database, where.query
    )
    _called([_program(program), f"--dbname={plain}", *arguments], environment)


def _called(line: list[str], environment: dict[str, str]) -> str:
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    if done.returncode != 0:
        raise BackupFault((done.stderr.strip().splitlines() or [f"{line[0]} failed"])[0])
    return done.stdout


def _program(name: str) -> str:
    """Where one of PostgreSQL's programs is, the newest first; Debian keeps them out of the
    path."""
    own = [path for path in Path(_PROGRAMS).glob(f"*/bin/{name}") if path.parts[-3].isdecimal()]
    found = max(own, key=lambda path: int(path.parts[-3]), default=None) or shutil.which(name)
    if found is None:
        raise BackupFault(f"{name} is not here (Debian: apt-get install postgresql-client)")
    return str(found)
