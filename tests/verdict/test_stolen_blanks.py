"""Ranges of stolen blanks are compared as printed, so what a camera confuses has to be asked."""

from datetime import UTC, datetime, timedelta

import pytest

from scanner.examine import Examiner
from scanner.mrz.document import Format
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.text import reading_of
from scanner.mrz.write import compose, write
from scanner.sources.capture import Capture
from scanner.verdict import Outcome
from scanner.watchlist.age import ClockReading
from tests.listing import built, lists_in

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
CLOCK = ClockReading(NOW, synchronised=True, unsynchronised_s=0.0, grace_s=0.0)
HOLDER = {"surname": "ERIKSSON", "given_names": "ANNA", "birth_date": "1974-08-12", "sex": "F"}


@pytest.fixture(scope="module")
def examiner(tmp_path_factory: pytest.TempPathFactory) -> Examiner:
    folder = tmp_path_factory.mktemp("blanks")
    source = folder / "blanks.csv"
    source.write_text(
        "issuer,number,number_to,kind,status,recorded,reference\n"
        "UTO,OO1000000,OO1999999,passport,stolen_blank,2026-01-05,\n"
    )
    built(source, folder / "lists", "sltd", as_of=NOW - timedelta(hours=1))
    return Examiner(None, lists_in(folder / "lists"), lambda: CLOCK)


def _outcome(examiner: Examiner, lines: tuple[str, ...]) -> Outcome:
    text = reading_of(lines, reader="typed", today=NOW.date())
    verdict = examiner.examine(Capture("typed", text=text)).verdict
    assert verdict is not None
    return verdict.outcome


def _lines(number: str) -> tuple[str, ...]:
    return write(compose(Format.TD3, number=number, expiry_date="2034-04-15", **HOLDER))


@pytest.mark.parametrize("number", ["OO1000000", "OO1463827", "OO1999999"])
def test_a_number_within_the_range_or_at_its_ends_is_a_hit(examiner: Examiner, number: str) -> None:
    assert _outcome(examiner, _lines(number)) is Outcome.HIT


@pytest.mark.parametrize("number", ["OO0999999", "OO2000000", "PO1463827"])
def test_a_number_beside_the_range_is_clear(examiner: Examiner, number: str) -> None:
    assert _outcome(examiner, _lines(number)) is Outcome.CLEAR


def test_two_letters_read_as_digits_that_no_check_digit_shows_are_possible_and_never_clear(
    examiner: Examiner,
) -> None:
    first, second = _lines("OO1463827")
    misread = (first, "00" + second[2:])
    assert is_sound(parse(misread, NOW.date()))
    assert _outcome(examiner, misread) is Outcome.POSSIBLE
