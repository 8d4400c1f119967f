"""From what came in to the verdict, and what is said of it in JSON."""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.examine import Examination, Examiner
from scanner.mrz.document import Document, Format
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.text import reading_of
from scanner.mrz.write import compose, write
from scanner.report import as_object, checked_as_object, parsed_as_object
from scanner.sources.capture import Capture, Fault
from scanner.verdict import Answered, Outcome
from scanner.watchlist.age import ClockReading
from tests.listing import lists_in

PASSPORT = compose(
    Format.TD3,
    number="L898902C3",
    surname="Eriksson",
    given_names="Anna Maria",
    birth_date="1974-08-12",
    sex="F",
    expiry_date="2031-04-15",
    optional="ZE184226B",
)
LINES = write(PASSPORT)
LISTED = "UTO,L898902C3,,passport,stolen,2026-01-05,"
PICTURE: NDArray[np.uint8] = np.zeros((2, 2), np.uint8)


class PrintedReader:
    """Reads the same lines from every picture, as sure as it is told to be."""

    name = "printed"

    def __init__(self, lines: tuple[str, ...] = LINES, *uncertain: Uncertain) -> None:
        self._lines = lines
        self._uncertain = uncertain

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> Reading:
        return Reading(
            Status.DOUBTFUL if self._uncertain else Status.READ,
            self._lines,
            self.name,
            confidence=0.9997,
            uncertain=self._uncertain,
            box=((1.0, 2.0), (3.0, 2.0), (3.0, 4.0), (1.0, 4.0)),
            ms={"locate": 3.25, "recognise": 5.0},
        )


class BrokenReader:
    name = "broken"

    def read(self, frames: Sequence[NDArray[np.uint8]]) -> Reading:
        raise ZeroDivisionError(f"while reading {LINES[1]}")


