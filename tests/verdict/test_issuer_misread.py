"""No check digit covers the issuer: one misread letter of it must never end in CLEAR."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from scanner.mrz.document import Document, Format, Kind
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status
from scanner.mrz.write import compose, write
from scanner.verdict import Outcome, Verdict, judge
from scanner.watchlist.age import ClockReading
from scanner.watchlist.lists import Lists
from scanner.watchlist.questions import questions
from tests.listing import lists_in

CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ<"


def _document(format_: Format, issuer: str, nationality: str) -> Document:
    return compose(
        format_,
        number="X12345674" if format_ is not Format.TD2 else "X1234567412",
        surname="Sample",
        given_names="Kim",
        issuer=issuer,
        nationality=nationality,
        birth_date="1990-02-03",
        sex="X",
        expiry_date="2031-04-15",
    )


def _misread(lines: Sequence[str]) -> Iterator[tuple[str, ...]]:
    first = lines[0]
    for position in (2, 3, 4):
        for character in CHARACTERS:
            if first[position] != character:
                yield (first[:position] + character + first[position + 1 :], *lines[1:])


def _judged(lines: Sequence[str], lists: Lists, clock: ClockReading) -> Verdict:
    reading = Reading(Status.READ, tuple(lines), "test")
    parsed = parse(lines, clock.now.date())
    return judge(reading, parsed, lists.ask(questions(parsed, reading), clock), clock)


HOLDERS = [
    (format_, issuer, nationality, listed_under, kind)
    for format_, kind in (
        (Format.TD1, "identity"),
        (Format.TD2, "identity"),
        (Format.TD3, "passport"),
    )
    for issuer, nationality, listed_under in (
        ("UTO", "UTO", "UTO"),
        ("COM", "COM", "COM"),
        ("D", "D", "DEU"),
        ("GBR", "GBD", "GBO"),
    )
] + [
    (format_, issuer, nationality, listed_under, kind)
    for format_ in (Format.MRV_A, Format.MRV_B)
    for issuer, nationality, listed_under, kind in (
        ("UTO", "COM", "UTO", "visa"),
        ("D", "UTO", "D", "visa"),
        ("COM", "UTO", "UTO", "passport"),
        ("UTO", "UTO", "UTO", "visa"),
    )
]


@pytest.mark.parametrize(("format_", "issuer", "nationality", "listed_under", "kind"), HOLDERS)
def test_a_listed_document_is_never_clear_whatever_letter_of_its_issuer_is_misread(
    a_list: Callable[[Sequence[str]], Path],
    clock: ClockReading,
    format_: Format,
    issuer: str,
    nationality: str,
    listed_under: str,
    kind: str,
) -> None:
    document = _document(format_, issuer, nationality)
    lists = lists_in(a_list([f"{listed_under},{document.number},,{kind},stolen,2026-01-05,"]))
    lines = write(document)
    assert _judged(lines, lists, clock).outcome is Outcome.HIT
    outcomes = {misread: _judged(misread, lists, clock).outcome for misread in _misread(lines)}
    assert len(outcomes) == 3 * 26
    assert [lines for lines, outcome in outcomes.items() if outcome is Outcome.CLEAR] == []


def test_a_misread_letter_between_two_known_states_is_a_possible_match(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> None:
    visa = _document(Format.MRV_A, "GAB", "UTO")
    lists = lists_in(a_list([f"GAB,{visa.number},,visa,stolen,2026-01-05,"]))
    first, second = write(visa)
    misread = (first.replace("GAB", "GIB"), second)
    verdict = _judged(misread, lists, clock)
    assert verdict.outcome is Outcome.POSSIBLE
    assert verdict.matches[0].why == "listed for a State whose code differs in one letter"


def test_a_visa_of_a_listed_passport_is_never_clear_whatever_letter_of_the_nationality_is_misread(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> None:
    for format_ in (Format.MRV_A, Format.MRV_B):
        visa = _document(format_, "UTO", "IRL")
        lists = lists_in(a_list([f"IRL,{visa.number},,passport,stolen,2026-01-05,"]))
        first, second = write(visa)
        for position, right in enumerate("IRL", start=10):
            for character in CHARACTERS.replace(right, ""):
                misread = second[:position] + character + second[position + 1 :]
                assert _judged((first, misread), lists, clock).outcome is not Outcome.CLEAR


def test_a_residence_permit_whose_issuer_is_misread_as_the_nationality_is_never_clear(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> None:
    permit = replace(_document(Format.TD1, "MLT", "MLI"), code="IR", kind=Kind.RESIDENCE)
    lists = lists_in(a_list([f"MLT,{permit.number},,residence,stolen,2026-01-05,"]))
    first, *rest = write(permit)
    assert _judged((first, *rest), lists, clock).outcome is Outcome.HIT
    misread = (first.replace("MLT", "MLI"), *rest)
    assert _judged(misread, lists, clock).outcome is Outcome.POSSIBLE


def test_an_unlisted_document_is_clear_where_issuer_and_nationality_are_read_right(
    a_list: Callable[[Sequence[str]], Path], clock: ClockReading
) -> None:
    lists = lists_in(a_list(["UTO,Z00000001,,passport,stolen,2026-01-05,"]))
    for format_ in (Format.TD1, Format.TD2, Format.TD3, Format.MRV_A, Format.MRV_B):
        lines = write(_document(format_, "UTO", "UTO"))
        assert _judged(lines, lists, clock).outcome is Outcome.CLEAR
