"""An MRZ as an officer types it: what can be said of it before it is whole."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mrz.document import Format, Kind, NumberRule
from scanner.mrz.typed import Typed, check_typed, number_alone
from scanner.mrz.write import compose, write

TODAY = date(2026, 11, 26)
PASSPORT = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "L898902C36UTO7408122F3404159<<<<<<<<<<<<<<06",
)
CARD = (
    "I<UTOD231458907<<<<<<<<<<<<<<<",
    "7408122F3404159UTO<<<<<<<<<<<6",
    "ERIKSSON<<ANNA<MARIA<<<<<<<<<<",
)


def _wrong(typed: Typed) -> list[tuple[int, int, str]]:
    """Line, position and what must stand there, of each check digit that does not hold."""
    return [
        (at, digit.position, digit.expected)
        for at, line in enumerate(typed.lines)
        for digit in line.check_digits
        if digit.got != digit.expected
    ]


def _said(typed: Typed) -> list[tuple[int, int, str]]:
    return [
        (at, one.position, str(one.message))
        for at, line in enumerate(typed.lines)
        for one in line.problems
    ]


@pytest.mark.parametrize("format_", Format)
def test_lines_that_are_right_are_complete_and_nothing_is_said_of_them_while_they_grow(
    format_: Format,
) -> None:
    lines = write(
        compose(
            format_,
            code="ID" if format_ is Format.FRA_ID else None,
            issuer="FRA" if format_ is Format.FRA_ID else "UTO",
            number="880692310285" if format_ is Format.FRA_ID else "D23145890",
            surname="ERIKSSON",
            given_names="ANNA MARIA",
            birth_date="1974-08-12",
            sex="F",
            expiry_date=None if format_ is Format.FRA_ID else "2034-04-15",
        )
    )
    for line in range(len(lines)):
        for length in range(1, len(lines[line]) + 1):
            rows = (*lines[:line], lines[line][:length])
            typed = check_typed(rows, TODAY)
            assert _wrong(typed) == []
            assert _said(typed) == []
            whole = rows == lines
            assert typed.complete is whole
    assert typed.format is format_


def test_a_check_digit_is_held_against_its_data_as_soon_as_both_are_typed() -> None:
    before = check_typed((PASSPORT[0], "L898902C3"), TODAY)
    assert before.lines[1].check_digits == ()
    after = check_typed((PASSPORT[0], "L898902C37"), TODAY)
    assert _wrong(after) == [(1, 9, "6")]
    assert after.format is Format.TD3


def test_a_digit_is_not_judged_while_the_lines_may_still_be_those_of_another_layout() -> None:
    assert check_typed((CARD[0],), TODAY).lines[0].check_digits == ()
    followed = check_typed((CARD[0], "7"), TODAY)
    assert [digit.position for digit in followed.lines[0].check_digits] == [14]


def test_what_is_wrong_is_said_where_it_is() -> None:
    typed = check_typed(("P1UTOÉRIKSSON", "L898902C3XUTO74O8122"), TODAY)
    assert _said(typed) == [
        (0, 5, "This character cannot stand in an MRZ."),
        (0, 13, "31 characters are missing."),
        (1, 9, "A letter cannot stand here."),
        (1, 15, "A letter cannot stand here."),
    ]
    long = check_typed((PASSPORT[0] + "<",), TODAY)
    assert _said(long) == [(0, 44, "1 character is too many.")]


def test_small_letters_and_space_around_are_as_good_as_what_is_printed() -> None:
    typed = check_typed((f" {PASSPORT[0].lower()} ", PASSPORT[1]), TODAY)
    assert typed.lines[0].text == PASSPORT[0]
    assert typed.complete


@given(st.lists(st.text(max_size=64), max_size=3))
def test_anything_can_be_typed(rows: list[str]) -> None:
    typed = check_typed(rows, TODAY)
    assert len(typed.lines) == len(rows)


def test_a_number_alone_is_a_document_of_which_nothing_else_is_known() -> None:
    document = number_alone("UTO", "l-898 902<c3", Kind.PASSPORT)
    assert (document.number, document.number_rule) == ("L898902C3", NumberRule.STANDARD)
    assert (document.surname, document.birth_date, document.code) == ("", None, "")
    long = number_alone("UTO", "M84219736524", Kind.IDENTITY)
    assert long.number_rule is NumberRule.LONG_WITHOUT_FILLER


@pytest.mark.parametrize("number", ["", "-", "L8989?2C3", "Ä1", "1" * 31])
def test_what_is_no_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="not a document number"):
        number_alone("UTO", number, Kind.PASSPORT)