@pytest.fixture
def examiner(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> Callable[..., Examiner]:
    def build(*rows: str, reader: object = None, **options: object) -> Examiner:
        lists = lists_in(a_list(rows))
        return Examiner(reader or PrintedReader(), lists, lambda: clock, **options)  # type: ignore[arg-type]

    return build


def test_a_picture_of_a_listed_document_is_a_hit(examiner: Callable[..., Examiner]) -> None:
    examination = examiner(LISTED).examine(Capture("a.jpg", (PICTURE,)))
    assert examination.verdict is not None
    assert examination.verdict.outcome is Outcome.HIT
    assert examination.ms["locate"] == 3.25
    assert examination.ms["total"] >= examination.ms["look_up"] > 0


def test_typed_text_goes_the_same_way_without_a_reader(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> None:
    examiner = Examiner(None, lists_in(a_list([])), lambda: clock)
    text = reading_of(LINES, reader="typed", today=clock.now.date())
    examination = examiner.examine(Capture("keys", text=text))
    assert examination.verdict is not None
    assert examination.verdict.outcome is Outcome.CLEAR


def test_a_picture_without_a_reader_is_a_fault(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> None:
    examination = Examiner(None, lists_in(a_list([])), lambda: clock).examine(
        Capture("a.jpg", (PICTURE,))
    )
    assert examination.fault is not None
    assert examination.fault.code == "no_reader"
    assert examination.verdict is None


def test_a_reader_that_fails_is_a_fault_that_repeats_nothing_of_what_was_read(
    examiner: Callable[..., Examiner], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        examination = examiner(LISTED, reader=BrokenReader()).examine(Capture("a.jpg", (PICTURE,)))
    assert examination.fault is not None
    assert examination.fault.code == "reader_failed"
    assert "ZeroDivisionError at test_examine.py" in examination.fault.message
    assert "ZeroDivisionError" in caplog.text
    assert "L898902C3" not in examination.fault.message + caplog.text


def test_a_capture_that_is_a_fault_stays_one(examiner: Callable[..., Examiner]) -> None:
    fault = Fault("not_a_picture", "a.txt is no picture")
    assert examiner().examine(Capture("a.txt", fault=fault)).fault == fault


def test_a_picture_in_which_nothing_is_read_is_to_be_read_again(
    examiner: Callable[..., Examiner],
) -> None:
    class Blind:
        name = "blind"

        def read(self, frames: Sequence[NDArray[np.uint8]]) -> Reading:
            return Reading(Status.UNREADABLE, (), self.name, note="there is no MRZ in the picture")

    examination = examiner(reader=Blind()).examine(Capture("a.jpg", (PICTURE,)))
    assert examination.verdict is not None
    assert examination.verdict.outcome is Outcome.READ_AGAIN
    assert examination.verdict.reasons == (
        "Nothing could be read: there is no MRZ in the picture.",
    )


def test_a_listed_document_among_the_candidates_is_possible(
    examiner: Callable[..., Examiner],
) -> None:
    doubt = Uncertain(1, 1, (("S", 0.6), ("8", 0.4)))
    lines = (LINES[0], LINES[1].replace("L8", "LS"))
    examination = examiner(LISTED, reader=PrintedReader(lines, doubt)).examine(
        Capture("a.jpg", (PICTURE,))
    )
    assert examination.verdict is not None
    assert examination.verdict.outcome is Outcome.POSSIBLE


def test_what_central_answered_about_the_document_is_asked_for(
    examiner: Callable[..., Examiner], clock: ClockReading
) -> None:
    def answered(document: Document) -> Answered | None:
        assert document.number == "L898902C3"
        return Answered("not_confirmed", clock.now, clock.now + timedelta(days=1))

    examination = examiner(LISTED, answered=answered).examine(Capture("a.jpg", (PICTURE,)))
    assert examination.verdict is not None
    assert examination.verdict.outcome is Outcome.POSSIBLE
    assert examination.verdict.reasons[0].startswith("Answered by central on 2026-11-23")


def test_the_object_of_scan_has_every_key_in_its_order(
    examiner: Callable[..., Examiner],
) -> None:
    doubt = Uncertain(0, 6, (("R", 0.61), ("B", 0.39)))
    examination = examiner(LISTED, reader=PrintedReader(LINES, doubt)).examine(
        Capture("a.jpg", (PICTURE,))
    )
    said = as_object(examination)
    ms = said.pop("ms")
    assert list(ms) == ["load", "locate", "recognise", "decode", "look_up", "total"]
    assert json.dumps(said) == json.dumps(
        {
            "source": "a.jpg",
            "reading": {
                "status": "doubtful",
                "format": "TD3",
                "lines": list(LINES),
                "confidence": 0.9997,
                "reader": "printed",
                "uncertain": [{"line": 0, "position": 6, "candidates": [["R", 0.61], ["B", 0.39]]}],
                "box": [[1.0, 2.0], [3.0, 2.0], [3.0, 4.0], [1.0, 4.0]],
                "note": None,
                "why": None,
            },
            "document": {
                "format": "TD3",
                "code": PASSPORT.code,
                "issuer": "UTO",
                "number": "L898902C3",
                "number_rule": "standard",
                "surname": "ERIKSSON",
                "given_names": "ANNA MARIA",
                "name_truncated": False,
                "nationality": "UTO",
                "birth_date": "1974-08-12",
                "sex": "F",
                "expiry_date": "2031-04-15",
                "optional": "ZE184226B",
                "optional_2": None,
                "checks": {
                    "number": True,
                    "birth_date": True,
                    "expiry_date": True,
                    "optional": True,
                    "composite": True,
                },
            },
            "findings": [],
            "verdict": {
                "outcome": "HIT",
                "reasons": [
                    "Listed as stolen passport (list sltd, recorded 2026-01-05).",
                    "1 character is uncertain.",
                ],
                "beside": [],
                "matches": [
                    {
                        "list": "sltd",
                        "certainty": "exact",
                        "status": "stolen",
                        "kind": "passport",
                        "recorded": "2026-01-05",
                        "asked_as": "number",
                        "why": None,
                    }
                ],
                "lists": [
                    {
                        "name": "sltd",
                        "version": 1,
                        "as_of": "2026-11-23T09:00:00Z",
                        "age_s": 0,
                        "health": "ok",
                        "age_is_lower_bound": False,
                        "reason": None,
                    }
                ],
                "asked": 33,
                "unasked": 0,
            },
        }
    )


def test_the_object_of_a_fault_has_the_same_keys_and_an_error() -> None:
    said = as_object(Examination("a.txt", fault=Fault("not_a_picture", "a.txt is no picture")))
    assert list(said) == ["source", "reading", "document", "findings", "verdict", "ms", "error"]
    assert said["reading"] is said["document"] is said["verdict"] is None
    assert said["error"] == {"code": "not_a_picture", "message": "a.txt is no picture"}


def test_the_object_of_check_leaves_the_pictures_fields_out(
    examiner: Callable[..., Examiner],
) -> None:
    text = reading_of(LINES, reader="typed", today=datetime(2026, 11, 23, tzinfo=UTC).date())
    said = checked_as_object(examiner(LISTED).examine(Capture("stdin", text=text)))
    assert "box" not in said["reading"]
    assert list(said["ms"]) == ["look_up", "total"]
    assert said["verdict"]["outcome"] == "HIT"


def test_the_object_of_parse_has_a_document_or_a_reason() -> None:
    today = datetime(2026, 11, 23, tzinfo=UTC).date()
    said = parsed_as_object(parse(LINES, today))
    assert list(said) == ["format", "lines", "document", "findings", "reason"]
    assert (said["format"], said["reason"]) == ("TD3", None)
    said = parsed_as_object(parse(["P<UTO"], today))
    assert (said["format"], said["document"]) == (None, None)
    assert set(said["reason"]) == {"code", "message"}
    unsure = Examination("a", parsed=parse((LINES[0], LINES[1][:43] + "<"), today))
    assert {tuple(finding) for finding in as_object(unsure)["findings"]} == {
        ("code", "field", "message", "note")
    }
