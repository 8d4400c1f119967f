"""The stores beside ours: SQLite, LMDB and RocksDB, each set up as kindly as it can be.

All hold a key of eight bytes and a value: five bytes with all fields of a record (class, tag, day),
or the first three of them. They are filled in order from rows that Python makes alike for all, with
nothing else at work in them: no journal, one transaction, appended or written as sorted files.

    SQLite    a table WITHOUT ROWID, the key a signed integer, the value one blob
    LMDB      keys appended, the database not locked, files not synchronised
    RocksDB   sorted tables written outside and taken in, then compacted; no Bloom filter
"""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.listing.measure import make_durable
from scanner.watchlist.record_arrays import U64, Records

_HALF = 1 << 63
_TABLE_ROWS = 2_000_000
"""Of one sorted table of RocksDB's."""


class Store(Protocol):
    """One peer's store, open."""

    def asked_by(self, keys: U64) -> list[Any]:
        """Keys in the form that `get` takes, made ahead so that it costs the look-up nothing."""
        ...

    def get(self, key: Any) -> bytes | None:
        """The value of one key."""
        ...

    def change(self, adds: Records, removed: U64) -> None:
        """Puts records in and takes keys out, durably, in one transaction."""
        ...

    def close(self) -> None: ...


class Peer(Protocol):
    """How one peer is filled and opened."""

    def build(self, folder: Path, parts: Iterable[Records], value_bytes: int) -> None:
        """Fills a new store in `folder`, in order, and makes it durable."""
        ...

    def open(self, folder: Path) -> Store: ...


def values_of(records: Records, value_bytes: int = 5) -> list[bytes]:
    """The values, most significant byte first: class, tag, day."""
    octets = records.rest.astype(">u8").view(np.uint8).reshape(-1, 8)[:, 3 : 3 + value_bytes]
    rows: list[bytes] = np.ascontiguousarray(octets).view(f"V{value_bytes}").reshape(-1).tolist()
    return rows


def ordered_bytes(keys: U64) -> list[bytes]:
    rows: list[bytes] = keys.astype(">u8").view("V8").tolist()
    return rows


def signed(keys: U64) -> list[int]:
    """SQLite's integers have a sign; the order stays."""
    rows: list[int] = (keys ^ np.uint64(_HALF)).view(np.int64).tolist()
    return rows


class Sqlite:
    """SQLite by Python's own module."""

    def build(self, folder: Path, parts: Iterable[Records], value_bytes: int) -> None:
        folder.mkdir(parents=True)
        rows = (
            row
            for part in parts
            for row in zip(signed(part.keys), values_of(part, value_bytes), strict=True)
        )
        database = sqlite3.connect(folder / "list.sqlite", isolation_level=None)
        for setting in ("journal_mode=OFF", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
            database.execute(f"PRAGMA {setting}")
        database.execute("CREATE TABLE listed(key INTEGER PRIMARY KEY, rest BLOB) WITHOUT ROWID")
        database.execute("BEGIN")
        database.executemany("INSERT INTO listed VALUES(?, ?)", rows)
        database.execute("COMMIT")
        database.close()
        make_durable(folder)

    def open(self, folder: Path) -> "SqliteStore":
        return SqliteStore(folder / "list.sqlite")


class SqliteStore:
    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None)
        self._ask = "SELECT rest FROM listed WHERE key = ?"

    def asked_by(self, keys: U64) -> list[Any]:
        return [(key,) for key in signed(keys)]

    def get(self, key: Any) -> bytes | None:
        row = self._database.execute(self._ask, key).fetchone()
        return row[0] if row else None

    def change(self, adds: Records, removed: U64) -> None:
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("BEGIN")
        rows = zip(signed(adds.keys), values_of(adds), strict=True)
        self._database.executemany("INSERT OR REPLACE INTO listed VALUES(?, ?)", rows)
        keys = [(key,) for key in signed(removed)]
        self._database.executemany("DELETE FROM listed WHERE key = ?", keys)
        self._database.execute("COMMIT")

    def close(self) -> None:
        self._database.close()


