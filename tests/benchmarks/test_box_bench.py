"""The benchmark of the box: the service comes to its first verdict under its clock, memory is told
by what it is of, and a goal that is missed is said."""

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from benchmarks.boxing import command, starting, waiting
from benchmarks.boxing.site import Site
from benchmarks.boxing.starting import Part, Start
from benchmarks.boxing.waiting import Waiting, Weighed
from benchmarks.listing.settings import LIST
from scanner.watchlist.keyring import write_keys
from tests.listing import KEY, built

START = Start((Part("settings", 1.0, 50.0), Part("models", 20.0, 80.0)), 300.0, 900.0)
WAITS = Waiting(1.5, 0.8, 60.0, {"of its own": Weighed(150.0, 150.0)})


def test_the_service_is_timed_part_by_part_up_to_its_first_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "list.csv"
    source.write_text("issuer,number,number_to,kind,status,recorded,reference\n")
    built(source, tmp_path / "lists", LIST, as_of=datetime.now(UTC))
    write_keys(tmp_path / "list-keys" / f"{LIST}.key", [KEY])
    monkeypatch.setattr(starting, "NEEDS", dict.fromkeys(starting.NEEDS, ()))
    nowhere = 9
    site = Site(tmp_path, tmp_path / "lists", tmp_path / "list-keys", nowhere)
    start = starting.measured(site, 0, lambda line: None)
    took = {part.name: part.ms for part in start.parts}
    assert all(
        took[name] > 0
        for name in ("interpreter", "imports", "settings", "models", "lists", "first verdict")
    )
    assert sum(took.values()) < start.cpu_ms
    assert start.rest_ms > 0


def test_memory_is_told_by_what_it_is_of(tmp_path: Path) -> None:
    told = waiting._memory(os.getpid(), tmp_path)
    assert told["of its own"].pss_mb > 10
    assert told["libraries"].rss_mb > told["mapped list"].rss_mb == 0


def test_a_goal_that_is_missed_is_said() -> None:
    assert command.reached(START, WAITS)
    assert not command.reached(START, replace(WAITS, cpu_percent=3.1))
    heavy = {"of its own": Weighed(200.0, 200.0), "libraries": Weighed(60.0, 5.0)}
    assert not command.reached(START, replace(WAITS, memory=heavy))
    slow = replace(START, parts=(Part("page", 90.0, 60.0),))
    assert not command.reached(slow, WAITS)
    assert "| page | 90.0 | 60.0 | **1.50** |" in command.told(slow, WAITS, 10)
