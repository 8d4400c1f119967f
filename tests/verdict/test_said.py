"""A sentence that remembers its template is a plain text to everybody but a translator."""

import copy
import json
import pickle
from collections.abc import Callable

import pytest

from scanner.mrz.document import KINDS, Kind
from scanner.said import Said, Value, counted, joined, listed, retold, said, sentence
from scanner.terms import ANSWERS, STATUSES
from scanner.watchlist.contract import ListDamaged, ListStatus


class _Shouting:
    """A language in which every template is its own in capitals, and values stand in brackets."""

    def template(self, template: str) -> str:
        return "".join(
            part if part.startswith("{") else part.upper()
            for part in template.replace("{", "\0{").replace("}", "}\0").split("\0")
        )

    def counted(self, one: str, many: str, count: int) -> str:
        return self.template(one if count == 1 else many)

    def quoted(self, value: Value) -> str:
        return f"[{value}]"


def test_it_is_its_english_text() -> None:
    told = said("the {field} is wrong (line {line})", field=said("date of birth"), line=2)
    assert told == "the date of birth is wrong (line 2)"
    assert json.dumps([told]) == json.dumps([str.__str__(told)])
    assert {told: 1}["the date of birth is wrong (line 2)"] == 1


def test_it_is_said_again_with_what_is_in_it_and_what_is_printed_stays() -> None:
    told = said("the {field} is wrong: {text}", field=said("date"), text="P<UTO{x}")
    assert retold(told, _Shouting()) == "THE DATE IS WRONG: [P<UTO{x}]"
    assert retold("a text of somebody's", _Shouting()) == "a text of somebody's"


@pytest.mark.parametrize(("count", "told"), [(1, "1 day"), (2, "2 days"), (0, "0 days")])
def test_it_counts(count: int, told: str) -> None:
    days = counted("{count} day", "{count} days", count)
    assert days == told
    assert retold(days, _Shouting()) == told.upper().replace(str(count), f"[{count}]")


def test_a_sentence_of_its_own_is_one_in_any_language() -> None:
    assert sentence(said("the name is cut")) == "The name is cut."
    assert sentence(said("is it cut.")) == "Is it cut."
    assert sentence("") == ""
    assert sentence("no translation") == "No translation."
    assert retold(sentence(said("{n} lines", n=3)), _Shouting()) == "[3] LINES."


def test_parts_are_joined_and_empty_ones_left_out() -> None:
    parts = (said("one"), "", said("two"), said("three"))
    assert joined(parts) == "one; two; three"
    assert retold(joined(parts), _Shouting()) == "ONE; TWO; THREE"
    assert listed([said("one"), said("two")]) == "one, two"
    assert joined(()) == listed(()) == ""


def _pickled(told: Said) -> Said:
    again = pickle.loads(pickle.dumps(told))  # noqa: S301
    assert isinstance(again, Said)
    return again


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, _pickled])
def test_a_copy_can_still_be_said_again(again: Callable[[str], str]) -> None:
    told = again(sentence(counted("{count} line of {list}", "{count} lines", 1, list="a")))
    assert retold(told, _Shouting()) == "[1] LINE OF [a]."


def test_an_exception_made_with_it_gives_it_back_also_inside_another_one() -> None:
    inner = ListDamaged(said("page {n} is damaged", n=3))
    outer = said("list {list}: {why}", list="a", why=inner)
    assert retold(outer, _Shouting()) == "LIST [a]: PAGE [3] IS DAMAGED"
    assert not any(isinstance(value, BaseException) for value in outer.values.values())


def test_every_code_that_an_officer_sees_has_its_word() -> None:
    assert {kind: str(word) for kind, word in KINDS.items()} == {kind: kind.value for kind in Kind}
    assert {status: str(word) for status, word in STATUSES.items()} == {
        status: status.value.replace("_", " ") for status in ListStatus
    }
    assert {code: str(word) for code, word in ANSWERS.items()} == {
        code: code.replace("_", " ") for code in ("confirmed", "not_confirmed", "need_more")
    }
