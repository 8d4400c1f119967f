"""The verdict on anything at all: it is total, and CLEAR takes everything."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from scanner.mrz.document import Checks, Document, Finding, Format, Kind, NumberRule, Parsed, Reason
from scanner.mrz.parse import is_sound, parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.write import compose, write
from scanner.verdict import Answered, Outcome, judge
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

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

checks = st.sampled_from([True, True, True, False, None])
text = st.text("AB12<?", max_size=5)
moments = st.timedeltas(timedelta(days=-20), timedelta(days=20)).map(lambda apart: NOW + apart)

documents = st.builds(
    Document,
    format=st.sampled_from(Format),
    code=st.sampled_from(["P", "V", "ID", "?"]),
    issuer=st.sampled_from(["UTO", "D", "???", ""]),
    number=st.sampled_from(["L898902C3", "", "L?"]),
    number_rule=st.sampled_from(NumberRule),
    surname=text,
    given_names=text,
    name_truncated=st.booleans(),
    nationality=st.sampled_from(["UTO", "UTA", ""]),
    birth_date=st.sampled_from(["1974-08-12", None]),
    sex=st.sampled_from(["F", None]),
    expiry_date=st.sampled_from(["2031-04-15", None]),
    optional=st.none(),
    optional_2=st.none(),
    checks=st.builds(Checks, checks, checks, checks, checks, checks),
    kind=st.sampled_from(Kind),
)
findings = st.lists(
    st.builds(
        Finding,
        st.sampled_from(["check_digit", "expired"]),
        st.just("number"),
        st.sampled_from(["the check digit is wrong", ""]),
        note=st.booleans(),
    ),
    max_size=2,
).map(tuple)
lines = st.sampled_from([(), ("P<UTO", "L898902C3"), ("P<UT?", "L898902C3")])
pages = st.builds(
    Parsed,
    lines,
    st.one_of(st.none(), documents, documents, documents),
    findings,
    st.one_of(st.none(), st.just(Reason("empty", ""))),
)
readings = st.builds(
    Reading,
    st.sampled_from([Status.READ, Status.READ, *Status]),
    lines,
    st.just("test"),
    uncertain=st.lists(st.builds(Uncertain, st.integers(0, 1), st.integers(0, 43)), max_size=1).map(
        tuple
    ),
)
states = st.builds(
    ListState,
    st.sampled_from(["sltd", "national"]),
    st.just(1),
    st.none(),
    st.one_of(st.none(), st.floats(0, 1e7)),
    st.sampled_from([ListHealth.OK, ListHealth.OK, ListHealth.OK, *ListHealth]),
    required=st.booleans(),
    age_is_lower_bound=st.booleans(),
)
matches = st.builds(
    Match,
    st.just("sltd"),
    st.sampled_from(Certainty),
    st.sampled_from(ListStatus),
    st.sampled_from(Kind),
    st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2026, 12, 31))),
    st.sampled_from(AskedAs),
    st.sampled_from(["", "look-alike of a listed number"]),
)
inquiries = st.builds(
    Inquiry,
    st.lists(matches, max_size=2).map(tuple),
    st.lists(states, max_size=3).map(tuple),
    st.sampled_from([0, 1, 12, 256]),
    st.sampled_from([0, 0, 0, 3]),
)
clocks = st.builds(
    ClockReading, st.just(NOW), st.booleans(), st.sampled_from([0.0, 1e3, 1e6]), st.just(86400.0)
)
answers = st.one_of(
    st.none(),
    st.none(),
    st.builds(
        Answered, st.sampled_from(["confirmed", "not_confirmed", "need_more"]), moments, moments
    ),
)


# Of each part the good one is given often enough that all are good together, and CLEAR is reached.
GOOD_PAGE = parse(
    write(compose(Format.TD3, number="L898902C3", surname="ERIKSSON", expiry_date="2031-04-15")),
    NOW.date(),
)
GOOD_READING = Reading(Status.READ, GOOD_PAGE.lines, "test")
GOOD_INQUIRY = Inquiry((), (ListState("sltd", 1, NOW, 0.0, ListHealth.OK),), asked=9)
some_reading = st.just(GOOD_READING) | st.just(GOOD_READING) | readings
some_page = st.just(GOOD_PAGE) | st.just(GOOD_PAGE) | pages
some_inquiry = st.just(GOOD_INQUIRY) | st.just(GOOD_INQUIRY) | inquiries
anything = given(some_reading, some_page, some_inquiry, clocks, answers)


@anything
def test_every_case_has_a_verdict_with_a_reason(
    reading: Reading,
    parsed: Parsed,
    inquiry: Inquiry,
    clock: ClockReading,
    answered: Answered | None,
) -> None:
    verdict = judge(reading, parsed, inquiry, clock, answered)
    assert verdict.outcome in Outcome
    assert verdict.reasons
    assert all(verdict.reasons)
    assert len(verdict.matches) == len(inquiry.matches)


@anything
def test_clear_takes_everything(
    reading: Reading,
    parsed: Parsed,
    inquiry: Inquiry,
    clock: ClockReading,
    answered: Answered | None,
) -> None:
    verdict = judge(reading, parsed, inquiry, clock, answered)
    required = [state for state in inquiry.lists if state.required]
    everything = (
        reading.status is Status.READ
        and bool(reading.lines)
        and not reading.uncertain
        and not any("?" in line for line in reading.lines)
        and bool(parsed.lines)
        and is_sound(parsed)
        and bool(required)
        and all(state.health is ListHealth.OK for state in required)
        and (clock.synchronised or clock.unsynchronised_s <= clock.grace_s)
        and inquiry.asked > 0
        and inquiry.unasked == 0
        and not inquiry.matches
        and (answered is None or answered.until <= NOW)
    )
    assert (verdict.outcome is Outcome.CLEAR) == everything


@anything
def test_a_match_is_never_lower_than_possible_and_an_exact_one_is_a_hit_unless_central_answered(
    reading: Reading,
    parsed: Parsed,
    inquiry: Inquiry,
    clock: ClockReading,
    answered: Answered | None,
) -> None:
    verdict = judge(reading, parsed, inquiry, clock, answered)
    exact = any(match.certainty is Certainty.EXACT for match in inquiry.matches)
    if inquiry.matches:
        assert verdict.outcome in (Outcome.HIT, Outcome.POSSIBLE)
    if exact and (answered is None or answered.until <= NOW):
        assert verdict.outcome is Outcome.HIT
    if not exact:
        assert verdict.outcome is not Outcome.HIT


def test_what_is_good_in_every_way_is_clear() -> None:
    clock = ClockReading(NOW, True, 0.0, 0.0)
    assert judge(GOOD_READING, GOOD_PAGE, GOOD_INQUIRY, clock).outcome is Outcome.CLEAR


@given(some_page, clocks, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_mistaken_hit_is_never_clear_while_the_answer_holds(
    parsed: Parsed, clock: ClockReading, left: timedelta
) -> None:
    answered = Answered("not_confirmed", NOW, NOW + left + timedelta(seconds=1))
    verdict = judge(GOOD_READING, parsed, GOOD_INQUIRY, clock, answered)
    assert verdict.outcome is Outcome.POSSIBLE
