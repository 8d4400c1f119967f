"""Several views of one MRZ make lines: votes, what is sure, and what stays doubtful."""

import numpy as np
import pytest

from scanner.mrz.document import Format
from scanner.mrz.layouts import LAYOUTS
from scanner.mrz.write import compose, write
from scanner.vision.views import TIMES, Ballot, layout_for

LINES = write(
    compose(
        Format.TD3,
        number="B12345678",
        surname="BRANDT",
        given_names="MAREN",
        birth_date="1990-05-12",
        sex="F",
        expiry_date="2034-10-21",
    )
)
WHOLE = "\n".join(LINES)


def ballot(lines: tuple[str, ...] = LINES) -> Ballot:
    likeness = np.array([[1.0 if c == "<" else 0.0 for c in line] for line in lines])
    return Ballot(likeness, LAYOUTS[Format.TD3])


def apart(votes: Ballot, lines: tuple[str, ...] = LINES) -> str:
    rows = (lines[line][start:end] for line, start, end in votes.fields)
    return "\n".join(row * TIMES if len(row) == 1 else row for row in rows)


def test_one_view_alone_makes_nothing_sure() -> None:
    votes = ballot()
    votes.count_whole(WHOLE)
    lines, doubts = votes.result()
    assert lines == LINES
    printed = {(i, j) for i, line in enumerate(LINES) for j, c in enumerate(line) if c != "<"}
    assert {(doubt.line, doubt.position) for doubt in doubts} == printed


def test_two_views_that_agree_make_every_character_sure() -> None:
    votes = ballot()
    votes.count_whole(WHOLE)
    votes.count_apart(apart(votes))
    assert votes.result() == (LINES, ())


def test_views_that_differ_give_both_characters_as_candidates() -> None:
    votes = ballot()
    votes.count_whole(WHOLE)
    votes.count_apart(apart(votes).replace("BRANDT", "BRANOT"))
    doubts = votes.result()[1]
    assert [(doubt.line, doubt.position) for doubt in doubts] == [(0, 9)]
    assert dict(doubts[0].candidates) == {"D": 0.5, "O": 0.5}


def test_a_digit_where_only_letters_may_stand_is_no_vote_and_the_letter_needs_two() -> None:
    votes = ballot()
    misread = WHOLE.replace("UTO9", "UT09")
    votes.count_whole(misread)
    votes.count_apart(apart(votes))
    lines, doubts = votes.result()
    assert lines == LINES
    assert [(doubt.line, doubt.position) for doubt in doubts] == [(1, 12)]
    votes.count_apart(apart(votes))
    assert votes.result() == (LINES, ())


@pytest.mark.parametrize(
    "row", ["P<UTOBRANDT<<MARENK<<<<KKK<<K", "P<UTOBRANDT<<MAREN<<K<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<K"]
)
def test_miscounted_and_misread_fillers_shift_nothing(row: str) -> None:
    votes = ballot()
    votes.count_whole(f"{row}\n{LINES[1]}")
    votes.count_apart(apart(votes))
    assert votes.result() == (LINES, ())


def test_a_place_that_no_view_read_is_unknown() -> None:
    votes = ballot()
    lines, doubts = votes.result()
    assert lines[0].startswith("?<???")
    assert all(doubt.candidates == () for doubt in doubts)


def test_a_cell_that_may_or_may_not_be_a_filler_is_doubtful_where_the_views_say_k() -> None:
    lines = (LINES[0].replace("MAREN<", "MARENK"), LINES[1])
    votes = ballot(lines)
    at = lines[0].index("MARENK") + 5
    votes._likeness[0, at] = 0.7
    for _ in range(2):
        votes.count_whole("\n".join(lines))
    doubts = votes.result()[1]
    assert [(doubt.line, doubt.position) for doubt in doubts] == [(0, at)]
    assert [character for character, _ in doubts[0].candidates] == ["K", "<"]


def test_noise_is_no_vote() -> None:
    votes = ballot()
    votes.count_whole("nothing\nof the kind\n\n<<<<<<<")
    votes.count_apart("")
    votes.count_apart("\n".join(["ZZZZZZZZZZZZZZZZZ"] * len(votes.fields)))
    assert set("".join(votes.result()[0])) == {"?", "<"}


@pytest.mark.parametrize(
    ("width", "text", "expected"),
    [
        (44, "P<UTO" + "<" * 39, Format.TD3),
        (44, "V<UTO" + "<" * 39, Format.MRV_A),
        (44, "", Format.TD3),
        (36, "I<UTO" + "<" * 31, Format.TD2),
        (36, "VNUTO" + "<" * 31, Format.MRV_B),
        (36, "IDFRA" + "<" * 31, Format.FRA_ID),
        (30, "I<UTO" + "<" * 25, Format.TD1),
    ],
)
def test_the_layout_follows_from_the_width_and_the_first_letters(
    width: int, text: str, expected: Format
) -> None:
    assert layout_for(width, text).format is expected
