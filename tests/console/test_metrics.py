"""`/metrics` as Prometheus reads it: its form, its conventions, and nothing of a person in it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from central.answering import answers as answering
from central.answering.answers import Answer
from central.store.counters import add_counts, observed
from central.systems import tokens
from central.systems.metrics import METRICS
from central.systems.tokens import Scope
from scanner.alert import AnswerOutcome, DeviceFault, Message, RolloutData, UpdateOutcome
from scanner.watchlist.contract import ListHealth
from tests.console.office import Office, an_office, events
from tests.console.sample_site import PEOPLE, a_list
from tests.delivery.stores import sqlite_store

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
UNITS = ("seconds", "messages", "events", "pages", "total", "info")
PERSONAL = [word for person in PEOPLE for word in person[1:3] if len(word) > 3]


def token_for(office: Office, *scopes: Scope) -> str:
    with office.store.changing() as tx:
        return tokens.add_token(tx, "-".join(scopes), scopes, None, datetime.now(UTC))


def scrape(office: Office, token: str, **headers: str) -> httpx.Response:
    return httpx.get(
        f"{office.url}/metrics", headers={"Authorization": f"Bearer {token}", **headers}, timeout=20
    )


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The metrics of a site where something of everything has happened."""
    folder = tmp_path_factory.mktemp("metrics")
    with an_office(sqlite_store(folder), staff=False) as office:
        fill(office)
        answer = scrape(office, token_for(office, Scope.METRICS))
    assert answer.status_code == 200
    return answer.text


def fill(office: Office) -> None:
    site, now = office.site, datetime.now(UTC)
    open_one = site.hit(now - timedelta(minutes=3), minutes=60)
    site.hit(now - timedelta(minutes=9), minutes=2, outcome="POSSIBLE")
    answered = site.hit(now - timedelta(seconds=42), device="harbour-1")
    for outcome in (AnswerOutcome.NEED_MORE, AnswerOutcome.CONFIRMED):
        site.answer(answered, now, outcome)
    site.hit(now, device="harbour-1", skip=4)
    assert open_one
    lists = (a_list("sltd", now - timedelta(days=4), ListHealth.OVER_AGE),)
    fault = DeviceFault(part="camera", message="no picture for 40 s")
    site.status("north-1", now, queued=3, refused=2)
    site.status(
        "harbour-1",
        now,
        lists=lists,
        faults=(fault,),
        certificate_until=now + timedelta(days=6),
    )
    for device, outcome in (
        ("north-1", UpdateOutcome.CURRENT),
        ("harbour-1", UpdateOutcome.FAILED),
    ):
        said = RolloutData(list="sltd", ring="all", outcome=outcome, code="disk", at=now)
        site.say(device, Message.ROLLOUT, said, now)
    with office.store.changing() as tx:
        counts = {("received", "alert"): 4, ("refused", "signature"): 2, ("alerts", "HIT"): 3}
        add_counts(tx, counts)
        for seconds in (0.004, 0.004, 0.3, 99.0):
            add_counts(tx, observed("store", seconds, (0.005, 0.5)))


