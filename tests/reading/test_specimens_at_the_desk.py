"""Every specimen page from its file to its verdict, read by our own reader and asked of the demo's
list: what the demo shows is what its catalogue says."""

from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER, Specimen
from scanner.examine import Examination, Examiner
from scanner.mrz.reading import Status
from scanner.sources.replay import Replay
from scanner.verdict import Outcome
from scanner.vision.engine import open_reader
from scanner.vision.readers import DEFAULT
from scanner.watchlist.age import ClockReading
from tests.listing import built, lists_in

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def examinations(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Examination]:
    lists = tmp_path_factory.mktemp("lists")
    built(SPECIMENS_FOLDER / "demo-list.csv", lists, "demo", as_of=NOW)
    clock = ClockReading(now=NOW, synchronised=True, unsynchronised_s=0.0, grace_s=3600.0)
    examiner = Examiner(open_reader(DEFAULT), lists_in(lists), lambda: clock)
    source = Replay([SPECIMENS_FOLDER / specimen.file for specimen in SPECIMENS])
    captures = source.captures(Event())
    return {Path(capture.source).name: examiner.examine(capture) for capture in captures}


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.file)
def test_the_verdict_is_one_that_the_catalogue_calls_right(
    specimen: Specimen, examinations: dict[str, Examination]
) -> None:
    verdict = examinations[specimen.file].verdict
    assert verdict is not None
    assert verdict.outcome in [Outcome(name) for name in specimen.expected], verdict.reasons


@pytest.mark.parametrize("specimen", SPECIMENS, ids=lambda specimen: specimen.file)
def test_what_is_printed_is_read_surely(
    specimen: Specimen, examinations: dict[str, Examination]
) -> None:
    reading = examinations[specimen.file].reading
    assert reading is not None
    assert reading.lines == specimen.lines
    assert reading.status is (Status.READ if specimen.lines else Status.UNREADABLE)


def test_the_demo_shows_every_outcome_that_needs_no_fault(
    examinations: dict[str, Examination],
) -> None:
    shown = {e.verdict.outcome for e in examinations.values() if e.verdict}
    assert shown == set(Outcome) - {Outcome.NOT_CHECKED}


def test_an_expired_document_that_is_not_listed_is_clear_and_said_to_be_expired(
    examinations: dict[str, Examination],
) -> None:
    verdict = examinations["11-passport-expired.jpg"].verdict
    assert verdict is not None
    assert verdict.outcome is Outcome.CLEAR
    assert any("expired" in line.lower() for line in verdict.beside)
