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
from scanner.watchlist.activation import parts_of
from scanner.watchlist.age import ClockReading, age_of, span
from scanner.watchlist.build import Built
from scanner.watchlist.contract import AskedAs, ListHealth, Question
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.lists import NO_LIST, ListPolicy, Lists
from scanner.watchlist.questions import Questions
from tests.listing import KEY, Ring, flip, lists_in

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
GOOD = "UTO,L898902C3,,passport,stolen,2026-01-05,"
OTHER = "UTO,U71B40952,,passport,stolen,2026-01-05,"
ASKED = Questions((Question("UTO", "L898902C3", Kind.PASSPORT, AskedAs.NUMBER, True),), 3)
Build = Callable[..., Built]


def test_a_fresh_list_is_asked_and_told_with_version_and_age(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(hours=5))
    inquiry = lists_in(folder).ask(ASKED, clock)
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
    inquiry = lists_in(folder).ask(ASKED, clock)
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
    inquiry = lists_in(folder).ask(ASKED, clock)
    assert inquiry.lists[0].health is health
    assert len(inquiry.matches) == 1


def test_a_policy_sets_the_limit_of_its_list(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(hours=30))
    lists = lists_in(folder, ListPolicy("sltd", timedelta(days=1), required=False))
    (state,) = lists.states(clock)
    assert (state.health, state.required) == (ListHealth.OVER_AGE, False)
    assert state.reason == "it is 30 h old and may be 24 h; fetch a newer version"


