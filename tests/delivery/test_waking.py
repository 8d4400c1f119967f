"""Whoever watches the store wakes with what is committed, by whichever process."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from central.store.schema import users
from central.store.store import Store
from central.store.waking import Watch
from tests.delivery.both_ends import over_both_databases, wait_for
from tests.delivery.postgres import Cluster

LONG_S = 30.0
ELSEWHERE = """
import sys
from central.store.store import Store
store = Store(sys.argv[1])
sys.stdin.readline()
with store.changing() as tx:
    tx.exec_driver_sql("DELETE FROM sessions")
"""


@pytest.fixture
def watch(store: Store) -> Iterator[Watch]:
    one = store.watch()
    yield one
    one.close()


def add_user(store: Store, name: str = "ann") -> None:
    with store.changing() as tx:
        row = {"name": name, "role": "operator", "password": "", "failures": 0}
        tx.execute(users.insert().values(**row, created_at=1, changed_at=1))


@over_both_databases
def test_a_commit_of_another_process_wakes_at_once(store: Store, store_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ELSEWHERE, store_url], stdin=subprocess.PIPE, text=True
    )
    watch = store.watch()
    try:
        wait_for(lambda: not watch.wait(0.3))  # until it has opened the store
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
        began = time.monotonic()
        assert watch.wait(LONG_S)
        assert time.monotonic() - began < LONG_S / 2
    finally:
        watch.close()
        process.communicate(timeout=20)
    assert process.returncode == 0


@over_both_databases
def test_what_was_committed_before_the_waiting_counts_and_only_once(
    store: Store, watch: Watch
) -> None:
    add_user(store)
    assert watch.wait(LONG_S)
    assert not watch.wait(0.05)


@over_both_databases
def test_what_is_taken_back_and_what_is_only_read_wakes_nobody(store: Store, watch: Watch) -> None:
    with pytest.raises(ZeroDivisionError), store.changing() as tx:
        tx.execute(users.delete())
        raise ZeroDivisionError
    with store.reading() as db:
        db.execute(sa.select(users)).all()
    assert not watch.wait(0.1)


@over_both_databases
def test_any_thread_may_wake(watch: Watch) -> None:
    watch.wake()
    assert watch.wait(LONG_S)
    threading.Timer(0.1, watch.wake).start()
    assert watch.wait(LONG_S)


def test_a_database_that_was_away_wakes_when_it_is_back() -> None:
    with Cluster() as cluster:
        store = Store(cluster.database())
        watch = store.watch()
        cluster.stop()
        assert not watch.wait(0.2)
        cluster.start()
        assert watch.wait(LONG_S), "whatever was committed meanwhile was not heard"
        add_user(store)
        assert watch.wait(LONG_S)
        watch.close()
        store.close()
