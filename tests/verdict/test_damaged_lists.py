"""What a list that cannot be read does to the verdict: a match stands, and nobody is clear."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from scanner.examine import Examiner
from scanner.mrz.document import Format
from scanner.mrz.text import reading_of
from scanner.mrz.write import compose, write
from scanner.sources.capture import Capture
from scanner.verdict import Outcome, Verdict
from scanner.watchlist.activation import parts_of
from scanner.watchlist.age import ClockReading
from scanner.watchlist.manifest import read_manifest
from tests.listing import flip, lists_in

OLDER = "UTO,L898902C3,,passport,stolen,2026-01-05,"
HOLDER = {"surname": "ERIKSSON", "given_names": "ANNA", "birth_date": "1974-08-12", "sex": "F"}
NEWER = "UTO,U71B40952,,passport,stolen,2026-11-22,"

Judge = Callable[[str], Verdict]


@pytest.fixture(params=["keys", "directory"])
def judge(
    request: pytest.FixtureRequest, a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> Judge:
    """Judges a passport by its number, against a list whose second version is damaged."""
    a_list([OLDER])
    folder = a_list([OLDER, NEWER])
    flip(parts_of(folder, read_manifest(folder, "sltd"))[0] / request.param, 20)
    examiner = Examiner(None, lists_in(folder), lambda: clock)

    def judged(number: str) -> Verdict:
        lines = write(compose(Format.TD3, number=number, expiry_date="2034-04-15", **HOLDER))
        text = reading_of(lines, reader="typed", today=clock.now.date())
        verdict = examiner.examine(Capture("typed", text=text)).verdict
        assert verdict is not None
        return verdict

    return judged


def test_a_document_listed_since_the_previous_version_is_not_checked_and_never_clear(
    judge: Judge,
) -> None:
    verdict = judge("U71B40952")
    assert verdict.outcome is Outcome.NOT_CHECKED
    assert "version 1 is asked instead" in verdict.reasons[0]


def test_a_document_that_no_version_lists_is_not_checked_either(judge: Judge) -> None:
    assert judge("C01X00T47").outcome is Outcome.NOT_CHECKED


def test_a_document_that_the_previous_version_lists_is_a_hit_with_the_fault_beside_it(
    judge: Judge,
) -> None:
    verdict = judge("L898902C3")
    assert verdict.outcome is Outcome.HIT
    assert any("is damaged: version 1 is asked instead" in line for line in verdict.beside)
