"""The table of verdicts: what an officer is shown, and when.

Read a row from left to right: how the document was read, what is printed on it, which list record
was found, how the lists stood, how sure the clock was, what central had answered before; then the
verdict, and words that stand in its first reason. `-` means nothing of the kind. The words used in
the columns are spelled out below the table.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from scanner.mrz.document import Format, Kind, Parsed, Reason
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.typed import number_alone
from scanner.mrz.write import compose, write
from scanner.verdict import Answered, judge
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    Inquiry,
    ListHealth,
    ListState,
    ListStatus,
    Match,
)

TABLE = """
read          printed         found        lists          clock     answered        -> verdict      says
surely        sound           -            fresh          set       -               -> CLEAR        on no list
surely        expired         -            fresh          set       -               -> CLEAR        on no list
surely        sound           -            fresh          unset     -               -> CLEAR        on no list
surely        sound           -            optional_lost  set       -               -> CLEAR        on no list

surely        sound           listed       fresh          set       -               -> HIT          Listed as stolen passport
surely        wrong_digit     listed       fresh          set       -               -> HIT          Listed as stolen passport
surely        sound           listed       over_age       set       -               -> HIT          Listed as stolen passport
surely        sound           listed       one_missing    set       -               -> HIT          Listed as stolen passport
surely        sound           listed       one_damaged    set       -               -> HIT          Listed as stolen passport
surely        sound           listed       fresh          long_lost -               -> HIT          Listed as stolen passport
surely        sound           both         fresh          set       -               -> HIT          Listed as stolen passport
doubtfully    sound           listed       fresh          set       -               -> HIT          Listed as stolen passport

surely        sound           look_alike   fresh          set       -               -> POSSIBLE     look-alike of a listed number
surely        sound           other_kind   fresh          set       -               -> POSSIBLE     another kind of document
surely        sound           look_alike   one_missing    set       -               -> POSSIBLE     look-alike of a listed number
doubtfully    sound           candidate    fresh          set       -               -> POSSIBLE     doubtful characters
surely        wrong_digit     look_alike   over_age       set       -               -> POSSIBLE     look-alike of a listed number

surely        sound           listed       fresh          set       not_confirmed   -> POSSIBLE     Answered by central on 2026-11-20
surely        sound           -            fresh          set       not_confirmed   -> POSSIBLE     Answered by central on 2026-11-20
surely        sound           -            fresh          set       confirmed       -> POSSIBLE     Answered by central on 2026-11-20
surely        sound           listed       fresh          set       confirmed       -> HIT          Listed as stolen passport
surely        sound           listed       fresh          set       need_more       -> HIT          Listed as stolen passport
surely        sound           listed_since fresh          set       not_confirmed   -> HIT          Listed as stolen passport
surely        sound           listed       fresh          set       lapsed          -> HIT          Listed as stolen passport
surely        sound           -            fresh          set       lapsed          -> CLEAR        on no list

surely        sound           -            none           set       -               -> NOT_CHECKED  no list is configured
surely        sound           -            over_age       set       -               -> NOT_CHECKED  sltd is not fresh
surely        sound           -            one_missing    set       -               -> NOT_CHECKED  national is missing
surely        sound           -            one_damaged    set       -               -> NOT_CHECKED  national is damaged
surely        sound           -            only_optional  set       -               -> NOT_CHECKED  none of the lists is a required one
surely        sound           -            fresh          long_lost -               -> NOT_CHECKED  clock has not been set
doubtfully    sound           -            over_age       set       -               -> NOT_CHECKED  sltd is not fresh
surely        wrong_digit     -            one_missing    set       -               -> NOT_CHECKED  national is missing
not_at_all    nothing         -            one_missing    set       -               -> NOT_CHECKED  national is missing

doubtfully    sound           -            fresh          set       -               -> READ_AGAIN   1 character is uncertain
vaguely       sound           -            fresh          set       -               -> READ_AGAIN   reading is uncertain
with_a_gap    unread          -            fresh          set       -               -> READ_AGAIN   1 character is uncertain
not_at_all    nothing         -            fresh          set       -               -> READ_AGAIN   Nothing could be read
surely        no_document     -            fresh          set       -               -> READ_AGAIN   Two lines are needed
doubtfully    wrong_digit     -            fresh          set       -               -> READ_AGAIN   1 character is uncertain
surely        sound           unasked      fresh          set       -               -> READ_AGAIN   could not be asked
surely        sound           unaskable    fresh          set       -               -> READ_AGAIN   no document number

