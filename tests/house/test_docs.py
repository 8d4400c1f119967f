"""Documentation that lies fails the build."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from central.cli import app as headquarters
from firmware.cli import app as box
from scanner.commands import Commands
from scanner.mrz import FINDING_CODES, REASON_CODES
from scanner.mrz.reading import Why
from scanner.verdict import Outcome
from scanner.vision.why import SENTENCES
from scanner.watchlist.contract import AskedAs, ListHealth

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("models/*.md")])
PATH_IN_TEXT = re.compile(
    r"`((?:scanner|firmware|central|config|tests|systemd|models|benchmarks|packaging|docs)/[\w./-]*\w)`"
)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"^(?:make|borderpost(?:-central)?) .*$", re.MULTILINE)


def _codes_in(page: str, heading: str) -> dict[str, str]:
    text = (ROOT / "docs" / page).read_text().split(f"## {heading}")[1].split("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", text, re.MULTILINE))


def test_every_reason_is_documented_in_its_own_words() -> None:
    assert _codes_in("mrz.md", "Reasons") == {str(k): v for k, v in REASON_CODES.items()}


def test_every_finding_is_documented_in_its_own_words() -> None:
    assert _codes_in("mrz.md", "Findings") == {str(k): v for k, v in FINDING_CODES.items()}


def test_every_reason_why_a_picture_was_not_read_is_documented_in_its_own_words() -> None:
    assert _codes_in("reading.md", "Why not") == {str(k): v for k, v in SENTENCES.items()}
    assert set(SENTENCES) == set(Why)


def test_the_readme_tells_of_every_verdict_strongest_first() -> None:
    told = re.findall(r"^\| ([A-Z_]+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert told == [outcome.value for outcome in Outcome]


def test_every_way_of_asking_and_every_health_of_a_list_is_documented() -> None:
    text = (ROOT / "docs" / "lists.md").read_text()
    assert set(_codes_in("lists.md", "What is asked")) == {str(a) for a in AskedAs}
    assert all(f"`{health}`" in text for health in ListHealth)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text()
    named = {ROOT / path for path in PATH_IN_TEXT.findall(text)}
    linked = {(page.parent / link).resolve() for link in LINK.findall(text)}
    missing = sorted(str(path.relative_to(ROOT)) for path in named | linked if not path.exists())
    assert missing == []


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {
        found
        for page in PAGES
        for found in re.findall(r"(?:`|^)make ([a-z0-9-]+)", page.read_text(), re.MULTILINE)
    }
    assert named <= targets
    assert {"demo", "test", "check"} <= named


def commands_of(program: typer.Typer) -> set[str]:
    """Every command, those of a group as `group command`."""
    return set(_named_in(typer.main.get_group(program)))


def _named_in(group: Any) -> Iterator[str]:
    for name, command in group.commands.items():
        yield name
        found = group.imported(name) if isinstance(group, Commands) else command
        if isinstance(found, TyperGroup):
            yield from (f"{name} {one}" for one in _named_in(found))


@pytest.mark.parametrize(
    ("program", "app"), [("borderpost", box), ("borderpost-central", headquarters)]
)
def test_every_command_that_a_page_names_is_there(program: str, app: typer.Typer) -> None:
    lines = {
        line.removeprefix(f"{program} ")
        for page in PAGES
        for line in COMMAND.findall(page.read_text())
        if line.startswith(f"{program} ")
    }
    known = commands_of(app)
    groups = {name.split()[0] for name in known if " " in name}
    assert lines
    for line in lines:
        first, *rest = line.split()
        assert first in known, line
        if first in groups and rest and rest[0].isalpha() and rest[0].islower():
            assert f"{first} {rest[0]}" in known, line
