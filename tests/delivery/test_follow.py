"""`borderpost-central alerts --follow`: for a pipe, each alert once, whatever the database does."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from central.store.store import Received, Store, StoreFault
from central.systems.follow import MARGIN_MS, Follower
from scanner.alert import Event, Message, new_id, source_of
from tests.delivery.both_ends import NOW, alert, over_both_databases, running, wait_for
from tests.delivery.postgres import Cluster
from tests.delivery.test_central_commands import run


@pytest.fixture
def config(tmp_path: Path, store_url: str) -> Path:
    path = tmp_path / "central.toml"
    path.write_text(f'[store]\nurl = "{store_url}"\n[keys]\nfolder = "{tmp_path}/keys"\n')
    return path


class Line:
    """`alerts --follow --json` in a process of its own, read as a pipe is."""

    def __init__(self, config: Path, *more: str) -> None:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "central.cli", "alerts", "--follow", "--json"),
                *("--config", str(config), *more),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.told: list[dict[str, Any]] = []
        self.said: list[str] = []
        self._threads = [
            threading.Thread(target=self._read_told),
            threading.Thread(target=self._read_said),
        ]
        for thread in self._threads:
            thread.start()

    def ids(self) -> list[str]:
        return [told["id"] for told in self.told]

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(20)
        for thread in self._threads:
            thread.join(10)
        return code

    def _read_told(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def _read_said(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())


@contextmanager
def following(config: Path, *more: str) -> Iterator[Line]:
    line = Line(config, *more)
    try:
        yield line
    finally:
        if line.process.poll() is None:
            line.end()


def commit(store: Store, count: int = 1, at: datetime | None = None) -> list[str]:
    """Commits alerts as a receiver does that received them `at`."""
    ids = [new_id() for _ in range(count)]
    events = [
        Event(Message.ALERT, each, source_of("desk-1"), NOW, alert(), new_id(), 1) for each in ids
    ]
    batch = [Received("desk-1", event, b"signed") for event in events]
    store.commit(batch, at or datetime.now(UTC))
    return ids


@over_both_databases
def test_each_alert_is_one_line_once_as_soon_as_it_is_committed(store: Store, config: Path) -> None:
    old = commit(store)
    with following(config, "--since", "2026-01-01") as line:
        wait_for(lambda: line.ids() == old)
        new = [*commit(store), *commit(store, 3)]
        wait_for(lambda: len(line.told) == 5)
        assert line.end() == 0
    assert line.ids()[0] == old[0]
    assert sorted(line.ids()) == sorted(old + new)
    assert line.said == []
    told = line.told[-1]
    assert (told["device"], told["outcome"], told["late"]) == ("desk-1", "HIT", False)
    assert told["document"]["number"] == "L898902C3"
    assert datetime.fromisoformat(told["received_at"]).tzinfo


def test_without_since_only_what_comes_from_now_on_is_told(store: Store) -> None:
    commit(store, 3)
    told: list[str] = []
    follower = Follower(store, lambda row: told.append(row.id))
    new = commit(store)
    follower.look(threading.Event())
    follower.look(threading.Event())
    assert told == new


def test_what_was_received_before_since_is_not_told(store: Store) -> None:
    now = datetime.now(UTC)
    commit(store, at=now - timedelta(hours=2))
    new = commit(store, at=now - timedelta(minutes=50))
    told: list[str] = []
    Follower(store, lambda row: told.append(row.id), now - timedelta(hours=1)).look(
        threading.Event()
    )
    assert told == new


@over_both_databases
def test_an_alert_that_appears_behind_a_later_one_is_told_all_the_same(store: Store) -> None:
    told: list[str] = []
    follower = Follower(store, lambda row: told.append(row.id))
    now = datetime.now(UTC)
    later = commit(store, at=now)
    follower.look(threading.Event())
    earlier = commit(store, at=now - timedelta(milliseconds=MARGIN_MS - 1000))
    follower.look(threading.Event())
    assert told == later + earlier


def test_a_receiver_whose_clock_runs_ahead_hides_no_other_s_alerts(store: Store) -> None:
    told: list[str] = []
    follower = Follower(store, lambda row: told.append(row.id))
    now = datetime.now(UTC)
    ahead = commit(store, at=now + timedelta(days=400))
    follower.look(threading.Event())
    true = commit(store, at=now)
    follower.look(threading.Event())
    assert told == ahead + true


def test_a_great_many_at_once_are_each_told_once_in_the_order_of_their_receipt(
    store: Store,
) -> None:
    now = datetime.now(UTC)
    first = commit(store, 1300, at=now - timedelta(minutes=9))
    second = commit(store, 1200, at=now - timedelta(minutes=7))
    told: list[str] = []
    follower = Follower(store, lambda row: told.append(row.id), now - timedelta(days=1))
    follower.look(threading.Event())
    follower.look(threading.Event())
    assert len(told) == 2500
    assert set(told[:1300]) == set(first)
    assert set(told[1300:]) == set(second)


def test_a_fault_in_the_middle_of_a_look_repeats_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away after the first portion is told."""
    told: list[str] = []
    follower = Follower(store, lambda row: told.append(row.id), NOW - timedelta(days=1))
    every = commit(store, 1200)
    reading, readings = store.reading, iter([True, True, True, False])

    def failing() -> Any:
        if not next(readings, True):
            raise StoreFault("the store refuses: it is gone")
        return reading()

    monkeypatch.setattr(store, "reading", failing)
    with pytest.raises(StoreFault):
        follower.look(threading.Event())
    assert 0 < len(told) < len(every)
    follower.look(threading.Event())
    assert sorted(told) == sorted(every)


