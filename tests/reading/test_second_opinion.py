"""A second reader is asked where the first doubts; it adds candidates and never certainty."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest

from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from scanner.examine import Examiner
from scanner.mrz.document import Format
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.write import compose, write
from scanner.sources.capture import Capture
from scanner.verdict import Outcome
from scanner.vision.engine import open_reader
from scanner.vision.reader import Frame, Reader, ReaderUnavailable
from scanner.vision.second_opinion import WEIGHT, SecondOpinion, compared
from scanner.watchlist.age import ClockReading
from tests.listing import built, lists_in
from tests.reading.specimens_9303 import TD1, TD3

FRAME: Frame = np.full((100, 100), 200, np.uint8)
NAME_IN_DOUBT = Uncertain(0, 5, (("E", 0.6), ("F", 0.4)))


def reading(
    lines: tuple[str, ...] = TD3,
    *uncertain: Uncertain,
    status: Status = Status.DOUBTFUL,
    reader: str = "first",
    note: str | None = None,
) -> Reading:
    return Reading(status, lines, reader, 0.7, uncertain, ms={"locate": 10.0}, note=note)


def with_letter(lines: tuple[str, ...], line: int, position: int, letter: str) -> tuple[str, ...]:
    row = lines[line]
    changed = row[:position] + letter + row[position + 1 :]
    return (*lines[:line], changed, *lines[line + 1 :])


class Stated:
    """A reader that says what it was given to say."""

    def __init__(self, said: Reading) -> None:
        self.name = said.reader
        self._said = said

    def read(self, frames: Sequence[Frame]) -> Reading:
        return self._said


def asked(ours: Reading, theirs: Reading) -> Reading:
    return SecondOpinion(Stated(ours), lambda: Stated(theirs)).read([FRAME])


def theirs(lines: tuple[str, ...] = TD3, *uncertain: Uncertain) -> Reading:
    status = Status.DOUBTFUL if uncertain else Status.READ
    return reading(lines, *uncertain, status=status, reader="second")


@pytest.mark.parametrize("status", [Status.READ, Status.UNREADABLE])
def test_only_a_doubtful_reading_is_worth_a_second_opinion(status: Status) -> None:
    def never() -> Reader:
        raise AssertionError("asked")

    ours = reading(TD3 if status is Status.READ else (), status=status)
    assert SecondOpinion(Stated(ours), never).read([FRAME]) == ours


def test_two_that_agree_leave_the_reading_doubtful() -> None:
    told = asked(reading(TD3, NAME_IN_DOUBT), theirs(TD3))
    assert told.status is Status.DOUBTFUL
    assert told.lines == TD3
    assert told.uncertain == (NAME_IN_DOUBT,)
    assert told.confidence == 0.7
    assert told.note == "second opinion: second reads the same, which makes nothing sure"


def test_a_disagreement_is_a_doubtful_place_with_both_characters() -> None:
    told = asked(reading(TD3, NAME_IN_DOUBT), theirs(with_letter(TD3, 1, 3, "3")))
    assert told.lines == TD3
    assert told.status is Status.DOUBTFUL
    assert told.uncertain == (NAME_IN_DOUBT, Uncertain(1, 3, (("8", 1 - WEIGHT), ("3", WEIGHT))))
    assert told.note == "second opinion: second reads otherwise at line 2 position 4"


def test_a_character_that_was_doubtful_already_gets_one_more_candidate() -> None:
    told = asked(reading(TD3, NAME_IN_DOUBT), theirs(with_letter(TD3, 0, 5, "B")))
    (place,) = told.uncertain
    assert dict(place.candidates) == pytest.approx({"E": 0.48, "F": 0.32, "B": 0.2})
    assert [chance for _, chance in place.candidates] == sorted(
        dict(place.candidates).values(), reverse=True
    )


def test_the_other_s_own_doubt_is_shared_out_among_its_candidates() -> None:
    doubt = Uncertain(1, 3, (("3", 3.0), ("S", 1.0), ("?", 1.0)))
    told = asked(reading(TD3, NAME_IN_DOUBT), theirs(with_letter(TD3, 1, 3, "3"), doubt))
    assert dict(told.uncertain[1].candidates) == pytest.approx({"8": 0.8, "3": 0.15, "S": 0.05})


def test_what_the_other_could_not_read_is_no_disagreement() -> None:
    told = asked(reading(TD3, NAME_IN_DOUBT), theirs(with_letter(TD3, 1, 3, "?")))
    assert told.uncertain == (NAME_IN_DOUBT,)


@pytest.mark.parametrize("known", [(), (Uncertain(1, 3),)])
def test_where_ours_saw_nothing_the_other_does_not_narrow_what_is_asked(
    known: tuple[Uncertain, ...],
) -> None:
    told = asked(reading(with_letter(TD3, 1, 3, "?"), *known), theirs(TD3))
    assert told.uncertain == (Uncertain(1, 3),)


def test_places_are_told_as_a_person_counts_and_runs_together() -> None:
    other = with_letter(with_letter(with_letter(TD3, 1, 3, "3"), 1, 4, "3"), 0, 5, "F")
    note = asked(reading(TD3), theirs(other)).note
    assert note == (
        "second opinion: second reads otherwise at line 1 position 6, line 2 positions 4 to 5"
    )


def test_lines_of_another_layout_are_told_and_not_mixed_in() -> None:
    told = asked(reading(TD3, NAME_IN_DOUBT), theirs(TD1))
    assert (told.lines, told.uncertain) == (TD3, (NAME_IN_DOUBT,))
    assert told.note == "second opinion: second saw lines of another number or width"


def test_an_own_note_stays_and_the_times_of_both_add_up() -> None:
    nothing = reading((), status=Status.UNREADABLE, reader="second")
    told = compared(reading(TD3, note="dim"), nothing)
    assert told.note == "dim; second opinion: second read nothing"
    assert told.ms == {"locate": 20.0}
    assert told.reader == "first"


def test_a_second_reader_that_cannot_be_opened_costs_the_first_s_reading_nothing() -> None:
    def missing() -> Reader:
        raise ReaderUnavailable("reader 'passporteye' needs the program tesseract")

    told = SecondOpinion(Stated(reading(TD3, NAME_IN_DOUBT)), missing).read([FRAME])
    assert told.lines == TD3
    assert told.note == "no second opinion: reader 'passporteye' needs the program tesseract"


def test_a_second_reader_that_fails_is_told_without_what_it_read(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken:
        name = "broken"

        def read(self, frames: Sequence[Frame]) -> Reading:
            raise ZeroDivisionError(TD3[1])

    told = SecondOpinion(Stated(reading(TD3)), Broken).read([FRAME])
    assert told.lines == TD3
    assert told.note == "no second opinion: the reader failed (ZeroDivisionError)"
    assert "L898902C3" not in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_the_second_reader_is_opened_once_and_only_when_first_asked() -> None:
    opened: list[int] = []

    def opening() -> Reader:
        opened.append(1)
        return Stated(theirs())

    reader = SecondOpinion(Stated(reading()), opening)
    assert opened == []
    reader.read([FRAME])
    reader.read([FRAME])
    assert opened == [1]


def test_the_lists_are_asked_for_what_the_second_reader_saw(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    clock = ClockReading(now, synchronised=True, unsynchronised_s=0.0, grace_s=86400.0)
    document = compose(
        Format.TD3, number="L898902C3", surname="Eriksson", given_names="Anna Maria",
        birth_date="1974-08-12", sex="F", expiry_date="2031-04-15",
    )  # fmt: skip
    mine, other = write(document), write(replace(document, number="L893902C3"))
    source = tmp_path / "source.csv"
    header = "issuer,number,number_to,kind,status,recorded,reference"
    source.write_text(f"{header}\nUTO,L893902C3,,passport,stolen,2026-01-05,\n")
    built(source, tmp_path / "lists", "sltd", as_of=now)

    def verdict(reader: Reader) -> Outcome:
        examiner = Examiner(reader, lists_in(tmp_path / "lists"), lambda: clock)
        told = examiner.examine(Capture("a.jpg", (FRAME,))).verdict
        assert told is not None
        return told.outcome

    first = Stated(reading(mine, NAME_IN_DOUBT))
    assert verdict(first) is Outcome.READ_AGAIN
    assert verdict(SecondOpinion(first, lambda: Stated(theirs(other)))) is Outcome.POSSIBLE


def test_passporteye_itself_as_the_second_opinion_names_a_wrong_character() -> None:
    specimen = SPECIMENS[0]
    pixels = cv2.imread(str(SPECIMENS_FOLDER / specimen.file))
    assert pixels is not None
    misread = with_letter(specimen.lines, 1, 3, "8")
    reader = SecondOpinion(Stated(reading(misread)), lambda: open_reader("passporteye"))
    told = reader.read([np.asarray(pixels, np.uint8)])
    (place,) = told.uncertain
    assert (place.line, place.position) == (1, 3)
    assert dict(place.candidates).keys() == {"8", specimen.lines[1][3]}
    assert told.status is Status.DOUBTFUL
    assert told.ms["recognise"] > 0


def test_a_reader_is_no_second_opinion_of_its_own() -> None:
    with pytest.raises(ReaderUnavailable, match="its own second opinion"):
        open_reader("passporteye", "passporteye")
    done = subprocess.run(
        [sys.executable, "-m", "firmware.cli", "scan", "x.jpg", "--reader", "passporteye",
         "--second-opinion"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "its own second opinion" in done.stderr
