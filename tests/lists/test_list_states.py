"""How the lists of a device stand: fresh, too old, missing or damaged, and what takes over when."""

import gc
import os
import shutil
import weakref
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scanner.mrz.document import Kind
from scanner.watchlist.age import ClockReading, age_of, span
from scanner.watchlist.build import Built
from scanner.watchlist.contract import AskedAs, ListHealth, Question
from scanner.watchlist.lists import NO_LIST, ListPolicy, Lists
from scanner.watchlist.questions import Questions

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GOOD = "UTO,L898902C3,,passport,stolen,2026-01-05,"
ASKED = Questions((Question("UTO", "L898902C3", Kind.PASSPORT, AskedAs.NUMBER, True),), 3)
Build = Callable[..., Built]


def test_a_fresh_list_is_asked_and_told_with_version_and_age(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(hours=5))
    inquiry = Lists(folder).ask(ASKED, clock)
    assert [match.list for match in inquiry.matches] == ["sltd"]
    assert (inquiry.asked, inquiry.unasked) == (1, 3)
    (state,) = inquiry.lists
    assert (state.name, state.version, state.age_s, state.health) == (
        "sltd",
        1,
        5 * 3600,
        ListHealth.OK,
    )


def test_every_list_in_the_folder_is_asked(build: Build, folder: Path, clock: ClockReading) -> None:
    build(GOOD)
    build("UTO,L898902C3,,passport,lost,2026-01-05,", name="national")
    inquiry = Lists(folder).ask(ASKED, clock)
    assert [match.list for match in inquiry.matches] == ["national", "sltd"]


@pytest.mark.parametrize(
    ("age", "health"),
    [
        (timedelta(days=7), ListHealth.OK),
        (timedelta(days=7, seconds=1), ListHealth.OVER_AGE),
    ],
)
def test_a_list_may_be_as_old_as_its_limit_and_no_older(
    build: Build, folder: Path, clock: ClockReading, age: timedelta, health: ListHealth
) -> None:
    build(GOOD, as_of=NOW - age)
    inquiry = Lists(folder).ask(ASKED, clock)
    assert inquiry.lists[0].health is health
    assert len(inquiry.matches) == 1


def test_a_policy_sets_the_limit_of_its_list(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(hours=30))
    lists = Lists(folder, [ListPolicy("sltd", timedelta(days=1), required=False)])
    (state,) = lists.states(clock)
    assert (state.health, state.required) == (ListHealth.OVER_AGE, False)
    assert state.reason == "it is 30 h old and may be 24 h; fetch a newer version"