def test_a_database_that_goes_away_and_comes_back_costs_one_line_and_no_alert(
    tmp_path: Path,
) -> None:
    with Cluster() as cluster:
        url = cluster.database()
        config = tmp_path / "central.toml"
        config.write_text(f'[store]\nurl = "{url}"\n[keys]\nfolder = "{tmp_path}/keys"\n')
        before = Store(url)
        with following(config, "--since", "2026-01-01") as line:
            first = commit(before)
            wait_for(lambda: line.ids() == first)
            before.close()
            cluster.kill()
            wait_for(lambda: line.said)
            cluster.start()
            after = Store(url)
            second = commit(after, 2)
            wait_for(lambda: len(line.told) == 3)
            after.close()
            assert line.end() == 0
        assert sorted(line.ids()) == sorted(first + second)
    assert all("alerts are followed again when it does not" in said for said in line.said)


def test_it_ends_quietly_when_nobody_reads_it_any_more_even_if_no_alert_comes(
    config: Path, store: Store
) -> None:
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "central.cli", "alerts", "--follow", "--json"),
            *("--config", str(config)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.wait(20) == 0
        assert process.stderr.read() == b""


def test_a_reader_that_leaves_in_the_middle_is_no_error(config: Path, store: Store) -> None:
    commit(store, 600)
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "central.cli", "alerts", "--follow", "--json"),
            *("--config", str(config), "--since", "2026-01-01"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["device"] == "desk-1"
        process.stdout.close()
        process.wait(20)
        assert process.stderr.read() == b""


def test_a_follower_in_a_thread_tells_within_a_moment(store: Store) -> None:
    told: list[str] = []
    follower = Follower(store, lambda row: told.append(row.id))
    with running(lambda stop: _follow(follower, stop)):
        new = commit(store)
        wait_for(lambda: told == new)


def _follow(follower: Follower, stop: threading.Event) -> None:
    threading.Thread(target=lambda: (stop.wait(), follower.wake()), daemon=True).start()
    follower.run(stop)


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01", "", "12:00"])
def test_a_since_that_is_no_moment_is_one_line(config: Path, since: str) -> None:
    _, said = run("alerts", "--follow", "--since", since, "--config", str(config), code=2)
    assert len(said) == 1
    assert "--since is a moment such as" in said[0]


def test_since_without_follow_is_said_to_be_wrong(config: Path) -> None:
    _, said = run("alerts", "--since", "2026-01-01", "--config", str(config), code=2)
    assert said == ["borderpost-central: --since goes with --follow"]