def test_a_list_that_a_policy_demands_and_that_is_not_there_is_missing(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    policies = [ListPolicy(name, timedelta(days=7)) for name in ("sltd", "national")]
    states = lists_in(folder, *policies).states(clock)
    assert [state.health for state in states] == [ListHealth.OK, ListHealth.MISSING]
    assert states[1].reason == f"{folder}/national.json is not there; build or fetch the list"


def test_a_folder_without_lists_or_no_folder_is_a_missing_list(
    tmp_path: Path, clock: ClockReading
) -> None:
    for place in (tmp_path, tmp_path / "gone"):
        (state,) = lists_in(place).states(clock)
        assert (state.name, state.health, state.required) == (NO_LIST, ListHealth.MISSING, True)
        assert state.reason == f"{place} holds no list; build or fetch one"


def test_without_a_folder_no_list_is_configured(clock: ClockReading) -> None:
    assert lists_in(None).states(clock) == ()


def test_a_list_that_was_there_once_is_missed_when_it_goes(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    build(GOOD, name="national")
    lists = lists_in(folder)
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
    lists = lists_in(folder)
    assert lists.ask(ASKED, clock).matches == ()
    build(GOOD)
    inquiry = lists.ask(ASKED, clock)
    assert (len(inquiry.matches), inquiry.lists[0].version) == (1, 2)


def test_damage_is_told_in_one_line_and_the_other_lists_still_answer(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    damaged = parts_of(folder, build(GOOD, name="national").manifest)[0] / "keys"
    flip(damaged, 5)
    inquiry = lists_in(folder).ask(ASKED, clock)
    assert [match.list for match in inquiry.matches] == ["sltd"]
    assert inquiry.lists[0].health is ListHealth.DAMAGED
    assert str(damaged) in inquiry.lists[0].reason
    assert "fetch or build" in inquiry.lists[0].reason
    assert "\n" not in inquiry.lists[0].reason


@pytest.mark.parametrize("part", ["keys", "details", "directory", "ranges"])
def test_damage_that_comes_while_a_list_is_open_is_found_and_so_is_its_mending(
    build: Build, folder: Path, clock: ClockReading, part: str
) -> None:
    base, ranges = parts_of(folder, build(GOOD).manifest)
    path = ranges if part == "ranges" else base / part
    lists = lists_in(folder)
    assert len(lists.ask(ASKED, clock).matches) == 1
    whole = path.read_bytes()
    flip(path, len(whole) // 2 if part in ("directory", "ranges") else 5)
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
    (parts_of(folder, build(GOOD).manifest)[0] / "keys").write_bytes(b"")
    lists = lists_in(folder)
    lists.ask(ASKED, clock)
    asked = Questions((Question("UTO", "C01X00T47", Kind.PASSPORT, AskedAs.NUMBER, True),))
    kept = weakref.ref(asked)
    assert lists.ask(asked, clock).lists[0].health is ListHealth.DAMAGED
    del asked
    gc.collect()
    assert kept() is None


def test_the_previous_version_is_asked_for_a_damaged_one_and_clears_nobody(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(days=2))
    base, _ = parts_of(folder, build(GOOD, OTHER, as_of=NOW).manifest)
    lists = lists_in(folder)
    assert lists.ask(ASKED, clock).lists[0].version == 2
    flip(base / "keys", 5)
    inquiry = lists.ask(ASKED, clock)
    (state,) = inquiry.lists
    assert (len(inquiry.matches), state.version, state.age_s) == (1, 1, 2 * 86400)
    assert state.health is ListHealth.DAMAGED
    assert state.reason.startswith(f"version 1 is asked instead: {base / 'keys'}: page 0")
    listed_since = Question("UTO", "U71B40952", Kind.PASSPORT, AskedAs.NUMBER, True)
    inquiry = lists.ask(Questions((listed_since,)), clock)
    assert (inquiry.matches, inquiry.lists[0].health) == ((), ListHealth.DAMAGED)


def test_an_older_version_that_answers_has_its_own_age(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(days=9))
    build(GOOD, OTHER)
    (folder / "sltd.json").write_text("sltd")
    inquiry = lists_in(folder).ask(ASKED, clock)
    (state,) = inquiry.lists
    assert (len(inquiry.matches), state.age_s) == (1, 9 * 86400)
    assert state.health is ListHealth.DAMAGED
    assert state.reason.startswith("it is 9 days old and may be 7 days; fetch a newer version; ")


def test_a_version_under_a_missing_key_leaves_the_previous_one_to_find_what_it_can(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    build(GOOD, OTHER, key=ListKey.new())
    inquiry = lists_in(folder).ask(ASKED, clock)
    assert (len(inquiry.matches), inquiry.lists[0].version) == (1, 1)
    assert inquiry.lists[0].health is ListHealth.LOCKED


def test_two_versions_that_are_both_damaged_answer_nothing(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    for rows in ([GOOD], [GOOD, OTHER]):
        flip(parts_of(folder, build(*rows).manifest)[0] / "keys", 5)
    inquiry = lists_in(folder).ask(ASKED, clock)
    assert (inquiry.matches, inquiry.lists[0].health) == ((), ListHealth.DAMAGED)


def test_a_damaged_page_costs_the_documents_that_need_it_and_is_told_with_the_others(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    rows = [f"UTO,N{number:08d},,passport,stolen,2026-01-05," for number in range(3000)]
    base, _ = parts_of(folder, build(*rows).manifest)
    flip(base / "keys", 4096 + 5)
    lists = lists_in(folder)
    healths = set()
    for number in range(0, 3000, 50):
        question = Question("UTO", f"N{number:08d}", Kind.PASSPORT, AskedAs.NUMBER, True)
        inquiry = lists.ask(Questions((question,)), clock)
        (state,) = inquiry.lists
        healths.add(state.health)
        assert len(inquiry.matches) == (state.health is ListHealth.OK)
    assert healths == {ListHealth.OK, ListHealth.DAMAGED}
    assert f"a part of it is damaged: {base / 'keys'}: page 1" in state.reason


def test_a_list_without_its_key_is_locked_until_the_key_is_there(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    ring = Ring()
    lists = Lists(folder, ring)
    inquiry = lists.ask(ASKED, clock)
    (state,) = inquiry.lists
    assert (inquiry.matches, state.health) == ((), ListHealth.LOCKED)
    assert "bring it to this test" in state.reason
    ring.keys.append(KEY)
    inquiry = lists.ask(ASKED, clock)
    assert (len(inquiry.matches), inquiry.lists[0].health) == (1, ListHealth.OK)


def test_a_list_is_asked_under_its_own_key_while_two_are_live(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    old, new = ListKey.new(), ListKey.new()
    ring = Ring(new, old)
    lists = Lists(folder, ring)
    for key in (old, new):
        build(GOOD, key=key)
        inquiry = lists.ask(ASKED, clock)
        assert (len(inquiry.matches), inquiry.lists[0].health) == (1, ListHealth.OK)


def test_a_file_that_is_no_manifest_is_a_damaged_list_and_not_passed_over(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD)
    (folder / "national.json").write_text("{}")
    states = lists_in(folder).states(clock)
    assert [state.health for state in states] == [ListHealth.DAMAGED, ListHealth.OK]


def test_an_age_is_a_lower_bound_while_the_clock_is_not_set(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW - timedelta(hours=5))
    lists = lists_in(folder)
    (unsure,) = lists.states(replace(clock, synchronised=False, unsynchronised_s=86400.0))
    assert (unsure.health, unsure.age_is_lower_bound) == (ListHealth.OK, True)
    (lost,) = lists.states(replace(clock, synchronised=False, unsynchronised_s=86401.0))
    assert (lost.health, lost.age_is_lower_bound) == (ListHealth.OVER_AGE, True)
    assert "the clock has not been set for 24 h" in lost.reason


def test_a_list_from_the_future_means_that_the_clock_is_wrong(
    build: Build, folder: Path, clock: ClockReading
) -> None:
    build(GOOD, as_of=NOW + timedelta(minutes=4))
    (state,) = lists_in(folder).states(clock)
    assert (state.health, state.age_s) == (ListHealth.OK, 0.0)
    build(GOOD, as_of=NOW + timedelta(days=3))
    (state,) = lists_in(folder).states(clock)
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
