"""Requests that cannot be: each is told so in one line, and changes nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.console.office import Office, an_office
from tests.console.sample_site import open_alerts
from tests.delivery.stores import sqlite_store

CONFIRMED = {"outcome": "confirmed", "instruction": "Keep it.", "answered": None}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One console for all of this: nothing here changes anything."""
    folder = tmp_path_factory.mktemp("refusals")
    with an_office(sqlite_store(folder)) as one:
        yield one


@pytest.fixture(scope="module")
def alert(office: Office) -> str:
    """The one alert that there is."""
    return office.site.hit(datetime.now(UTC), minutes=None)


def place(alert: str, device: str = "north-1") -> str:
    return f"/console/alerts/{device}/{alert}"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"outcome": "maybe"}, "outcome"),
        ({"outcome": None}, "outcome"),
        ({"outcome": "not_confirmed"}, "reason"),
        ({"outcome": "not_confirmed", "reason": "   "}, "reason"),
        ({"reason": "x" * 281}, "reason"),
        ({"reason": 7}, "reason"),
        ({"outcome": "need_more", "instruction": " "}, "instruction"),
        ({"instruction": "x" * 501}, "instruction"),
        ({"instruction": "two\nlines"}, "instruction"),
        ({"instruction": "turned \u202e round"}, "instruction"),
        ({"instruction": "bell \u0007"}, "instruction"),
        ({"instruction": "half \ud83d"}, "instruction"),
        ({"holds_hours": 0}, "holds_hours"),
        ({"holds_hours": -1}, "holds_hours"),
        ({"holds_hours": 8761}, "holds_hours"),
        ({"holds_hours": "24"}, "holds_hours"),
        ({"holds_hours": True}, "holds_hours"),
        ({"holds_hours": 10**400}, "holds_hours"),
        ({"answered": 5}, "answered"),
        ({"answered": "x" * 65}, "answered"),
        ({"surprise": 1}, "unknown field"),
    ],
)
def test_a_field_that_cannot_be_is_named_and_nothing_is_recorded(
    office: Office, alert: str, change: dict[str, Any], field: str
) -> None:
    with office.signed_in("olga") as browser:
        sent = json.dumps({**CONFIRMED, **change})
        kind = {"content-type": "application/json"}
        refused = browser.post(f"{place(alert)}/answer", content=sent, headers=kind)
    assert refused.status_code == 422
    assert refused.json()["error"]["field"] == field
    assert office.audited() == []
    assert open_alerts(office.store) == [("north-1", alert)]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"outcome": NaN}', "application/json", 400),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b'"confirmed"', "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"outcome=confirmed", "application/x-www-form-urlencoded", 415),
    ],
)
def test_a_body_that_is_no_answer_is_refused(
    office: Office, alert: str, content: bytes, kind: str, status: int
) -> None:
    with office.signed_in("olga") as browser:
        path = f"{place(alert)}/answer"
        refused = browser.post(path, content=content, headers={"content-type": kind})
    assert refused.status_code == status
    assert refused.json()["error"]["message"]


@pytest.mark.parametrize("device", ["south-9", "%00", "x" * 200, "..%2f..", "'--"])
def test_there_is_no_answer_to_an_alert_that_is_not_there(
    office: Office, alert: str, device: str
) -> None:
    with office.signed_in("olga") as browser:
        for path in (place(alert, device), place(device)):
            assert browser.get(path).status_code == 404
            assert browser.post(f"{path}/answer", json=CONFIRMED).status_code == 404


@pytest.mark.parametrize("before", ["x", "!!!", "W10", "WzEsMl0", "a" * 401, "bnVsbA", "é"])
def test_a_cursor_that_the_console_never_gave_is_refused(office: Office, before: str) -> None:
    with office.signed_in("selma") as browser:
        for path in ("/console/alerts", "/console/history", "/console/audit"):
            refused = browser.get(path, params={"before": before})
            assert refused.status_code == 422
            assert refused.json()["error"]["field"] == "before"
