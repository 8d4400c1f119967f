"""What the console does when something fails, or when somebody sends it anything at all."""

import json
import logging
import string
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.console.roles import Role
from central.console.routes import TABLE
from central.store.schema import alerts
from tests.console.office import Office, an_office, events
from tests.console.sample_site import STAFF
from tests.delivery.both_ends import wait_for
from tests.delivery.postgres import Cluster
from tests.delivery.stores import sqlite_store


def now() -> datetime:
    return datetime.now(UTC)


def test_while_the_database_is_away_the_page_is_told_so_and_goes_on_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with (
        Cluster(durable=True) as cluster,
        an_office(cluster.database()) as office,
        office.signed_in("olga") as browser,
        events(browser) as stream,
    ):
        first = office.site.hit(now(), number="BEFORE")
        assert stream.next("alert")[1]["id"] == first
        cluster.stop()
        for path in ("/console/alerts", "/console/me", "/console/history", "/console/trends"):
            away = browser.get(path)
            assert away.status_code == 503
            assert away.json()["error"]["code"] == "store"
        sent = {"outcome": "confirmed", "answered": None}
        answer = browser.post(f"/console/alerts/north-1/{first}/answer", json=sent)
        assert answer.status_code == 503
        assert office.sign_in(browser, "omar").status_code == 503
        cluster.start()
        wait_for(lambda: browser.get("/console/alerts").status_code == 200)
        second = office.site.hit(now(), number="AFTER")
        assert stream.next("alert")[1]["id"] == second
        assert browser.get(f"/console/alerts/north-1/{first}").json()["answers"] == []
    said = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert said
    assert all("\n" not in line for line in said)
    assert len(said) < 20


def test_a_mistake_of_ours_is_one_line_in_the_log_and_says_nothing_of_a_document(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    alert = office.site.hit(now())
    broken = {"document": "L898902C3 ERIKSSON"}  # no release of ours has stored this
    with office.store.changing() as tx:
        tx.execute(alerts.update().values(data=broken))
    with office.signed_in("olga") as browser:
        for path in ("/console/alerts", f"/console/alerts/north-1/{alert}"):
            told = browser.get(path)
            assert told.status_code == 500
            assert told.json()["error"]["code"] == "error"
            assert "ERIKSSON" not in told.text
        assert browser.get("/console/me").status_code == 200
    said = [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert sum("an error of our own: KeyError in" in one.getMessage() for one in said) == 2
    assert all(one.exc_info is None and "\n" not in one.getMessage() for one in said)
    assert "ERIKSSON" not in caplog.text
    assert "Traceback" not in caplog.text


def test_a_row_that_cannot_be_shown_does_not_end_the_feed(office: Office) -> None:
    office.site.hit(now(), number="BROKEN")
    with office.signed_in("olga") as browser, events(browser) as stream:
        with office.store.changing() as tx:
            tx.execute(alerts.update().values(data={"nothing": 1}, seen_at=1))
        after = office.site.hit(now(), number="AFTER")
        assert stream.next("alert")[1]["id"] == after


def test_a_file_that_breaks_off_is_seen_to_break_off(office: Office) -> None:
    said = [office.site.said_hit(now(), number=f"N{n:04}") for n in range(700)]
    office.store.commit(said, now())
    with office.store.changing() as tx:
        oldest = sa.select(sa.func.min(alerts.c.id)).scalar_subquery()
        tx.execute(alerts.update().where(alerts.c.id == oldest).values(data={"nothing": 1}))
    with office.signed_in("ada") as browser, pytest.raises(httpx.RemoteProtocolError):
        browser.get("/console/history.csv")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def browsers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[Role, httpx.Client]]:
    """By role, at one console over each kind of store, with an alert."""
    if request.param == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        url = cluster.database()
    else:
        url = sqlite_store(tmp_path_factory.mktemp("fuzz"))
    with an_office(url) as one:
        one.site.hit(now())
        found = {role: one.signed_in(name) for name, role in STAFF.items()}
        yield found
        for browser in found.values():
            browser.close()


NAMES = [
    *("q", "from", "to", "outcome", "answer", "site", "device", "list", "limit", "before"),
    *("state", "days", "last", "reason", "instruction", "holds_hours", "answered", "name"),
    *("password", "x"),
]
LIKELY = ["", "0", "1", "50", "open", "HIT", "confirmed", "2026-11-26", "W10", "north-1", "null"]
TEXTS = st.one_of(
    st.sampled_from(LIKELY),
    st.text(max_size=40),
    st.text(st.sampled_from(string.printable + "\x00\x7f\u202e\ufffe\U0010ffff"), max_size=200),
)
FIELDS = st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(max_size=80),
    JSON.map(lambda value: json.dumps(value).encode()),
    FIELDS.map(lambda fields: str(httpx.QueryParams(fields)).encode()),
)
KINDS = st.sampled_from(
    ["application/json", "application/x-www-form-urlencoded", "text/plain", "", "x/y; charset=é"]
)


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.TECHNICIAN])
@given(data=st.data())
@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_nothing_that_anybody_sends_makes_the_console_fail(
    browsers: dict[Role, httpx.Client], role: Role, data: st.DataObject
) -> None:
    way = data.draw(st.sampled_from([way for way in TABLE if way.path != "/sign-out"]))
    path = way.path
    for part in ("{device}", "{id}", "{name}"):
        path = path.replace(part, quote(data.draw(TEXTS), safe=""))
    options: dict[str, Any] = {"params": data.draw(FIELDS)}
    if way.method == "POST":
        kind = data.draw(KINDS).encode()
        options |= {"content": data.draw(BODIES), "headers": [(b"content-type", kind)]}
    with browsers[role].stream(way.method, path, **options) as response:
        assert response.status_code < 500, response.read()
