"""`docs/systems.md` tells what other systems can have, all of it, and its examples work."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from central.api.app import PREFIX
from central.settings import RepublishSettings
from central.systems import tokens
from central.systems.metrics import METRICS
from central.systems.republished import ALERT, ANSWERED
from central.systems.tokens import Scope
from scanner.alert import Message, StatsData
from tests.console.office import Office, an_office
from tests.console.sample_site import PLACES
from tests.delivery.stores import sqlite_store

PAGE = (Path(__file__).parents[2] / "docs" / "systems.md").read_text()


def section(heading: str) -> str:
    return re.split(r"^## ", PAGE.split(f"\n## {heading}\n")[1], flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    found = re.findall(r"^\| (`.*|\d.*) \|$", text, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in found]


def blocks(text: str, kind: str = "") -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("systems")
    with an_office(sqlite_store(folder), staff=False) as one:
        now = datetime.now(UTC)
        one.site.hit(now)
        one.site.status("north-1", now)
        data = StatsData(since=now, until=now, counts={"CLEAR": 9}, suppressed_below=5)
        one.site.say("north-1", Message.STATS, data, now)
        yield one


@pytest.fixture(scope="module")
def token(office: Office) -> str:
    with office.store.changing() as tx:
        return tokens.add_token(tx, "page", list(Scope), None, datetime.now(UTC))


def openapi(office: Office) -> dict[str, dict[str, dict[str, object]]]:
    paths: dict[str, dict[str, dict[str, object]]] = httpx.get(
        f"{office.url}{PREFIX}/openapi.json", timeout=20
    ).json()["paths"]
    return paths


def test_every_scope_is_told(office: Office) -> None:
    assert [row[0].strip("`") for row in rows(section("Tokens"))] == [str(scope) for scope in Scope]


def test_every_route_is_told_with_its_scope_and_its_parameters(office: Office) -> None:
    text = section("The interface")
    told = {row[0].strip("`"): row[1].strip("`") for row in rows(text) if row[0].startswith("`/")}
    routes = {}
    for path, methods in openapi(office).items():
        (need,) = methods["get"]["security"]  # type: ignore[misc, has-type]
        ((scope,),) = need.values()
        routes[path] = scope
        given = methods["get"].get("parameters", [])
        asked = [each["name"] for each in given if each["in"] == "query"]  # type: ignore[attr-defined]
        if asked:
            sentence = re.search(rf"`{path}` takes (.*?)[;.]", text, re.DOTALL)
            assert sentence
            assert re.findall(r"`(\w+)`", sentence[1]) == asked
    assert told == routes


def test_every_refusal_is_told_and_comes_about(office: Office, token: str) -> None:
    told = {
        (row[0], row[1].strip("`")) for row in rows(section("The interface")) if row[0].isdecimal()
    }
    base = f"{office.url}{PREFIX}"
    sent = {"Authorization": f"Bearer {token}"}
    with office.store.changing() as tx:
        poor = tokens.add_token(tx, "poor", [Scope.METRICS], None, datetime.now(UTC))
    answers = [
        httpx.get(f"{base}/alerts"),
        httpx.get(f"{base}/alerts", headers={"Authorization": f"Bearer {poor}"}),
        httpx.get(f"{base}/devices/nobody", headers=sent),
        httpx.post(f"{base}/alerts", headers={**sent, "Origin": office.url}),
        httpx.get(f"{base}/alerts?limit=0", headers=sent),
    ]
    came = {(str(one.status_code), one.json()["error"]["code"]) for one in answers}
    assert told == came | {("503", "store")}


def test_every_metric_is_told_with_its_kind_and_labels() -> None:
    told = {
        row[0].strip("`"): (row[1], tuple(re.findall(r"`(\w+)`", row[2])), row[3])
        for row in rows(section("Metrics"))
    }
    assert told == {name: (one.kind, one.labels, one.text) for name, one in METRICS.items()}


def test_the_rules_for_prometheus_name_metrics_that_there_are() -> None:
    scrape, rules = map(yaml.safe_load, blocks(section("Metrics"), "yaml"))
    assert scrape["scrape_configs"][0]["metrics_path"] == "/metrics"
    named = {
        name
        for rule in rules["groups"][0]["rules"]
        for name in re.findall(r"borderpost_[a-z_]+", rule["expr"])
    }
    assert named
    for name in named:
        kind = METRICS[name.removesuffix("_bucket")].kind
        assert (kind == "histogram") is name.endswith("_bucket")


def test_every_request_on_the_page_is_answered(office: Office, token: str) -> None:
    lines = [line for line in blocks(section("The interface"))[0].splitlines() if line]
    assert len(lines) == 5
    for line in lines:
        curl, option, header, url = shlex.split(line)
        assert (curl, option) == ("curl", "-H")
        name, _, value = header.replace("$TOKEN", token).partition(": ")
        parts = urlsplit(url.replace("utopia-north-1", next(iter(PLACES))))
        answer = httpx.get(f"{office.url}{parts.path}?{parts.query}", headers={name: value})
        assert answer.status_code == 200, line
        (key,) = {"alerts", "devices", "lists", "hours"} & set(answer.json())
        assert answer.json()[key], line


def test_what_is_republished_is_told_as_it_is() -> None:
    prefix = RepublishSettings().prefix
    told = {row[0].strip("`"): row[1].strip("`") for row in rows(section("Republishing"))}
    assert told == {
        f"{prefix}/alert/<device>": ALERT,
        f"{prefix}/answer/<device>": ANSWERED,
    }