class Lmdb:
    def build(self, folder: Path, parts: Iterable[Records], value_bytes: int) -> None:
        folder.mkdir(parents=True)
        environment = self._environment(folder, sync=False)
        for part in parts:
            rows = zip(ordered_bytes(part.keys), values_of(part, value_bytes), strict=True)
            with environment.begin(write=True) as transaction, transaction.cursor() as cursor:
                cursor.putmulti(rows, append=True)
        environment.sync(True)
        environment.close()

    def open(self, folder: Path) -> "LmdbStore":
        return LmdbStore(self._environment(folder, sync=True))

    def _environment(self, folder: Path, *, sync: bool) -> Any:
        import lmdb  # noqa: PLC0415 - in the peers' environment alone

        return lmdb.open(
            str(folder), map_size=1 << 40, lock=False, sync=sync, metasync=sync, readahead=False
        )


class LmdbStore:
    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self._reading = environment.begin()

    def asked_by(self, keys: U64) -> list[Any]:
        return ordered_bytes(keys)

    def get(self, key: Any) -> bytes | None:
        value: bytes | None = self._reading.get(key)
        return value

    def change(self, adds: Records, removed: U64) -> None:
        self._reading.abort()
        with self._environment.begin(write=True) as transaction:
            with transaction.cursor() as cursor:
                cursor.putmulti(zip(ordered_bytes(adds.keys), values_of(adds), strict=True))
            for key in ordered_bytes(removed):
                transaction.delete(key)

    def close(self) -> None:
        self._environment.close()


class Rocks:
    """`compressed` with what its library does by itself, or not at all."""

    def __init__(self, *, compressed: bool) -> None:
        self._compressed = compressed

    def build(self, folder: Path, parts: Iterable[Records], value_bytes: int) -> None:
        from rocksdict import Rdict, SstFileWriter  # noqa: PLC0415 - in the peers' environment

        aside = folder.with_name(folder.name + ".tables")
        aside.mkdir(parents=True)
        paths: list[str] = []
        for number, rows in enumerate(_tables(parts, value_bytes)):
            writer = SstFileWriter(self._options())
            writer.open(str(aside / f"{number:06}.sst"))
            for key, value in rows:
                writer[key] = value
            writer.finish()
            paths.append(str(aside / f"{number:06}.sst"))
        database = Rdict(str(folder), options=self._options())
        database.ingest_external_file(paths)
        database.compact_range(None, None)
        database.flush()
        database.close()
        shutil.rmtree(aside)
        make_durable(folder)

    def open(self, folder: Path) -> "RocksStore":
        from rocksdict import AccessType, Rdict  # noqa: PLC0415 - in the peers' environment

        return RocksStore(
            Rdict(str(folder), options=self._options(), access_type=AccessType.read_only())
        )

    def _options(self) -> Any:
        from rocksdict import DBCompressionType, Options  # noqa: PLC0415 - likewise

        options = Options(raw_mode=True)
        options.create_if_missing(True)
        if not self._compressed:
            options.set_compression_type(DBCompressionType.none())
        return options


def _tables(parts: Iterable[Records], value_bytes: int) -> Iterator[Iterator[tuple[bytes, bytes]]]:
    for part in parts:
        for begin in range(0, len(part), _TABLE_ROWS):
            some = part[begin : begin + _TABLE_ROWS]
            yield zip(ordered_bytes(some.keys), values_of(some, value_bytes), strict=True)


class RocksStore:
    def __init__(self, database: Any) -> None:
        self._database = database

    def asked_by(self, keys: U64) -> list[Any]:
        return ordered_bytes(keys)

    def get(self, key: Any) -> bytes | None:
        value: bytes | None = self._database.get(key)
        return value

    def change(self, adds: Records, removed: U64) -> None:
        raise NotImplementedError("a day's update is not measured of RocksDB")

    def close(self) -> None:
        self._database.close()


PEERS: dict[str, Peer] = {
    "sqlite": Sqlite(),
    "lmdb": Lmdb(),
    "rocksdict": Rocks(compressed=False),
    "rocksdict-compressed": Rocks(compressed=True),
}


def removed(folder: Path) -> None:
    """What an earlier try left of a store, and of its tables."""
    for one in (folder, folder.with_name(folder.name + ".tables")):
        shutil.rmtree(one, ignore_errors=True)


def library_of(name: str) -> str:
    """The peer's library with its version."""
    if name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    if name == "lmdb":
        import lmdb  # noqa: PLC0415 - in the peers' environment alone

        return "LMDB {}.{}.{}".format(*lmdb.version())
    from importlib.metadata import version  # noqa: PLC0415 - rarely wanted

    return f"RocksDB by rocksdict {version('rocksdict')}"