def test_a_list_that_a_policy_demands_and_that_is_not_there_is_missing(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    policies = [ListPolicy(name, timedelta(days=7)) for name in ("sltd", "national")]
    states = Lists(folder, policies).states(clock)
    assert [state.health for state in states] == [ListHealth.OK, ListHealth.MISSING]
    assert states[1].reason == f"{folder}/national.json is not there; build or fetch the list"


def test_a_folder_without_lists_or_no_folder_is_a_missing_list(
    tmp_path: Path, clock: ClockReading
) -> None:
    for place in (tmp_path, tmp_path / "gone"):
        (state,) = Lists(place).states(clock)
        assert (state.name, state.health, state.required) == (NO_LIST, ListHealth.MISSING, True)
        assert state.reason == f"{place} holds no list; build or fetch one"


def test_without_a_folder_no_list_is_configured(clock: ClockReading) -> None:
    assert Lists(None).states(clock) == ()


def test_a_list_that_was_there_once_is_missed_when_it_goes(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    build(GOOD, name="national")
    lists = Lists(folder)
    lists.ask(ASKED, clock)
    (folder / "sltd.json").unlink()
    assert [(state.name, state.health.value) for state in lists.states(clock)] == [
        ("national", "ok"),
        ("sltd", "missing"),
    ]
    shutil.rmtree(folder)
    assert {state.health for state in lists.states(clock)} == {ListHealth.MISSING}


def test_a_new_version_is_in_use_at_the_next_document(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build("UTO,A1,,passport,stolen,2026-01-05,")
    lists = Lists(folder)
    assert lists.ask(ASKED, clock).matches == ()
    build(GOOD)
    inquiry = lists.ask(ASKED, clock)
    assert (len(inquiry.matches), inquiry.lists[0].version) == (1, 2)


def test_damage_is_told_in_one_line_and_the_other_lists_still_answer(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    damaged = folder / build(GOOD, name="national").manifest.file
    with damaged.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff")
    inquiry = Lists(folder).ask(ASKED, clock)
    assert [match.list for match in inquiry.matches] == ["sltd"]
    assert inquiry.lists[0].health is ListHealth.DAMAGED
    assert str(damaged) in inquiry.lists[0].reason
    assert "fetch or build" in inquiry.lists[0].reason
    assert "\n" not in inquiry.lists[0].reason


def test_damage_that_comes_while_a_list_is_open_is_found_and_so_is_its_mending(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    path = folder / build(GOOD).manifest.file
    lists = Lists(folder)
    assert len(lists.ask(ASKED, clock).matches) == 1
    whole = path.read_bytes()
    path.write_bytes(whole[:6000] + b"\xff" + whole[6001:])
    for _ in range(2):
        inquiry = lists.ask(ASKED, clock)
        assert (inquiry.matches, inquiry.lists[0].health) == ((), ListHealth.DAMAGED)
    path.write_bytes(whole)
    os.utime(path)
    inquiry = lists.ask(ASKED, clock)
    assert (len(inquiry.matches), inquiry.lists[0].health) == (1, ListHealth.OK)


def test_a_list_that_stays_damaged_keeps_nothing_of_what_it_was_asked(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    (folder / build(GOOD).manifest.file).write_bytes(b"")
    lists = Lists(folder)
    lists.ask(ASKED, clock)
    asked = Questions((Question("UTO", "C01X00T47", Kind.PASSPORT, AskedAs.NUMBER, True),))
    kept = weakref.ref(asked)
    assert lists.ask(asked, clock).lists[0].health is ListHealth.DAMAGED
    del asked
    gc.collect()
    assert kept() is None


def test_a_file_that_is_no_manifest_is_a_damaged_list_and_not_passed_over(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    (folder / "national.json").write_text("{}")
    states = Lists(folder).states(clock)
    assert [state.health for state in states] == [ListHealth.DAMAGED, ListHealth.OK]


def test_an_age_is_a_lower_bound_while_the_clock_is_not_set(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(hours=5))
    lists = Lists(folder)
    (unsure,) = lists.states(replace(clock, synchronised=False, unsynchronised_s=86400.0))
    assert (unsure.health, unsure.age_is_lower_bound) == (ListHealth.OK, True)
    (lost,) = lists.states(replace(clock, synchronised=False, unsynchronised_s=86401.0))
    assert (lost.health, lost.age_is_lower_bound) == (ListHealth.OVER_AGE, True)
    assert "the clock has not been set for 24 h" in lost.reason


def test_a_list_from_the_future_means_that_the_clock_is_wrong(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW + timedelta(minutes=4))
    (state,) = Lists(folder).states(clock)
    assert (state.health, state.age_s) == (ListHealth.OK, 0.0)
    build(GOOD, as_of=NOW + timedelta(days=3))
    (state,) = Lists(folder).states(clock)
    assert (state.health, state.age_s) == (ListHealth.OVER_AGE, 0.0)
    assert "the clock is wrong" in state.reason


def test_an_age_is_never_negative(clock: ClockReading) -> None:
    for minutes in (-6, -5, -1, 0, 1):
        assert age_of(NOW - timedelta(minutes=minutes), clock).seconds == max(0, minutes * 60)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(50, "50 s"), (720, "12 min"), (108_000, "30 h"), (9 * 86400, "9 days")],
)
def test_a_length_of_time_is_told_in_the_unit_that_fits(seconds: float, told: str) -> None:
    assert span(seconds) == told
