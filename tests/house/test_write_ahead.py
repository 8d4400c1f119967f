"""Files put into write-ahead mode by several at once."""

import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from scanner.write_ahead import write_ahead

AT_ONCE = 8


def opened(path: Path, timeout: float = 0.2) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout, isolation_level=None, check_same_thread=False)


def mode(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA journal_mode").fetchone()[0])


def test_nobody_is_turned_away_where_many_put_new_files_into_the_mode(tmp_path: Path) -> None:
    failed: list[BaseException] = []
    together = threading.Barrier(AT_ONCE)

    def put_all() -> None:
        for number in range(60):
            with closing(opened(tmp_path / f"{number}.db", 10)) as connection:
                together.wait()
                try:
                    write_ahead(connection, 10)
                    assert mode(connection) == "wal"
                except BaseException as error:
                    failed.append(error)

    threads = [threading.Thread(target=put_all) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_it_waits_for_one_who_reads_the_old_file(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "a.db")) as reader, closing(opened(tmp_path / "a.db")) as other:
        reader.execute("CREATE TABLE t (x)")
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM t").fetchall()
        leaving = threading.Timer(0.5, lambda: reader.execute("COMMIT"))
        leaving.start()
        write_ahead(other, 10)
        leaving.join()
        assert mode(other) == "wal"


def test_it_says_so_where_others_keep_the_file_too_long(tmp_path: Path) -> None:
    with closing(opened(tmp_path / "a.db")) as writer, closing(opened(tmp_path / "a.db")) as other:
        writer.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(other, 0.5)
        assert 0.5 <= time.monotonic() - began < 5


def test_what_is_not_a_matter_of_waiting_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"no database at all, " * 100)
    began = time.monotonic()
    with closing(opened(path)) as connection, pytest.raises(sqlite3.DatabaseError):
        write_ahead(connection, 10)
    assert time.monotonic() - began < 5
