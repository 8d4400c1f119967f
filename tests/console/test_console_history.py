"""Finding alerts again, and taking them away as a file."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from scanner.alert import Action, AnswerOutcome, Message, OutcomeData
from tests.console.office import Office, an_office
from tests.console.sample_site import PEOPLE
from tests.delivery.stores import new_store

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One console whose store has a few alerts, over each kind of store."""
    url = new_store(request, tmp_path_factory.mktemp("history"))
    with an_office(url) as one:
        fill(one)
        yield one


def fill(office: Office) -> None:
    """Alerts named by their numbers, the newest last."""
    hit = office.site.hit
    hit(NOW - 9 * DAY, person=PEOPLE[1], number="K7700012", device="harbour-1")
    first = hit(NOW - 8 * DAY, person=PEOPLE[2], number="C22990047", outcome="POSSIBLE")
    office.site.answer(first, NOW - 8 * DAY, AnswerOutcome.NOT_CONFIRMED, by="=omar")
    second = hit(NOW - 2 * DAY, person=PEOPLE[6], number="SPECI2021", device="bridge-1")
    office.site.answer(second, NOW - 2 * DAY, instruction='=HYPERLINK("x"),"y"')
    done = OutcomeData(
        alert=second, action=Action.OTHER, officer="@SUM", at=NOW - 2 * DAY, note="-1+1"
    )
    office.site.say("bridge-1", Message.OUTCOME, done, NOW - 2 * DAY)
    hit(NOW - DAY, person=PEOPLE[4], number="C01X0006H")
    hit(NOW - DAY / 2, person=PEOPLE[3], number="12AB34567", minutes=None)


def found(browser: httpx.Client, **query: Any) -> list[str]:
    """The numbers of what is found, newest first, read two at a time."""
    numbers: list[str] = []
    before = None
    while True:
        cursor = {} if before is None else {"before": before}
        told = browser.get("/console/history", params={"limit": 2, **query, **cursor})
        assert told.status_code == 200, told.text
        numbers += [one["document"]["number"] for one in told.json()["alerts"]]
        before = told.json()["next"]
        if before is None:
            return numbers


EVERY = ["12AB34567", "C01X0006H", "SPECI2021", "C22990047", "K7700012"]


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("", EVERY),
        ("c-2299 0047", ["C22990047"]),
        ("k77", ["K7700012"]),
        ("C", ["C01X0006H"]),  # CLEMENTINE: one letter is no number
        ("c0", ["C01X0006H"]),
        ("quill", ["K7700012"]),
        ("Mustermann Erika", ["C22990047"]),
        ("erika müstermann", ["C22990047"]),
        ("DE-VOORBEELD", ["SPECI2021"]),
        ("willeke liselotte de voorbeeld", ["SPECI2021"]),
        ("clementine", ["C01X0006H"]),
        ("nemo", ["12AB34567"]),
        ("nld", ["SPECI2021"]),
        ("D", ["SPECI2021", "C22990047"]),
        ("nobody at all", []),
        ("%", []),
        ("_", []),
        ("' OR 1=1 --", []),
    ],
)
def test_it_is_found_however_it_is_written(office: Office, typed: str, numbers: list[str]) -> None:
    with office.signed_in("ada") as browser:
        assert found(browser, q=typed) == numbers


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({"outcome": "POSSIBLE"}, ["C22990047"]),
        ({"answer": "confirmed"}, ["SPECI2021"]),
        ({"answer": "none"}, ["12AB34567", "C01X0006H", "K7700012"]),
        ({"site": "Utopia North"}, ["12AB34567", "C01X0006H", "C22990047"]),
        ({"device": "harbour-1"}, ["K7700012"]),
        ({"device": "harbour-1", "q": "nemo"}, []),
        ({"list": "sltd"}, EVERY),
        ({"list": "sl_d"}, []),
        ({"list": '"'}, []),
        ({"from": (NOW - 3 * DAY).isoformat()}, EVERY[:3]),
        ({"to": (NOW - 3 * DAY).isoformat()}, EVERY[3:]),
        ({"from": f"{NOW - 2 * DAY:%Y-%m-%d}", "to": f"{NOW - 2 * DAY:%Y-%m-%d}"}, ["SPECI2021"]),
    ],
)
def test_it_is_found_by_what_it_is(
    office: Office, query: dict[str, str], numbers: list[str]
) -> None:
    with office.signed_in("olga") as browser:
        assert found(browser, **query) == numbers


def test_it_is_found_by_its_id(office: Office) -> None:
    with office.signed_in("ada") as browser:
        alert = browser.get("/console/history").json()["alerts"][1]
        assert found(browser, q=alert["id"].upper()) == ["C01X0006H"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-11-26T03:00:00"}, "from"),
        ({"to": "2026-13-01"}, "to"),
        ({"to": "9999-12-31"}, "to"),
        ({"outcome": "CLEAR"}, "outcome"),
        ({"answer": "maybe"}, "answer"),
        ({"q": "x" * 101}, "q"),
        ({"q": "nul \x00"}, "q"),
        ({"device": "nul \x00"}, "device"),
        ({"site": "two\nlines"}, "site"),
        ({"surprise": "1"}, "unknown field"),
    ],
)
def test_a_question_that_cannot_be_is_refused_by_its_field(
    office: Office, query: dict[str, str], field: str
) -> None:
    with office.signed_in("ada") as browser:
        for path in ("/console/history", "/console/history.csv"):
            refused = browser.get(path, params=query)
            assert refused.status_code == 422
            assert refused.json()["error"]["field"] in (field, "unknown field")
        twice = browser.get("/console/history?q=a&q=b")
        assert twice.status_code == 422


def test_the_file_has_every_row_and_runs_nothing_in_a_spreadsheet(office: Office) -> None:
    with office.signed_in("ada") as browser:
        told = browser.get("/console/history.csv", params={"from": "2026-01-01"})
    assert told.headers["content-type"] == "text/csv; charset=utf-8"
    assert told.headers["content-disposition"].startswith('attachment; filename="borderpost-')
    rows = list(csv.DictReader(io.StringIO(told.text, newline="")))
    assert [row["number"] for row in rows] == EVERY
    answered = rows[2]
    assert answered["instruction"] == '\'=HYPERLINK("x"),"y"'
    assert answered["done"] == "other @SUM -1+1"
    assert (answered["answer"], answered["surname"]) == ("confirmed", "DE VOORBEELD")
    assert rows[3]["answered_by"] == "'=omar"
    for row in rows:
        assert not any(str(cell).lstrip().startswith(tuple("=+-@")) for cell in row.values())


def test_who_took_what_away_is_audited_before_the_first_line(office: Office) -> None:
    with office.signed_in("selma") as browser:
        browser.get("/console/history.csv", params={"q": "quill", "outcome": "HIT"})
        row = browser.get("/console/audit", params={"limit": 1}).json()["rows"][0]
    assert (row["actor"], row["role"], row["action"]) == ("selma", "supervisor", "exported")
    assert row["detail"] == {"q": "quill", "outcome": "HIT"}


def test_a_long_file_comes_whole(url: str) -> None:
    with an_office(url) as office:
        said = [
            office.site.said_hit(NOW - timedelta(seconds=n), number=f"N{n:05}") for n in range(1203)
        ]
        office.store.commit(said, NOW)
        with office.signed_in("ada") as browser:
            told = browser.get("/console/history.csv")
    rows = list(csv.DictReader(io.StringIO(told.text, newline="")))
    assert len({row["number"] for row in rows}) == len(rows) == 1203
