"""Trends, and what they never tell."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from scanner.alert import Message, StatsData
from tests.console.office import Office, an_office
from tests.console.sample_site import PEOPLE
from tests.delivery.stores import new_store

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def office(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One console over each kind of store, with some hours and some hits."""
    url = new_store(request, tmp_path_factory.mktemp("trends"))
    with an_office(url) as one:
        fill(one, datetime.now(UTC))
        yield one


def fill(office: Office, now: datetime) -> None:
    hour = now.replace(minute=0, second=0, microsecond=0)
    for device in ("north-1", "harbour-1"):
        office.site.status(device, now)
    counted(office, "north-1", hour - 3 * HOUR, {"CLEAR": 90, "HIT": None, "POSSIBLE": 0})
    counted(office, "harbour-1", hour - 3 * HOUR, {"CLEAR": 11, "HIT": None})
    counted(office, "harbour-1", hour - 2 * HOUR, {"CLEAR": None, "HIT": None})
    counted(office, "north-1", hour - 50 * HOUR, {"CLEAR": 7})
    for n, seconds in enumerate((10, 20, 40, 90, 400, 4000)):
        at = hour - 3 * HOUR + timedelta(minutes=n)
        alert = office.site.hit(at, number=f"N{n}", person=PEOPLE[2 if n else 0])
        office.site.answer(alert, at + timedelta(seconds=seconds))
    office.site.hit(hour - 2 * HOUR, outcome="POSSIBLE", device="harbour-1", minutes=1)


def counted(office: Office, device: str, since: datetime, counts: dict[str, int | None]) -> None:
    stats = StatsData(since=since, until=since + HOUR, counts=counts, suppressed_below=5)
    office.site.say(device, Message.STATS, stats, since + HOUR)


def trends(office: Office, name: str, days: int = 1) -> dict[str, Any]:
    with office.signed_in(name) as browser:
        told = browser.get("/console/trends", params={"days": days})
    assert told.status_code == 200
    return dict(told.json())


def hours(told: dict[str, Any]) -> list[tuple[int | None, int | None, int | None]]:
    """The latest four hours."""
    rows = [(row["scans"], row["hits"], row["possible"]) for row in told["hours"]]
    return rows[-4:]


def test_scans_come_from_the_devices_and_hits_from_the_alerts(office: Office) -> None:
    told = trends(office, "olga")
    assert len(told["hours"]) == 24
    assert hours(told) == [(101, 6, 0), (None, 0, 1), (None, 0, 0), (None, 0, 0)]
    assert told["checkpoints"] == [
        {"site": "Utopia Harbour", "scans": 11, "hits": 0, "possible": 1},
        {"site": "Utopia North", "scans": 90, "hits": 6, "possible": 0},
    ]
    assert told["issuers"] == [
        {"issuer": "D", "name": "Germany", "hits": 5, "possible": 0},
        {"issuer": "UTO", "name": "Utopia (specimens)", "hits": 1, "possible": 1},
    ]


def test_a_week_looks_further_back_than_a_day(office: Office) -> None:
    told = trends(office, "ada", 7)
    assert len(told["hours"]) == 7 * 24
    assert sum(row["scans"] or 0 for row in told["hours"]) == 108


def test_answer_times_are_from_arrival_to_the_first_answer(office: Office) -> None:
    told = trends(office, "selma")
    counts = {row["upto_s"]: row["count"] for row in told["answer_times"]}
    assert counts == {30: 2, 60: 1, 120: 1, 300: 0, 600: 1, 1800: 0, 3600: 0, None: 1}
    assert (told["median_s"], told["p90_s"]) == (65.0, 4000.0)
    assert told["answered"] == 6


def test_whoever_may_not_look_at_alerts_learns_no_small_count_and_no_state(
    office: Office,
) -> None:
    told = trends(office, "tom")
    assert told["issuers"] == []
    assert hours(told) == [(101, 6, 0), (None, 0, None), (None, 0, 0), (None, 0, 0)]
    assert told["checkpoints"][0]["possible"] is None


@pytest.mark.parametrize("days", ["0", "2", "31", "x", "-1", "1e3"])
def test_only_a_day_a_week_or_a_month_can_be_asked_for(office: Office, days: str) -> None:
    with office.signed_in("olga") as browser:
        refused = browser.get("/console/trends", params={"days": days})
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "days")
