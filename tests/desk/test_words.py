"""What the desk says in each language: its verdicts, names of States, numbers, ages; and what is
printed stays as it is printed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from babel.messages import Catalog

from firmware.kiosk import catalogues, words
from firmware.kiosk.catalogues import extracted
from firmware.kiosk.words import ENGLISH, LANGUAGES, Words
from scanner.mrz.document import Format, Kind, Parsed
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.states import CODES
from scanner.mrz.typed import number_alone
from scanner.mrz.write import compose, write
from scanner.said import Said, counted, said
from scanner.verdict import Answered, Outcome, Verdict, judge
from scanner.watchlist.age import ClockReading, age_of, span
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    Inquiry,
    ListHealth,
    ListState,
    ListStatus,
    Match,
)

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


def test_a_translation_with_wrong_places_gives_way_to_the_english(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "_CATALOGUES", tmp_path)
    wrong = Catalog(locale="fr")
    wrong.add("list {list}", "liste {liste}")
    catalogues.update("fr", wrong)
    path = words.catalogue_path("fr")
    path.write_text(path.read_text().replace('msgstr ""', 'msgstr "liste {liste}"', 2))
    assert Words("fr").told(said("list {list}", list="a")) == "list a"


def test_a_catalogue_that_cannot_be_read_is_said_and_english_is_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(words, "_CATALOGUES", tmp_path)
    assert Words("es").told(said("Ready")) == "Ready"
    path = words.catalogue_path("ar")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\x00 no catalogue")
    assert Words("ar").told(said("Ready")) == "Ready"
    assert caplog.text.count("cannot be read") == 2


def _list(health: ListHealth, reason: str = "", **state: object) -> ListState:
    return ListState("sltd", 3, NOW, 7200.0, health, reason=reason, **state)  # type: ignore[arg-type]


def _match(certainty: Certainty, status: ListStatus, kind: Kind, recorded: date | None) -> Match:
    why = said("look-alike of a listed number") if certainty is Certainty.POSSIBLE else ""
    return Match("sltd", certainty, status, kind, recorded, AskedAs.NUMBER, why)


def _page(**fields: str) -> Parsed:
    usual = {
        "number": "L898902C3",
        "surname": "ERIKSSON",
        "given_names": "ANNA",
        "birth_date": "1974-08-12",
        "sex": "F",
        "expiry_date": "2024-04-15",
    }
    return parse(write(compose(Format.TD3, **(usual | fields))), TODAY)


def _verdicts() -> Iterator[Verdict]:
    """Verdicts of every kind, so that each of their sentences is said once."""
    clock = ClockReading(NOW, synchronised=True, unsynchronised_s=0, grace_s=60)
    late = ClockReading(NOW, synchronised=False, unsynchronised_s=90_000, grace_s=60)
    ok = _list(ListHealth.OK)
    page, lines = _page(), _page().lines
    wrong = parse((lines[0], lines[1][:9] + "7" + lines[1][10:]), TODAY)
    readings = (
        Reading(Status.READ, lines, "our"),
        Reading(Status.DOUBTFUL, lines, "our"),
        Reading(Status.DOUBTFUL, lines, "our", uncertain=(Uncertain(0, 5), Uncertain(1, 5))),
        Reading(Status.UNREADABLE, (), "our", note=said("no MRZ was found in the picture")),
        Reading(Status.UNREADABLE, (), "our"),
    )
    for reading, parsed in product(readings, (page, wrong, parse(("P<UTO",), TODAY))):
        for asked, unasked in ((0, 2), (1, 0)):
            yield judge(reading, parsed, Inquiry((), (ok,), asked, unasked), clock)
    alone = Parsed((), number_alone("UTO", "L898902C3", Kind.PASSPORT))
    yield judge(readings[4], alone, Inquiry(lists=(ok,), asked=1), clock)
    for status, kind, certainty in product(ListStatus, Kind, Certainty):
        recorded = TODAY if status is ListStatus.LOST else None
        found = (_match(certainty, status, kind, recorded),)
        yield judge(readings[0], page, Inquiry(found, (ok,), 1), late)
    unexplained = (replace(_match(Certainty.POSSIBLE, ListStatus.LOST, Kind.VISA, None), why=""),)
    yield judge(readings[0], page, Inquiry(unexplained, (ok,), 1), clock)
    for found in ("confirmed", "not_confirmed", "need_more"):
        answer = Answered(found, NOW, NOW + timedelta(1), "Hold the document.")
        exact = (_match(Certainty.EXACT, ListStatus.LOST, Kind.VISA, TODAY - timedelta(9)),)
        yield judge(readings[0], page, Inquiry(exact, (ok,), 1), clock, answer)
    future = age_of(NOW + timedelta(hours=3), clock).fault
    for health, why in product(ListHealth, ("", future, age_of(NOW, late).fault)):
        optional = _list(health, why, required=False, age_is_lower_bound=True)
        yield judge(readings[0], page, Inquiry(lists=(_list(health, why), optional)), clock)
    yield judge(readings[0], page, Inquiry(), clock)
    yield judge(readings[0], page, Inquiry(lists=(_list(ListHealth.OK, required=False),)), clock)
    sound = _page(expiry_date="2034-04-15")
    yield judge(
        Reading(Status.READ, sound.lines, "our"), sound, Inquiry(lists=(ok,), asked=1), clock
    )


def _templates(text: str) -> Iterator[str]:
    assert isinstance(text, Said), text
    yield text.template
    for value in text.values.values():
        if isinstance(value, Said):
            yield from _templates(value)


def test_each_verdict_can_be_said_in_every_language(template: Catalog) -> None:
    verdicts = list(_verdicts())
    assert {verdict.outcome for verdict in verdicts} == set(Outcome)
    lines = {line for verdict in verdicts for line in (*verdict.reasons, *verdict.beside)}
    told = {one for line in lines for one in _templates(line)}
    meant = {
        str(message.id if isinstance(message.id, str) else message.id[0])
        for message in template
        if ("scanner/verdict.py", None) in [(path, None) for path, _ in message.locations]
    }
    never_needed = {
        "is not usable",
        "the lines are not those of a document",
        "A check digit that this kind of document must have is missing.",
    }
    assert meant - told == never_needed
    for language in OTHERS:
        for line in lines:
            assert Words.of(language).told(line) != line


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_has_a_name(language: str) -> None:
    names = {code: Words.of(language).state(code) for code in CODES}
    assert all(names.values())
    assert len(set(names.values())) > 0.95 * len(CODES)
    assert Words.of(language).state("ZZZ") is None


def test_states_are_named_as_the_language_names_them() -> None:
    named = {language: Words.of(language).state("D") for language in LANGUAGES}
    assert named == {"en": "Germany", "fr": "Allemagne", "es": "Alemania", "ar": "ألمانيا"}
    assert Words.of("fr").state("XXA") == "Apatride"


def test_arabic_counts_as_arabic_does_and_keeps_the_digits() -> None:
    told = {count: Words.of("ar").span(count * 86400.0) for count in (2, 3, 11, 100)}
    assert told == {2: "يومين", 3: "3 أيام", 11: "11 يومًا", 100: "100 يوم"}


def test_what_is_printed_is_kept_apart_from_a_text_that_runs_to_the_left() -> None:
    expired = said("the document expired on {day}", day="2024-04-15")
    assert "\u20682024-04-15\u2069" in Words.of("ar").told(expired)
    assert Words.of("fr").told(expired) == "le document a expiré le 2024-04-15"
    assert Words.of("ar").direction == "rtl"
    assert {Words.of(language).direction for language in LANGUAGES if language != "ar"} == {"ltr"}


@pytest.mark.parametrize(
    ("born", "told"),
    [
        ("1974-08-12", "52 years"),
        ("1974-11-27", "51 years"),
        ("1974", "51 or 52 years"),
        ("1974-11", "51 or 52 years"),
        ("2025-09-30", "13 months"),
        ("2026-11-26", "0 months"),
        ("2026", "0 years"),
        ("2027-01-01", None),
        (None, None),
    ],
)
def test_an_age_is_told_as_surely_as_the_date_of_birth(born: str | None, told: str | None) -> None:
    assert Words.of("en").age(born, TODAY) == told


def test_the_page_gets_its_own_text_alone() -> None:
    text = Words.of("es").catalogue()
    assert text["Close"] == "Cerrar"
    assert "Not checked: no list is configured." not in text
    assert Words.of("en").catalogue() == {}


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(KeyError):
        Words.of("tlh")


def test_lengths_of_time_and_plurals_are_french() -> None:
    french = Words.of("fr")
    assert french.told(span(3 * 86400.0)) == "3 jours"
    assert french.told(counted("{count} year", "{count} years", 1)) == "1 an"
