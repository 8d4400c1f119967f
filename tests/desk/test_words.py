"""Every sentence of the desk in every language: none is missing, none is wrong in its places, and
what is printed stays as it is printed."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.jslexer import tokenize
from babel.messages.pofile import read_po

from firmware.kiosk import catalogues, words
from firmware.kiosk.catalogues import ROOT, TEMPLATE, extracted, faults_of
from firmware.kiosk.words import ENGLISH, LANGUAGES, Words, read_catalogue
from scanner.mrz.document import Format, Kind, Parsed
from scanner.mrz.parse import parse
from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.mrz.states import CODES
from scanner.mrz.typed import number_alone
from scanner.mrz.write import compose, write
from scanner.said import Said, counted, said
from scanner.sources.capture import Capture, Fault, Health
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
from tests.desk.desk_fixture import CLEAN, LISTED, typed
from tests.desk.kiosk_page import kiosk_desk

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
TODAY = date(2026, 11, 26)
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DESK = ("scanner", "firmware")
PAGE = ROOT / words.PAGE
SAID = ROOT / "scanner" / "said.py"


@pytest.fixture(scope="module")
def template() -> Catalog:
    return extracted()


def _keys(catalogue: Catalog) -> set[str]:
    return {str(message.id) for message in catalogue if message.id}


def test_the_catalogues_hold_what_the_desk_says_and_nothing_else(template: Catalog) -> None:
    """Where this fails, run `make words`."""
    with TEMPLATE.open("rb") as file:
        assert _keys(read_po(file)) == _keys(template)
    for language in OTHERS:
        assert _keys(read_catalogue(language)) == _keys(template)


@pytest.mark.parametrize("language", OTHERS)
def test_every_sentence_is_translated_with_the_same_places(
    template: Catalog, language: str
) -> None:
    """Where this fails, run `make words`, and translate what it names."""
    assert list(faults_of(read_catalogue(language), template)) == []


def test_a_sentence_that_is_missing_or_asks_for_something_else_is_told() -> None:
    there = Catalog(locale="fr")
    there.add("list {list}", "liste {liste}")
    there.add("ready", "prêt")
    wanted = Catalog()
    for text in ("list {list}", "ready", "locked"):
        wanted.add(text)
    assert list(faults_of(there, wanted)) == [
        "other places than ['list']: liste {liste}",
        "not translated: locked",
    ]


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


def _python() -> Iterator[tuple[Path, ast.AST]]:
    for folder in DESK:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                yield path, node


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


_TEMPLATES = {"said": 1, "counted": 2}
_MESSAGES = {
    "Finding": (2,),
    "Reason": (1,),
    "Health": (1,),
    "Fault": (1,),
    "Nothing": (0,),
    "Complaint": (0,),
    "ListDamaged": (0,),
    "KeyMissing": (0,),
    "StreamError": (0,),
    "Refused": (1,),
    "Problem": (2,),
    "ok": (0,),
    "warn": (0, 1),
    "fail": (0, 1),
    "skipped": (0,),
    "bad_field": (1,),
}
"""Who says something to an officer, and which argument it is."""
_OF_TECHNICIANS = (
    "firmware/kiosk/stage.py",
    "firmware/overlays.py",
    "scanner/toml_errors.py",
    "scanner/watchlist/fold.py",
    "scanner/web/asked.py",
)
"""What is said in English alone: to whoever looks after the device, or writes a program for it."""


def test_every_template_is_a_literal_so_that_it_is_found() -> None:
    for path, node in _python():
        if isinstance(node, ast.Call) and _name(node) in _TEMPLATES and path != SAID:
            for argument in node.args[: _TEMPLATES[_name(node)]]:
                assert isinstance(argument, ast.Constant), f"{path}:{node.lineno}"


def test_nothing_is_told_to_an_officer_in_english_alone() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, node in _python()
        if isinstance(node, ast.Call)
        for place in _MESSAGES.get(_name(node), ())
        if place < len(node.args)
        if isinstance(node.args[place], ast.JoinedStr)
        or (isinstance(node.args[place], ast.Constant) and node.args[place].value)  # type: ignore[attr-defined]
    ]
    assert [place for place in bare if not place.startswith(_OF_TECHNICIANS)] == []


_PROSE = re.compile(r"[A-Z]?[a-z]+([ ,;:'’<]+[A-Za-z]+)+[ .!?…]*|[A-Z][a-z]+[ .!?…]*")
_NO_PROSE = re.compile(
    r"Arrow\w+|Page\w+|Enter|Esc(ape)?|Backspace|Borderpost ?|Content-Type|input, button"
)
"""Keys, a name, a header, a selector."""


def test_the_page_says_nothing_that_is_not_translated() -> None:
    css = " ".join(path.read_text() for path in PAGE.glob("*.css"))
    classes = set(re.findall(r"\.([a-z][\w-]*)", css))
    bare = []
    for path in sorted(PAGE.glob("*.js")):
        before: list[str] = []
        for token in tokenize(path.read_text()):
            text = token.value.strip("\"'`")
            if (
                token.type in ("string", "template_string")
                and before[-2:] != ["t", "("]
                and _PROSE.fullmatch(text)
                and not _NO_PROSE.fullmatch(text)
                and not set(text.split()) <= classes
            ):
                bare.append(f"{path.name}:{token.lineno} {text}")
            if token.type not in ("linecomment", "multilinecomment"):
                before.append(token.value)
    assert bare == []


def test_every_t_of_the_page_has_a_literal() -> None:
    for path in PAGE.glob("*.js"):
        found = re.findall(r"(?<![\w.$])t\((?!\"|'|english)[^)]*", path.read_text())
        assert found == [], path.name


def test_the_page_s_frame_has_no_text_of_its_own() -> None:
    class Texts(HTMLParser):
        found: tuple[str, ...] = ()

        def handle_data(self, data: str) -> None:
            self.found += (data.strip(),) if data.strip() else ()

    texts = Texts()
    texts.feed((PAGE / "index.html").read_text())
    assert [text for text in texts.found if not text.startswith("This page needs JavaScript")] == [
        "Borderpost"
    ]


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


def test_each_text_that_the_page_is_sent_is_said_in_its_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def marked(_words: Words, text: str) -> str:
        return f"«{text}»" if isinstance(text, Said) else text

    monkeypatch.setattr(Words, "told", marked)
    unread = Reading(Status.UNREADABLE, (), "our", note=said("no MRZ was found in the picture"))
    doubtful = ("P<UTO?", "?")
    with kiosk_desk(tmp_path) as desk:
        desk.faults = (said("the disk is full"),)
        desk.sources["camera"] = Health(False, said("camera: stopped"))
        gone = Capture("camera", fault=Fault("gone", said("it is gone")))
        laid = [*map(typed, (LISTED, CLEAN, doubtful)), Capture("camera", text=unread), gone]
        states = [desk.put(capture) for capture in laid]
        states.append(desk.until(lambda state: bool(state["faults"])))
    assert {state["state"] for state in states} >= {"refer", "no_record", "read_again", "fault"}
    told = [one for state in states for one in _texts(state)]
    assert {text for _, text in told if text.startswith("«")}
    assert [one for one in told if not one[1].startswith("«")] == []


_NAMES = frozenset({"issuer_name", "nationality_name", "name", "version"})
"""Said by other means, or not at all."""


def _texts(state: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text for a person in what the page is sent."""
    if isinstance(state, dict):
        for name, value in state.items():
            yield from _texts(value, name)
    elif isinstance(state, list):
        for value in state:
            yield from _texts(value, key)
    elif isinstance(state, str) and state and key not in _NAMES and _is_for_a_person(key, state):
        yield key, state


def _is_for_a_person(key: str, text: str) -> bool:
    prose = re.search(r"[a-z]{2}.* |^[A-Z][a-z]+$", text)
    return prose is not None or key.endswith(("word", "words"))
