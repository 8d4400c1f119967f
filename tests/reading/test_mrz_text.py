"""Rows from a serial reader or from fingers become readings."""

from datetime import date

import pytest

from scanner.mrz.document import Format
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.text import reading_of
from scanner.mrz.write import compose, write

TODAY = date(2026, 11, 23)
LINES = {
    format_: write(
        compose(
            format_,
            number="880692310285" if format_ is Format.FRA_ID else "D23145890",
            sex="F",
            expiry_date=None if format_ is Format.FRA_ID else "2031-04-15",
            surname="Eriksson",
            given_names="Anna Maria",
            birth_date="1974-08-12",
        )
    )
    for format_ in Format
}
EVERY_FORMAT = pytest.mark.parametrize("format_", Format)


def read(
    *rows: str, candidates: dict[tuple[int, int], tuple[tuple[str, float], ...]] | None = None
) -> Reading:
    return reading_of(rows, reader="desk", today=TODAY, candidates=candidates or {})


@EVERY_FORMAT
def test_a_whole_document_whose_checks_hold_is_read(format_: Format) -> None:
    reading = read(*LINES[format_])
    assert (reading.status, reading.lines) == (Status.READ, LINES[format_])
    assert (reading.reader, reading.uncertain, reading.confidence) == ("desk", (), None)


@EVERY_FORMAT
def test_rows_in_any_order_and_rows_sent_twice_are_put_in_place(format_: Format) -> None:
    lines = LINES[format_]
    assert read(*reversed(lines)).lines == lines
    assert read(*lines, lines[0]).status is Status.READ
    assert read(lines[-1], *lines).lines == lines


@EVERY_FORMAT
def test_any_row_alone_finds_its_place_and_the_rest_is_unknown(format_: Format) -> None:
    lines = LINES[format_]
    for i, row in enumerate(lines):
        reading = read(row)
        assert reading.status is Status.DOUBTFUL
        assert reading.lines == tuple(
            line if k == i else "?" * len(line) for k, line in enumerate(lines)
        )
        assert len(reading.uncertain) == len(row) * (len(lines) - 1)
        assert {doubt.line for doubt in reading.uncertain} == set(range(len(lines))) - {i}


def test_a_bottom_row_alone_still_gives_the_number() -> None:
    for format_ in (Format.TD2, Format.TD3, Format.FRA_ID):
        parsed = parse(read(LINES[format_][1]).lines, TODAY)
        assert parsed.document is not None
        assert parsed.document.format is format_
        assert parsed.document.number in ("D23145890", "880692310285")
        assert parsed.document.checks.number is True
        assert not is_sound(parsed)


def test_a_td1_without_its_third_row_is_doubtful() -> None:
    first, second, _ = LINES[Format.TD1]
    reading = read(first, second)
    assert (reading.status, reading.lines) == (Status.DOUBTFUL, (first, second, "?" * 30))


def test_a_missing_first_row_of_a_td1_is_seen() -> None:
    _, second, third = LINES[Format.TD1]
    assert read(second, third).lines == ("?" * 30, second, third)


def test_candidates_stay_with_their_row_wherever_it_goes() -> None:
    upper, lower = LINES[Format.TD3]
    doubted = lower[:3] + "?" + lower[4:]
    guesses = (("1", 0.7), ("I", 0.3))
    reading = read(doubted, upper, candidates={(0, 3): guesses, (1, 6): ()})
    assert reading.lines == (upper, doubted)
    assert reading.status is Status.DOUBTFUL
    assert reading.uncertain == (Uncertain(0, 6, ()), Uncertain(1, 3, guesses))


def test_candidates_of_rows_and_positions_that_are_not_there_are_no_doubt() -> None:
    reading = read("noise", *LINES[Format.TD3], candidates={(0, 1): (("A", 1.0),), (1, 99): ()})
    assert reading.status is Status.READ


@pytest.mark.parametrize("filler", ["_", " "])
def test_fillers_may_come_as_underscores_or_spaces(filler: str) -> None:
    rows = [line.replace("<", filler).lower() + "\r\n" for line in LINES[Format.TD3]]
    assert read(*rows).lines == LINES[Format.TD3]


def test_a_longer_row_of_another_document_does_not_outvote_the_rest() -> None:
    assert read(LINES[Format.TD3][0], *LINES[Format.TD2]).lines == LINES[Format.TD2]


def test_spaces_behind_a_whole_line_are_no_part_of_it() -> None:
    assert read(*(line + "  " for line in LINES[Format.TD2])).status is Status.READ


def test_a_character_that_no_mrz_has_is_unknown() -> None:
    upper, lower = LINES[Format.TD3]
    for stranger in "*é\x00ı":
        reading = read(upper, stranger + lower[1:])
        assert reading.lines == (upper, "?" + lower[1:])
        assert reading.uncertain == (Uncertain(1, 0),)


def test_a_row_that_came_short_is_doubtful_where_it_ends() -> None:
    upper, lower = LINES[Format.TD3]
    reading = read(upper[:40], lower)
    assert reading.lines == (upper[:40] + "????", lower)
    assert [doubt.position for doubt in reading.uncertain] == [40, 41, 42, 43]


def test_a_wrong_check_digit_is_doubtful_with_nothing_unknown() -> None:
    upper, lower = LINES[Format.TD3]
    wrong = lower[:9] + str((int(lower[9]) + 1) % 10) + lower[10:]
    reading = read(upper, wrong)
    assert (reading.status, reading.lines) == (Status.DOUBTFUL, (upper, wrong))
    assert reading.uncertain == ()


def test_an_issuer_that_no_state_has_is_doubtful() -> None:
    upper, lower = LINES[Format.TD3]
    assert read(upper.replace("P<UTO", "P<UT0"), lower).status is Status.DOUBTFUL


@pytest.mark.parametrize("rows", [[], [""], ["HELLO WORLD"], ["A" * 43, "B" * 43], ["?" * 20]])
def test_what_fits_no_layout_is_unreadable_and_says_why(rows: list[str]) -> None:
    reading = read(*rows)
    assert (reading.status, reading.lines) == (Status.UNREADABLE, ())
    assert reading.note is not None
    assert "30, 36 or 44" in reading.note


def test_more_rows_than_a_document_has_are_unreadable() -> None:
    reading = read(*LINES[Format.TD3], LINES[Format.MRV_A][0])
    assert reading.status is Status.UNREADABLE
    assert reading.note is not None