not_at_all    number_alone    -            fresh          set       -               -> READ_AGAIN   No list has this number
not_at_all    number_alone    -            fresh          unset     -               -> READ_AGAIN   No list has this number
not_at_all    number_alone    -            one_missing    set       -               -> NOT_CHECKED  national is missing
not_at_all    number_alone    listed       one_missing    set       -               -> HIT          Listed as stolen passport
not_at_all    number_alone    look_alike   fresh          set       -               -> POSSIBLE     look-alike of a listed number
not_at_all    number_alone    -            fresh          set       confirmed       -> POSSIBLE     Answered by central on 2026-11-20

surely        wrong_digit     -            fresh          set       -               -> LOOK_CLOSER  check digit
surely        unknown_issuer  -            fresh          set       -               -> LOOK_CLOSER  issuer
surely        unknown_code    -            fresh          set       -               -> LOOK_CLOSER  document code
surely        no_digit        -            fresh          set       -               -> LOOK_CLOSER  check digit
"""  # noqa: E501 - a table is read by its rows

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

PASSPORT = compose(
    Format.TD3,
    number="L898902C3",
    surname="Eriksson",
    given_names="Anna Maria",
    birth_date="1974-08-12",
    sex="F",
    expiry_date="2031-04-15",
)
LINES = write(PASSPORT)


def _printed(line: int, position: int, characters: str) -> Parsed:
    """The passport with other characters printed at one place."""
    lines = list(LINES)
    lines[line] = lines[line][:position] + characters + lines[line][position + len(characters) :]
    return parse(lines, NOW.date())


PRINTED = {
    "sound": parse(LINES, NOW.date()),
    "expired": parse(write(replace(PASSPORT, expiry_date="2020-04-15")), NOW.date()),
    "wrong_digit": _printed(1, 9, "0" if LINES[1][9] != "0" else "1"),
    "no_digit": _printed(1, 9, "<"),
    "unknown_issuer": _printed(0, 2, "QQQ"),
    "unknown_code": _printed(0, 0, "XX"),
    "unread": _printed(0, 8, "?"),
    "no_document": Parsed(LINES[:1], None, reason=Reason("single_line", "two lines are needed")),
    # An officer typed the number, the State and the kind; of the lines nothing is known.
    "number_alone": Parsed((), number_alone("UTO", "L898902C3", Kind.PASSPORT)),
    "nothing": Parsed((), None, reason=Reason("empty", "there is no text at all")),
}

ZERO_OR_O = Uncertain(1, 3, (("9", 0.7), ("O", 0.3)))
READ = {
    # Sure of every character as printed.
    "surely": Reading(Status.READ, LINES, "test"),
    # One character may be another one.
    "doubtfully": Reading(Status.DOUBTFUL, LINES, "test", uncertain=(ZERO_OR_O,)),
    # The reader is not sure, and does not say where.
    "vaguely": Reading(Status.DOUBTFUL, LINES, "test"),
    # One character could not be read.
    "with_a_gap": Reading(Status.DOUBTFUL, PRINTED["unread"].lines, "test"),
    "not_at_all": Reading(Status.UNREADABLE, (), "test"),
}

EXACT = Match(
    "sltd",
    Certainty.EXACT,
    ListStatus.STOLEN,
    Kind.PASSPORT,
    date(2026, 1, 5),
    AskedAs.NUMBER,
)
LOOK_ALIKE = replace(EXACT, certainty=Certainty.POSSIBLE, why="look-alike of a listed number")
FOUND = {
    "-": Inquiry(asked=12),
    # The same issuer, number and kind.
    "listed": Inquiry((EXACT,), asked=12),
    # The same, and put on the list after central gave its answer.
    "listed_since": Inquiry((replace(EXACT, recorded=date(2026, 11, 21)),), asked=12),
    # A number that differs only by characters which a camera confuses.
    "look_alike": Inquiry((LOOK_ALIKE,), asked=12),
    # The same issuer and number, but a visa.
    "other_kind": Inquiry(
        (replace(LOOK_ALIKE, kind=Kind.VISA, why="listed as another kind of document, visa"),),
        asked=12,
    ),
    # A number that a doubtful character may make of it.
    "candidate": Inquiry(
        (replace(LOOK_ALIKE, why="a number that the doubtful characters may stand for"),), asked=12
    ),
    "both": Inquiry((LOOK_ALIKE, EXACT), asked=12),
    # More numbers were possible than a scan may ask.
    "unasked": Inquiry(asked=256, unasked=40),
    # There was no number to ask.
    "unaskable": Inquiry(),
}

SLTD = ListState("sltd", 7, NOW - timedelta(hours=5), 5 * 3600.0, ListHealth.OK)
NATIONAL = replace(SLTD, name="national")
GONE = ListState("national", None, None, None, ListHealth.MISSING, reason="it is not there")
LISTS = {
    "fresh": (SLTD, NATIONAL),
    "over_age": (replace(SLTD, age_s=9 * 86400.0, health=ListHealth.OVER_AGE), NATIONAL),
    "one_missing": (SLTD, GONE),
    "one_damaged": (SLTD, replace(GONE, health=ListHealth.DAMAGED)),
    # A list that CLEAR does not need.
    "optional_lost": (SLTD, replace(GONE, required=False)),
    "only_optional": (replace(SLTD, required=False),),
    # No list is configured at all.
    "none": (),
}

CLOCK = {
    "set": ClockReading(NOW, True, 0.0, grace_s=86400.0),
    # Not set since the start, for less long than is tolerated.
    "unset": ClockReading(NOW, False, 3600.0, grace_s=86400.0),
    # Not set for longer than is tolerated.
    "long_lost": ClockReading(NOW, False, 90000.0, grace_s=86400.0),
}

AT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
ANSWERED = {
    "-": None,
    # Central found that the hit was mistaken or the document recovered.
    "not_confirmed": Answered("not_confirmed", AT, NOW + timedelta(days=4)),
    "confirmed": Answered("confirmed", AT, NOW + timedelta(days=4), "Keep the document."),
    "need_more": Answered("need_more", AT, NOW + timedelta(days=4)),
    # The time for which the answer holds has run out.
    "lapsed": Answered("not_confirmed", AT, NOW),
}

CASES = [line.split(maxsplit=8) for line in TABLE.strip().splitlines()[1:] if line.strip()]


@pytest.mark.parametrize(
    ("read", "printed", "found", "lists", "clock", "answered", "arrow", "verdict", "says"),
    CASES,
    ids=[" ".join(case[:6]) for case in CASES],
)
def test_the_table_of_verdicts_holds(
    read: str,
    printed: str,
    found: str,
    lists: str,
    clock: str,
    answered: str,
    arrow: str,
    verdict: str,
    says: str,
) -> None:
    given = judge(
        READ[read],
        PRINTED[printed],
        replace(FOUND[found], lists=LISTS[lists]),
        CLOCK[clock],
        ANSWERED[answered],
    )
    assert (given.outcome, says in given.reasons[0]) == (verdict, True), given


def test_a_fault_of_a_list_is_told_beside_a_match() -> None:
    given = judge(
        READ["surely"],
        PRINTED["sound"],
        replace(FOUND["listed"], lists=LISTS["one_missing"]),
        CLOCK["set"],
    )
    assert given.reasons == ("Listed as stolen passport (list sltd, recorded 2026-01-05).",)
    assert given.beside == ("Not checked: list national is missing: it is not there.",)


def test_an_expired_document_is_told_beside_the_verdict() -> None:
    given = judge(
        READ["surely"],
        PRINTED["expired"],
        replace(FOUND["-"], lists=LISTS["fresh"]),
        CLOCK["set"],
    )
    assert any("expired" in line for line in given.beside)


def test_an_age_that_is_a_lower_bound_is_told_beside_the_verdict() -> None:
    unsure = replace(SLTD, age_is_lower_bound=True)
    given = judge(
        READ["surely"], PRINTED["sound"], replace(FOUND["-"], lists=(unsure,)), CLOCK["unset"]
    )
    assert given.beside == (
        "List sltd is at least 5 h old: the clock has not been set since the start.",
    )


def test_every_reason_is_told_and_the_deciding_one_first() -> None:
    given = judge(
        READ["doubtfully"],
        PRINTED["wrong_digit"],
        replace(FOUND["both"], lists=LISTS["fresh"]),
        CLOCK["set"],
    )
    told = [
        next(word for word in ("Listed", "Perhaps", "uncertain", "check digit") if word in reason)
        for reason in given.reasons
    ]
    assert told[:4] == ["Listed", "Perhaps", "uncertain", "check digit"]


def test_what_central_said_of_a_confirmed_hit_is_told_beside_it() -> None:
    given = judge(
        READ["surely"],
        PRINTED["sound"],
        replace(FOUND["listed"], lists=LISTS["fresh"]),
        CLOCK["set"],
        ANSWERED["confirmed"],
    )
    assert given.beside == (
        "Answered by central on 2026-11-20: confirmed.",
        "Central's instruction: Keep the document.",
    )


def test_no_reason_repeats_the_number_or_the_name() -> None:
    for read, printed, found, lists, clock, answered, *_ in CASES:
        given = judge(
            READ[read],
            PRINTED[printed],
            replace(FOUND[found], lists=LISTS[lists]),
            CLOCK[clock],
            ANSWERED[answered],
        )
        for line in (*given.reasons, *given.beside):
            assert PASSPORT.number not in line
            assert PASSPORT.surname not in line
