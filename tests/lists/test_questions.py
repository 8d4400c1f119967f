"""What a list is asked about one document, and how surely."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mrz.document import Format, NumberRule
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.text import reading_of
from scanner.mrz.write import compose, write
from scanner.watchlist.contract import AskedAs, Question
from scanner.watchlist.questions import Questions, questions

TODAY = datetime(2026, 11, 23, tzinfo=UTC).date()
CASES = {
    "passport": compose(Format.TD3, number="L898902C3", surname="ERIKSSON"),
    "long": compose(Format.TD1, number="X12345674123", surname="ERIKSSON"),
    "visa": compose(Format.MRV_A, number="L898902C3", surname="ERIKSSON", nationality="COM"),
    "german": compose(Format.TD1, number="C01X00T47", surname="MUSTER", issuer="D"),
    "french": compose(Format.FRA_ID, number="880692310285", surname="BERTHIER"),
    "resident": compose(
        Format.TD1, number="L898902C3", surname="ERIKSSON", code="IR", nationality="COM"
    ),
}
EXPIRY = date(2031, 4, 15)


def lines_of(case: str) -> tuple[str, ...]:
    return write(CASES[case])


def put(lines: Sequence[str], line: int, position: int, text: str) -> tuple[str, ...]:
    """The lines with other text at one place."""
    changed = list(lines)
    old = changed[line]
    changed[line] = old[:position] + text + old[position + len(text) :]
    return tuple(changed)


def asked(
    lines: Sequence[str],
    uncertain: tuple[Uncertain, ...] = (),
    status: Status | None = None,
    budget: int = 256,
) -> Questions:
    sure = not uncertain and not any("?" in line for line in lines)
    reading = Reading(
        status or (Status.READ if sure else Status.DOUBTFUL),
        tuple(lines),
        "test",
        uncertain=uncertain,
    )
    return questions(parse(lines, TODAY), reading, budget)


def keys(found: Questions, *asked_as: AskedAs) -> list[tuple[str, str, str, bool]]:
    return [
        (one.issuer, one.number, one.kind.value, one.exact)
        for one in found.asked
        if one.asked_as in asked_as
    ]


SURE = (
    AskedAs.NUMBER,
    AskedAs.CUT_AT_NINE,
    AskedAs.PASSPORT_OF_VISA,
    AskedAs.ISSUER_ALIAS,
)


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("passport", [("UTO", "L898902C3", "passport", True)]),
        (
            "long",
            [
                ("UTO", "X12345674123", "identity", True),
                ("UTO", "X12345674", "identity", True),
            ],
        ),
        (
            "visa",
            [("UTO", "L898902C3", "visa", True), ("COM", "L898902C3", "passport", True)],
        ),
        (
            "german",
            [("D", "C01X00T47", "identity", True), ("DEU", "C01X00T47", "identity", True)],
        ),
        ("french", [("FRA", "880692310285", "identity", True)]),
    ],
)
def test_a_document_read_surely_is_asked_under_every_key_that_a_list_may_hold(
    case: str, expected: list[tuple[str, str, str, bool]]
) -> None:
    found = asked(lines_of(case))
    assert keys(found, *SURE) == expected
    assert found.asked[: len(expected)] == tuple(one for one in found.asked if one.asked_as in SURE)
    assert found.unasked == 0


def test_a_question_that_is_a_guess_is_never_exact() -> None:
    for case in CASES:
        assert not any(one.exact for one in asked(lines_of(case)).asked if one.asked_as not in SURE)


def test_no_key_is_asked_twice() -> None:
    for case in CASES:
        found = asked(put(lines_of(case), 0, 3, "?"))
        unique = {(one.issuer, one.number, one.kind) for one in found.asked}
        assert len(unique) == len(found.asked)


def test_the_readers_candidates_are_asked_as_long_as_the_check_digit_can_hold() -> None:
    lines = put(lines_of("passport"), 1, 1, "6")
    doubt = Uncertain(1, 1, (("6", 0.6), ("8", 0.3), ("S", 0.1)))
    found = asked(lines, (doubt,))
    assert keys(found, AskedAs.NUMBER) == [("UTO", "L698902C3", "passport", False)]
    assert keys(found, AskedAs.CANDIDATE) == [
        ("UTO", "L898902C3", "passport", False),
        ("UTO", "LS98902C3", "passport", False),
    ]


def test_candidates_are_asked_likeliest_first() -> None:
    lines = lines_of("passport")
    one = Uncertain(1, 1, (("8", 0.5), ("S", 0.3)))
    other = Uncertain(1, 7, (("C", 0.5), ("M", 0.2), ("W", 0.1)))
    found = asked(lines, (one, other))
    assert [number for _, number, _, _ in keys(found, AskedAs.NUMBER, AskedAs.CANDIDATE)] == [
        "L898902C3",
        "LS98902C3",
        "L898902M3",
        "LS98902M3",
        "L898902W3",
        "LS98902W3",
    ]


def test_where_the_check_digit_can_hold_for_no_candidate_all_are_asked() -> None:
    lines = put(put(lines_of("passport"), 1, 9, "1"), 1, 1, "6")
    found = asked(lines, (Uncertain(1, 1, (("6", 0.6), ("8", 0.4))),))
    assert [number for _, number, _, _ in keys(found, AskedAs.NUMBER, AskedAs.CANDIDATE)] == [
        "L698902C3",
        "L898902C3",
    ]


def test_an_unread_character_stands_for_every_one_that_the_check_digit_allows() -> None:
    found = asked(put(lines_of("passport"), 1, 1, "?"))
    assert keys(found, AskedAs.NUMBER) == []
    numbers = {number for _, number, _, _ in keys(found, AskedAs.CANDIDATE)}
    assert numbers == {"L898902C3", "LI98902C3", "LS98902C3"}


def test_a_single_candidate_for_an_unread_character_is_asked() -> None:
    lines = put(lines_of("passport"), 1, 1, "?")
    found = asked(lines, (Uncertain(1, 1, (("8", 1.0),)),))
    assert keys(found, AskedAs.CANDIDATE) == [("UTO", "L898902C3", "passport", False)]


def test_doubt_in_the_rest_of_a_long_number_is_doubt_in_the_number() -> None:
    lines = lines_of("long")
    found = asked(lines, (Uncertain(0, 16, (("2", 0.7), ("Z", 0.3))),))
    assert keys(found, AskedAs.NUMBER) == [("UTO", "X12345674123", "identity", False)]


def test_doubt_whether_a_number_is_long_is_doubt_in_the_number() -> None:
    lines = lines_of("long")
    found = asked(put(lines, 0, 14, "?"))
    assert not any(one.exact for one in found.asked)
    assert "X12345674123" in {one.number for one in found.asked}


def test_doubt_elsewhere_on_the_page_leaves_the_number_sure_if_its_check_digit_holds() -> None:
    doubt = (Uncertain(0, 6, (("R", 0.7), ("B", 0.3))),)
    assert keys(asked(lines_of("passport"), doubt), AskedAs.NUMBER)[0][3] is True
    wrong = put(lines_of("passport"), 1, 9, "1")
    assert keys(asked(wrong, doubt), AskedAs.NUMBER)[0][3] is False


def test_a_check_digit_that_is_wrong_as_printed_leaves_a_sure_reading_exact() -> None:
    wrong = put(lines_of("passport"), 1, 9, "1")
    assert keys(asked(wrong), AskedAs.NUMBER) == [("UTO", "L898902C3", "passport", True)]


def test_doubt_in_the_issuer_asks_the_known_states_that_it_may_be() -> None:
    lines = put(lines_of("passport"), 0, 3, "?")
    found = asked(lines)
    issuers = {issuer for issuer, _, _, _ in keys(found, AskedAs.CANDIDATE)}
    assert issuers == {"UTO", "UNO"}


def test_an_unread_issuer_is_taken_for_the_nationality_and_the_other_states_are_counted() -> None:
    found = asked(put(lines_of("passport"), 0, 2, "???"))
    assert keys(found, AskedAs.CANDIDATE) == [("UTO", "L898902C3", "passport", False)]
    assert found.unasked > 200


def test_a_bottom_row_alone_is_asked_under_the_nationality() -> None:
    reading = reading_of([lines_of("passport")[1]], reader="test", today=TODAY)
    found = questions(parse(reading.lines, TODAY), reading)
    assert ("UTO", "L898902C3", "passport", False) in keys(found, AskedAs.CANDIDATE)


def test_doubt_in_the_nationality_of_a_visa_asks_the_passport_of_every_state_it_may_be() -> None:
    lines = lines_of("visa")
    found = asked(lines, (Uncertain(1, 11, (("O", 0.8), ("A", 0.2))),))
    assert keys(found, AskedAs.NUMBER) == [("UTO", "L898902C3", "visa", True)]
    assert keys(found, AskedAs.PASSPORT_OF_VISA) == [("COM", "L898902C3", "passport", False)]
    assert ("CAM", "L898902C3", "passport", False) not in keys(found, AskedAs.CANDIDATE)
    found = asked(lines, (Uncertain(1, 12, (("M", 0.8), ("K", 0.1), ("L", 0.1))),))
    assert ("COL", "L898902C3", "passport", False) in keys(found, AskedAs.CANDIDATE)
    assert ("COK", "L898902C3", "passport", False) in keys(found, AskedAs.CANDIDATE)


def test_where_issuer_and_nationality_differ_the_issuer_may_be_misread() -> None:
    found = asked(lines_of("resident"))
    assert keys(found, AskedAs.NATIONALITY_AS_ISSUER) == [("COM", "L898902C3", "residence", False)]
    assert {issuer for issuer, *_ in keys(found, AskedAs.ISSUER_LOOK_ALIKE)} == {"UNO", "TTO"}
    unknown = asked(put(lines_of("passport"), 0, 2, "UTX"))
    assert keys(unknown, AskedAs.NATIONALITY_AS_ISSUER) == [("UTO", "L898902C3", "passport", False)]


def test_where_issuer_and_nationality_agree_no_other_issuer_is_asked() -> None:
    for case in ("passport", "long", "german", "french"):
        found = asked(lines_of(case))
        assert keys(found, AskedAs.NATIONALITY_AS_ISSUER, AskedAs.ISSUER_LOOK_ALIKE) == []


def test_look_alikes_that_keep_the_check_digits_are_asked() -> None:
    document = compose(Format.TD3, number="AB1234U6G", surname="ERIKSSON")
    lines = write(document)
    numbers = {number for _, number, _, _ in keys(asked(lines), AskedAs.LOOK_ALIKE)}
    assert "AB12340GG" in numbers
    assert "AB1234U6G" not in numbers
    for number in numbers:
        read = parse(put(lines, 1, 0, number), TODAY).document
        assert read is not None
        assert read.checks.number is read.checks.composite is True


def test_the_budget_is_kept_and_what_it_leaves_is_counted() -> None:
    lines = put(lines_of("passport"), 1, 0, "???")
    found = asked(lines)
    assert len(found.asked) <= 256
    assert found.unasked > 37**3 - 4096
    few = asked(put(lines_of("passport"), 1, 1, "??"), budget=20)
    assert len(few.asked) == 20
    assert few.unasked > 100


def test_the_number_as_read_is_asked_whatever_the_budget() -> None:
    found = asked(lines_of("visa"), budget=2)
    assert [one.asked_as for one in found.asked] == [AskedAs.NUMBER, AskedAs.PASSPORT_OF_VISA]


def test_without_a_document_or_a_number_nothing_is_asked() -> None:
    assert asked(["P<UTO"]) == Questions()
    assert asked(()) == Questions()
    assert asked(put(lines_of("passport"), 1, 0, "<<<<<<<<<0")).asked == ()


def test_a_long_number_counted_with_its_filler_is_asked_whole_too() -> None:
    document = replace(CASES["long"], number_rule=NumberRule.LONG_WITH_FILLER)
    assert (
        Question("UTO", "X12345674123", document.kind, AskedAs.NUMBER, exact=True)
        in asked(write(document)).asked
    )


CHARACTERS = "<0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ?"
uncertain = st.builds(
    Uncertain,
    st.integers(-1, 3),
    st.integers(-1, 44),
    st.lists(st.tuples(st.sampled_from(CHARACTERS + "é"), st.floats(0, 1)), max_size=3).map(tuple),
)


@given(
    st.sampled_from(sorted(CASES)),
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 29), st.sampled_from(CHARACTERS)), max_size=6
    ),
    st.lists(uncertain, max_size=4).map(tuple),
)
def test_any_reading_is_asked_within_the_budget(
    case: str, changes: list[tuple[int, int, str]], doubts: tuple[Uncertain, ...]
) -> None:
    lines = lines_of(case)
    for line, position, character in changes:
        lines = put(lines, line, position, character)
    found = asked(lines, doubts)
    assert len(found.asked) <= 256
    assert found.unasked >= 0
    for one in found.asked:
        assert "?" not in one.issuer + one.number
        assert "<" not in one.number
