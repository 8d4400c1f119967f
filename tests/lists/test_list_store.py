"""Asking a list: what matches and how surely, and that a damaged list never answers."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.mrz.document import Kind
from scanner.watchlist.activation import parts_of
from scanner.watchlist.build import Built
from scanner.watchlist.contract import (
    AskedAs,
    Certainty,
    ListDamaged,
    ListStatus,
    Match,
    Question,
)
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.skeleton import skeleton
from scanner.watchlist.store import Store, open_store
from tests.listing import KEY, built, flip

Build = Callable[..., Built]
BLANKS = "UTO,AB000100,AB000199,passport,stolen_blank,2026-02-06,"


def ask(
    number: str,
    issuer: str = "UTO",
    kind: Kind = Kind.PASSPORT,
    asked_as: AskedAs = AskedAs.NUMBER,
    exact: bool = True,
) -> Question:
    return Question(issuer, number, kind, asked_as, exact)


@pytest.fixture
def store(build: Build, folder: Path) -> Store:
    build(
        "UTO,L898902C3,,passport,stolen,2026-01-05,",
        "UTO,AB000100,AB000199,passport,stolen_blank,2026-02-06,",
        "UTO,AB000150,AB000160,passport,stolen_blank,2026-02-07,",
        "UTO,AB000150,AB000300,visa,revoked,2026-02-08,",
        "D,C01X00T47,,identity,lost,2026-03-07,",
    )
    return open_store(folder, read_manifest(folder, "sltd"), KEY)


def test_the_same_issuer_number_and_kind_is_an_exact_match(store: Store) -> None:
    assert store.look_up([ask("L898902C3")]) == (
        Match(
            "sltd",
            Certainty.EXACT,
            ListStatus.STOLEN,
            Kind.PASSPORT,
            date(2026, 1, 5),
            AskedAs.NUMBER,
        ),
    )


@pytest.mark.parametrize(
    ("question", "why"),
    [
        (ask("L8989O2C3"), "look-alike of a listed number"),
        (ask("1B9B9QZC3"), "look-alike of a listed number"),
        (ask("L898902C3", kind=Kind.VISA), "listed as another kind of document, passport"),
        (ask("L898902C3", exact=False), "the number was not read surely"),
        (
            ask("L898902C3", asked_as=AskedAs.CANDIDATE, exact=False),
            "a number that the doubtful characters may stand for is listed",
        ),
        (
            ask("L898902C3", asked_as=AskedAs.LOOK_ALIKE, exact=False),
            "a number that a camera may confuse with the one read is listed",
        ),
        (
            ask("L898902C3", asked_as=AskedAs.ISSUER_LOOK_ALIKE, exact=False),
            "listed for a State whose code differs in one letter",
        ),
        (
            ask("L898902C3", asked_as=AskedAs.NATIONALITY_AS_ISSUER, exact=False),
            "listed for the State of the holder's nationality",
        ),
    ],
)
def test_a_match_that_is_only_possible_says_why(store: Store, question: Question, why: str) -> None:
    (match,) = store.look_up([question])
    assert (match.certainty, match.why) == (Certainty.POSSIBLE, why)


@pytest.mark.parametrize(
    "question",
    [
        ask("L898902C4"),
        ask("L898902C"),
        ask("L898902C3", issuer="UTA"),
        ask("L8989O2C3", asked_as=AskedAs.LOOK_ALIKE, exact=False),
        ask("L898902C3", kind=Kind.VISA, asked_as=AskedAs.ISSUER_LOOK_ALIKE, exact=False),
        ask("AB000099"),
        ask("AB000301"),
        ask("AB0O0151"),
        ask("AB0001500"),
    ],
)
def test_what_is_not_listed_does_not_match(store: Store, question: Question) -> None:
    assert store.look_up([question]) == ()


@pytest.mark.parametrize(
    ("number", "found"),
    [
        ("AB000100", {(date(2026, 2, 6), "exact")}),
        ("AB000199", {(date(2026, 2, 6), "exact"), (date(2026, 2, 8), "possible")}),
        (
            "AB000155",
            {
                (date(2026, 2, 6), "exact"),
                (date(2026, 2, 7), "exact"),
                (date(2026, 2, 8), "possible"),
            },
        ),
        ("AB000300", {(date(2026, 2, 8), "possible")}),
    ],
)
def test_a_range_holds_both_its_ends_and_every_range_answers(
    store: Store, number: str, found: set[tuple[date, str]]
) -> None:
    matches = store.look_up([ask(number)])
    assert {(match.recorded, match.certainty.value) for match in matches} == found


def test_a_record_that_answers_several_questions_is_told_once_in_its_best_light(
    store: Store,
) -> None:
    (match,) = store.look_up(
        [
            ask("L898902C3", asked_as=AskedAs.CANDIDATE, exact=False),
            ask("L8989O2C3"),
            ask("L898902C3"),
        ]
    )
    assert (match.certainty, match.asked_as) == (Certainty.EXACT, AskedAs.NUMBER)


def test_look_alikes_and_the_number_itself_cost_one_page_together(store: Store) -> None:
    base = store._version.base
    before = base.pages_read
    matches = store.look_up([ask("L898902C3"), ask("L8989O2C3"), ask("1B9B9QZC3")])
    assert len(matches) == 1
    assert base.pages_read == before + 2, "one of keys, one of details"


numbers = st.text("0OD1IL2Z5S6G8BAC9", min_size=1, max_size=5)


@given(st.sets(numbers, min_size=1, max_size=12), st.data())
def test_the_list_answers_as_a_plain_comparison_of_every_record_would(
    tmp_path_factory: pytest.TempPathFactory, listed: set[str], data: st.DataObject
) -> None:
    place = tmp_path_factory.mktemp("list")
    low, high = sorted(data.draw(st.tuples(*[st.text("AB12", min_size=4, max_size=4)] * 2)))
    rows = [f"UTO,{number},,passport,lost,2026-01-05," for number in listed]
    rows.append(f"UTO,{low},{high},passport,stolen_blank,2026-01-06,")
    header = "issuer,number,number_to,kind,status,recorded,reference"
    (place / "s.csv").write_text("\n".join([header, *rows]) + "\n")
    built(place / "s.csv", place, as_of=datetime.now(UTC))
    store = open_store(place, read_manifest(place, "sltd"), KEY)
    number = data.draw(numbers | st.sampled_from(sorted(listed)) | st.text("AB12", min_size=4))
    found = store.look_up([ask(number)])
    ranges = [(low, high)] if low < high else []
    expected = sorted(
        [
            Certainty.EXACT if one == number else Certainty.POSSIBLE
            for one in (listed | ({low} if low == high else set()))
            if skeleton(one) == skeleton(number)
        ]
        + [Certainty.EXACT for a, b in ranges if len(a) == len(number) and a <= number <= b]
    )
    assert sorted(match.certainty for match in found) == expected
    store.close()


def test_a_flipped_bit_anywhere_is_damage_and_never_another_answer(
    build: Build, folder: Path
) -> None:
    manifest = build("UTO,L898902C3,,passport,stolen,2026-01-05,", BLANKS).manifest
    expected = open_store(folder, manifest, KEY).look_up([ask("L898902C3"), ask("AB000150")])
    assert len(expected) == 2
    damaged = 0
    for part in parts_of(folder, manifest):
        for path in sorted(part.iterdir()) if part.is_dir() else [part]:
            size = path.stat().st_size
            for place in range(0, size, max(1, size // 40)):
                flip(path, place)
                try:
                    store = open_store(folder, manifest, KEY)
                    answer = store.look_up([ask("L898902C3"), ask("AB000150")])
                    assert answer == expected
                except ListDamaged as damage:
                    assert str(path) in str(damage)
                    damaged += 1
                flip(path, place)
    assert damaged > 100
    assert open_store(folder, manifest, KEY).look_up([ask("L898902C3")])


def test_a_part_that_is_gone_is_found_at_opening(build: Build, folder: Path) -> None:
    manifest = build("UTO,L898902C3,,passport,stolen,2026-01-05,", BLANKS).manifest
    for part in parts_of(folder, manifest):
        away = part.with_name("away")
        part.rename(away)
        with pytest.raises(ListDamaged, match=part.name):
            open_store(folder, manifest, KEY)
        away.rename(part)


def test_a_list_is_not_opened_with_the_key_of_another(build: Build, folder: Path) -> None:
    manifest = build("UTO,L898902C3,,passport,stolen,2026-01-05,").manifest
    with pytest.raises(ValueError, match="is under key"):
        open_store(folder, manifest, ListKey.new())


def test_any_change_in_the_manifest_is_found(build: Build, folder: Path) -> None:
    build("UTO,L898902C3,,passport,stolen,2026-01-05,")
    path = folder / "sltd.json"
    whole = path.read_text()
    base = json.loads(whole)["base"]
    changes = [
        ('"version": 1', '"version": 2', "the manifest is damaged"),
        ('"as_of": "2026', '"as_of": "2027', "the manifest is damaged"),
        ('"records": 1', '"records": 2', "the manifest is damaged"),
        (base, base[::-1], "the manifest is damaged"),
        (base, base[1:], "this is no list's manifest"),
        ('"records": 1', '"records": -1', "this is no list's manifest"),
        ('"records": 1', '"records": "1"', "this is no list's manifest"),
        ('"format": 2', '"format": 9', "this list is of format 9, and format 2 is read here"),
        ('"format": 2', '"format": "2"', "this list is of format '2'"),
        ('"ranges"', '"rangse"', "this is no list's manifest"),
        ("}", "", "this is no list's manifest"),
    ]
    for before, after, told in changes:
        assert before in whole
        path.write_text(whole.replace(before, after))
        with pytest.raises(ListDamaged, match=told):
            read_manifest(folder, "sltd")
    for content in (b"", b"[]", b"null", b"\xff\xfe", b"[" * 30_000, b'"' + b"x" * 200_000):
        path.write_bytes(content)
        with pytest.raises(ListDamaged, match="this is no list's manifest"):
            read_manifest(folder, "sltd")


def test_the_manifest_of_another_list_is_not_taken(build: Build, folder: Path) -> None:
    build("UTO,L898902C3,,passport,stolen,2026-01-05,", name="other")
    (folder / "sltd.json").write_bytes((folder / "other.json").read_bytes())
    with pytest.raises(ListDamaged, match="the manifest is of another list"):
        read_manifest(folder, "sltd")
