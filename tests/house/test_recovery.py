"""The recoveries that are measured are those that the documents tell of."""

import ast
import re
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

from benchmarks.recovering.command import LOSSES, markdown
from benchmarks.recovering.course import Course, NotRecovered

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "benchmarks" / "recovering").glob("*.py"))
WORDS = re.compile(r"[a-z]+")


def _commands(tree: ast.Module) -> Iterator[str]:
    """The commands of headquarters that a recovery gives, as far as their words are plain."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
            if call.func.attr not in ("central", "start"):
                continue
            words = [one.value if isinstance(one, ast.Constant) else "" for one in call.args]
            plain = list(takewhile(lambda word: WORDS.fullmatch(str(word)), words))
            if plain:
                yield " ".join(map(str, plain[:2]))


def test_every_command_of_a_recovery_stands_in_the_documents() -> None:
    pages = " ".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))
    told = set(re.findall(r"borderpost-central ([a-z]+(?: [a-z]+)?)", pages))
    told |= set(re.findall(r"`((?:enrol|broker|keys|lists) [a-z]+)", pages))
    given = {command for path in MODULES for command in _commands(ast.parse(path.read_text()))}
    assert {"restore", "enrol token", "keys rotate", "broker config"} <= given
    assert sorted(given - told - {word.split()[0] for word in told}) == []


def test_the_table_tells_of_each_loss_and_of_what_was_not_measured() -> None:
    course = Course()
    with course.step("borderpost-central restore FILE"):
        course.hold("every alert is at central", True)
    with pytest.raises(NotRecovered, match="an answer"):
        course.hold("an answer is unchanged", False)
    told = markdown({"broker-gone": course}, {"stolen": "not asked for"})
    assert "| borderpost-central restore FILE | 0.0 |" in told
    assert "- every alert is at central" in told
    assert "**stolen**: not measured: not asked for" in told
    assert all(f"**{name}**" in told for name in LOSSES)
    assert "Not measured: a network" in told
