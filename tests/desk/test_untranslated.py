"""Nothing of what the desk says is in one language alone: every sentence is found in the source, is
in every catalogue, and has the same places for values there."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.jslexer import tokenize
from babel.messages.pofile import read_po

from firmware.kiosk import words
from firmware.kiosk.catalogues import ROOT, TEMPLATE, extracted, faults_of
from firmware.kiosk.words import ENGLISH, LANGUAGES, Words, read_catalogue
from scanner.mrz.reading import Reading, Status
from scanner.said import Said, said
from scanner.sources.capture import Capture, Fault, Health
from tests.desk.desk_fixture import CLEAN, LISTED, typed
from tests.desk.kiosk_page import kiosk_desk

OTHERS = [language for language in LANGUAGES if language != ENGLISH]
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