def samples(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in plain(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[f"borderpost_{name}", tuple(sorted(labels.items()))]


def test_every_metric_is_there_with_its_kind_labels_and_help(text: str) -> None:
    families = {family.name: family for family in plain(text)}
    for name, told in METRICS.items():
        family = families[name.removesuffix("_total") if told.kind == "counter" else name]
        assert (family.type, family.documentation) == (told.kind, told.text)
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(told.labels), name
    ours = {name for name in families if name.startswith("borderpost_")}
    assert ours == {name.removesuffix("_total") for name in METRICS}


def test_names_keep_to_prometheus_conventions() -> None:
    for name, told in METRICS.items():
        assert re.fullmatch(r"borderpost_[a-z]+(_[a-z]+)*", name)
        assert name.endswith("_total") is (told.kind == "counter"), name
        assert told.kind != "histogram" or name.endswith(UNITS), name
        assert not re.search(r"_(days|hours|minutes|ms|count|sum|bucket)(_|$)", name), name
        assert told.text.endswith(".")
        assert all(re.fullmatch(r"[a-z]+", label) for label in told.labels)


def test_what_is_counted_is_what_happened(text: str) -> None:
    assert value(text, "alerts_open") == 3
    assert value(text, "alerts_overdue") == 1
    assert value(text, "alerts_total", outcome="HIT") == 3
    assert value(text, "answers_total", outcome="confirmed") == 1
    assert value(text, "answers_total", outcome="need_more") == 1
    assert value(text, "answers_waiting") == 1
    assert value(text, "answer_seconds_count") == 1, "only the first answer to an alert"
    assert value(text, "answer_seconds_sum") == pytest.approx(42, abs=1)
    assert value(text, "answer_seconds_bucket", le="30") == 0
    assert value(text, "answer_seconds_bucket", le="60") == 1
    assert value(text, "messages_received_total", message="alert") == 4
    assert value(text, "messages_refused_total", reason="signature") == 2
    buckets = [value(text, "store_seconds_bucket", le=le) for le in ("0.005", "0.5", "+Inf")]
    assert buckets == [2, 3, 4]
    assert value(text, "store_seconds_sum") == pytest.approx(99.308)


def test_each_device_is_told_of_by_its_name(text: str) -> None:
    assert value(text, "device_online", device="north-1") == 1
    assert value(text, "device_blind", device="north-1") == 0
    assert value(text, "device_queued_messages", device="north-1") == 3
    assert value(text, "device_refused_messages", device="north-1") == 2
    assert value(text, "device_list_ok", device="north-1", list="sltd") == 1
    assert value(text, "device_list_version", device="north-1", list="sltd") == 7
    assert value(text, "device_list_update_ok", device="north-1", list="sltd") == 1
    assert value(text, "device_list_update_ok", device="harbour-1", list="sltd") == 0
    assert value(text, "device_blind", device="harbour-1") == 1
    assert value(text, "device_missing_messages", device="harbour-1") == 4
    assert value(text, "device_faults", device="harbour-1") == 1
    assert value(text, "device_list_ok", device="harbour-1", list="sltd") == 0
    age = value(text, "device_list_age_seconds", device="harbour-1", list="sltd")
    assert age == pytest.approx(4 * 86400, abs=60)
    left = value(text, "device_certificate_left_seconds", device="harbour-1")
    assert left == pytest.approx(6 * 86400, abs=60)


def test_nothing_of_a_person_or_a_document_is_told(text: str) -> None:
    assert not any(word in text for word in [*PERSONAL, "L898902C3", "camera", "omar"])


def test_the_pages_that_are_open_are_counted(office: Office) -> None:
    token = token_for(office, Scope.METRICS)
    assert value(scrape(office, token).text, "console_pages") == 0
    with office.signed_in("olga") as browser, events(browser):
        told = scrape(office, token).text
    assert value(told, "console_pages") == 1
    assert value(told, "console_waiting_events") == 0


def test_openmetrics_is_given_to_whoever_asks_for_it(office: Office) -> None:
    fill(office)
    answer = scrape(office, token_for(office, Scope.METRICS), Accept=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert {family.name for family in openmetrics(answer.text)} >= {
        name.removesuffix("_total") for name in METRICS
    }


def test_a_token_with_the_scope_is_needed_and_nothing_else_will_do(office: Office) -> None:
    assert httpx.get(f"{office.url}/metrics").status_code == 401
    assert scrape(office, token_for(office, Scope.ALERTS, Scope.DEVICES)).status_code == 403
    with office.signed_in("selma") as browser:
        answer = browser.get("/metrics")
    assert answer.status_code == 401
    assert set(answer.json()) == {"error"}


@pytest.fixture
def open_office(url: str) -> Iterator[Office]:
    with an_office(url, staff=False, metrics_open_to_loopback=True) as one:
        yield one


def test_this_machine_needs_none_where_it_is_configured_so(open_office: Office) -> None:
    answer = httpx.get(f"{open_office.url}/metrics")
    assert answer.status_code == 200
    assert value(answer.text, "alerts_open") == 0
    assert httpx.get(f"{open_office.url}/api/v1/devices").status_code == 401


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_postgresql_tells_the_same(office: Office) -> None:
    fill(office)
    text = scrape(office, token_for(office, Scope.METRICS)).text
    assert value(text, "alerts_open") == 3
    assert value(text, "answer_seconds_count") == 1
    assert value(text, "messages_received_total", message="alert") == 4


def test_a_store_that_is_away_is_said_to_be(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    from central.store.database import StoreFault

    token = token_for(office, Scope.METRICS)

    def refuse(**_: Any) -> Any:
        raise StoreFault("the store refuses: it is gone")

    monkeypatch.setattr(office.store, "reading", refuse)
    answer = scrape(office, token)
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "store"


def test_the_interface_is_mounted_beside_the_console(office: Office) -> None:
    fill(office)
    token = token_for(office, Scope.ALERTS)
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"{office.url}/api/v1/alerts", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert len(answer.json()["alerts"]) == 4
    assert answer.headers["cache-control"] == "no-store"
    page = httpx.get(f"{office.url}/api/v1/")
    assert page.status_code == 200
    assert "style-src 'self'" in page.headers["content-security-policy"]
    assert httpx.get(f"{office.url}/api/v1/style.css").status_code == 200
    missing = httpx.get(f"{office.url}/api/v1/nothing", headers=headers)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")


def test_an_answer_again_is_no_first_answer(office: Office) -> None:
    now = datetime.now(UTC)
    hit = office.site.hit(now - timedelta(seconds=5))
    for _ in range(3):
        answer = Answer(hit, AnswerOutcome.CONFIRMED, "", now + timedelta(hours=1), "olga", "sure")
        with office.store.changing() as tx:
            answering.record(tx, answer, now)
    text = scrape(office, token_for(office, Scope.METRICS)).text
    assert value(text, "answers_total", outcome="confirmed") == 3
    assert value(text, "answer_seconds_count") == 1
    assert value(text, "alerts_open") == 0
