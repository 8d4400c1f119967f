"""The read-only interface as another system meets it: tokens, scopes, pages, and bad requests."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator

from central import audit
from central.api.app import PREFIX, api_app
from central.console.wire import cursor_of
from central.settings import ConsoleSettings
from central.store.store import Store
from central.systems import tokens
from central.systems.tokens import Scope
from scanner.alert import AnswerOutcome, DeviceFault, Message, StatsData, new_id
from scanner.watchlist.contract import ListHealth
from tests.console.listening import listening
from tests.console.sample_site import PEOPLE, Site, a_list
from tests.delivery.stores import sqlite_store
from tests.delivery.test_central_commands import run

NOW = datetime.now(UTC)
OPEN = ("/", "/openapi.json", "/style.css")
NEEDS = {
    "/alerts": Scope.ALERTS,
    "/alerts/{device}/{alert}": Scope.ALERTS,
    "/devices": Scope.DEVICES,
    "/devices/{device}": Scope.DEVICES,
    "/lists": Scope.DEVICES,
    "/stats": Scope.DEVICES,
}
PERSONAL = [word for person in PEOPLE for word in person[1:3] if len(word) > 3]


class Reader:
    """Another system, with a token for each scope."""

    def __init__(self, store: Store, app: FastAPI, client: httpx.Client) -> None:
        self.store, self.app, self.client = store, app, client
        self.document: dict[str, Any] = client.get("/openapi.json").json()
        self.tokens = {scope: self.token(scope.value, scope) for scope in Scope}

    def token(self, name: str, *scopes: Scope, until: datetime | None = None) -> str:
        with self.store.changing() as tx:
            return tokens.add_token(tx, name, scopes, until, datetime.now(UTC))

    def ask(self, path: str, token: str | None = None, **parameters: Any) -> Any:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.client.get(path, params=parameters or None, headers=headers)

    def read(self, path: str, **parameters: Any) -> Any:
        """What a system with the right token is told."""
        scope = Scope.ALERTS if path.startswith("/alerts") else Scope.DEVICES
        answer = self.ask(path, self.tokens[scope], **parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def trail(self) -> list[Any]:
        with self.store.reading() as db:
            return [row for row in audit.rows(db) if row["action"] == "alerts read"]


def filled(url: str) -> Site:
    """Six alerts, one answered; two devices; three hours."""
    site = Site(Store(url))
    for minutes in range(6, 0, -1):
        device = "north-1" if minutes % 2 else "harbour-1"
        site.hit(
            NOW - timedelta(minutes=minutes),
            device=device,
            outcome="HIT" if minutes > 2 else "POSSIBLE",
            person=PEOPLE[minutes],
        )
    hit = site.hit(NOW - timedelta(days=2), number="X4000001")
    site.answer(hit, NOW - timedelta(days=2), AnswerOutcome.CONFIRMED)
    lists = (a_list("sltd", NOW, ListHealth.OVER_AGE), a_list("tdawn", NOW))
    site.status("north-1", NOW, queued=3)
    fault = DeviceFault(part="camera", message="no picture for 40 s")
    site.status("harbour-1", NOW, lists=lists, faults=(fault,))
    for hours in (3, 2, 1):
        since = NOW.replace(minute=0, second=0, microsecond=0) - timedelta(hours=hours)
        until = since + timedelta(hours=1)
        counts = {"CLEAR": 40 + hours, "HIT": None}
        data = StatsData(since=since, until=until, counts=counts, suppressed_below=5)
        site.say("north-1", Message.STATS, data, until)
    return site


@contextmanager
def reading(url: str) -> Iterator[Reader]:
    store = filled(url).store
    app = api_app(store, ConsoleSettings())
    with listening(app) as base, httpx.Client(base_url=base) as client:
        yield Reader(store, app, client)
    store.close()


@pytest.fixture
def reader(url: str) -> Iterator[Reader]:
    with reading(url) as one:
        yield one


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """For tests that change nothing."""
    with reading(sqlite_store(tmp_path_factory.mktemp("api"))) as one:
        yield one


over_both_databases = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


def problem_of(answer: Any) -> dict[str, str]:
    """The one error that an answer holds, and nothing beside it."""
    body = answer.json()
    assert set(body) == {"error"}
    error: dict[str, str] = body["error"]
    assert {"code", "message"} <= set(error) <= {"code", "message", "field"}
    assert error["message"]
    assert "\n" not in error["message"]
    return error


def routes_of(document: dict[str, Any]) -> dict[str, str]:
    """Each path with the scope that it names."""
    found = {}
    for path, methods in document["paths"].items():
        assert set(methods) == {"get"}
        ((scope,),) = [list(need["token"]) for need in methods["get"]["security"]]
        found[path] = scope
    return found


def filled_in(reader: Reader, path: str) -> str:
    """`path` with names of what is there."""
    one = reader.read("/alerts")["alerts"][0]
    return path.format(device=one["device"], alert=one["id"])


# Who may read what.


def test_every_route_is_opened_by_its_one_scope_and_by_nothing_else(shared: Reader) -> None:
    told = routes_of(shared.document)
    assert told == {path: scope.value for path, scope in NEEDS.items()}
    there = {getattr(route, "path", "") for route in walk(shared.app.routes)}
    assert there == set(told) | set(OPEN)
    for path, needed in NEEDS.items():
        where = filled_in(shared, path)
        refused = shared.ask(where)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert problem_of(refused)["code"] == "token"
        for scope, token in shared.tokens.items():
            answer = shared.ask(where, token)
            assert answer.status_code == (200 if scope is needed else 403), (path, scope)
            if scope is not needed:
                assert problem_of(answer)["code"] == "scope"
                assert not any(word in answer.text for word in PERSONAL)


def walk(routes: Any) -> Iterator[Any]:
    for route in routes:
        inner = getattr(route, "routes", None) or getattr(
            getattr(route, "original_router", None), "routes", None
        )
        if inner:
            yield from walk(inner)
        else:
            yield route


def test_no_scope_but_alerts_gives_anything_of_a_document(shared: Reader) -> None:
    token = shared.tokens[Scope.DEVICES]
    for path, needed in NEEDS.items():
        if needed is Scope.DEVICES:
            text = shared.ask(path.format(device="north-1"), token).text
            assert not any(word in text for word in [*PERSONAL, "L898902C3", "X4000001"])
    assert "L898902C3" in shared.ask("/alerts", shared.tokens[Scope.ALERTS]).text


@over_both_databases
def test_a_token_counts_until_it_is_revoked_or_runs_out(reader: Reader) -> None:
    token = reader.token("dispatch", Scope.DEVICES)
    assert reader.ask("/devices", token).status_code == 200
    with reader.store.changing() as tx:
        tokens.revoke(tx, "dispatch", datetime.now(UTC))
    assert reader.ask("/devices", token).status_code == 401
    past = datetime.now(UTC) - timedelta(seconds=1)
    assert reader.ask("/devices", reader.token("old", Scope.DEVICES, until=past)).status_code == 401
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert reader.ask("/devices", reader.token("new", Scope.DEVICES, until=soon)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer borderpost_",
        "Bearer nothing",
        "Basic b2xnYTpwYXNz",
        "Bearer borderpost_" + "x" * 9000,
        "Bearer borderpost_a borderpost_b",
        "Bearer \xe4\xff",
    ],
)
def test_whatever_is_no_token_is_turned_away(shared: Reader, header: str) -> None:
    answer = shared.client.get("/alerts", headers=[(b"authorization", header.encode("latin-1"))])
    assert answer.status_code == 401
    assert problem_of(answer)["code"] == "token"


def test_a_session_s_cookie_opens_nothing_here(shared: Reader) -> None:
    answer = shared.client.get("/alerts", headers={"cookie": "borderpost=x; __Host-borderpost=x"})
    assert answer.status_code == 401


@over_both_databases
def test_reading_alerts_is_in_the_audit_trail_without_what_was_read(reader: Reader) -> None:
    page = reader.read("/alerts", site="Utopia North", limit=2)
    one = page["alerts"][0]
    reader.read(f"/alerts/{one['device']}/{one['id']}")
    reader.read("/alerts", site="Nowhere")
    reader.read("/devices")
    first, second = reader.trail()
    assert (first["actor"], first["role"]) == ("token alerts", "system")
    assert first["detail"]["alerts"] == [alert["id"] for alert in page["alerts"]]
    assert first["detail"]["asked"] == {"site": "Utopia North", "limit": 2}
    assert (second["subject"], second["detail"]) == (one["id"], {"device": one["device"]})
    text = json.dumps([first["detail"], second["detail"]])
    assert not any(word in text for word in [*PERSONAL, "L898902C3"])
    with reader.store.reading() as db:
        assert audit.verify(db) is None


def test_where_the_trail_cannot_be_written_nothing_of_a_document_leaves(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    from central.store.database import StoreFault

    def refuse(*_: object, **__: object) -> Any:
        raise StoreFault("the store refuses: disk full")

    monkeypatch.setattr(audit, "record", refuse)
    answer = reader.ask("/alerts", reader.tokens[Scope.ALERTS])
    assert answer.status_code == 503
    assert problem_of(answer)["code"] == "store"
    assert not any(word in answer.text for word in PERSONAL)


def test_the_last_use_of_a_token_is_kept(reader: Reader) -> None:
    reader.read("/devices")
    with reader.store.reading() as db:
        used = {token.name: token.used_at for token in tokens.every_token(db)}
    assert used["devices"] is not None
    assert used["alerts"] is None


# What is read.


@over_both_databases
def test_pages_lead_through_every_alert_once_the_latest_first(reader: Reader) -> None:
    every = reader.read("/alerts")["alerts"]
    assert len(every) == 7
    received = [alert["received_at"] for alert in every]
    assert received == sorted(received, reverse=True)
    seen, before = [], {}
    while True:
        page = reader.read("/alerts", limit=3, **before)
        seen += page["alerts"]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert [alert["id"] for alert in seen] == [alert["id"] for alert in every]


FILTERS: list[tuple[dict[str, str], int]] = [
    ({"device": "north-1"}, 4),
    ({"device": "nowhere"}, 0),
    ({"site": "Utopia Harbour"}, 3),
    ({"outcome": "POSSIBLE"}, 2),
    ({"answer": "confirmed"}, 1),
    ({"answer": "none"}, 6),
    ({"answer": "not_confirmed"}, 0),
    ({"list": "sltd"}, 7),
    ({"list": "tdawn"}, 0),
    ({"since": (NOW - timedelta(hours=1)).isoformat()}, 6),
    ({"until": (NOW - timedelta(hours=1)).isoformat().replace("+00:00", "Z")}, 1),
    ({"since": "2020-01-01T00:00:00Z", "until": "2020-01-02T00:00:00+01:00"}, 0),
]


@over_both_databases
def test_filters_give_the_alerts_that_fit(reader: Reader) -> None:
    for asked, count in FILTERS:
        assert len(reader.read("/alerts", **asked)["alerts"]) == count, asked


def test_one_alert_is_told_whole(shared: Reader) -> None:
    (answered,) = shared.read("/alerts", answer="confirmed")["alerts"]
    one = shared.read(f"/alerts/{answered['device']}/{answered['id']}")
    assert one == answered
    assert one["document"]["number"] == "X4000001"
    assert one["answers"][0]["outcome"] == "confirmed"
    missing = shared.ask(f"/alerts/north-2/{one['id']}", shared.tokens[Scope.ALERTS])
    assert missing.status_code == 404
    assert problem_of(missing)["code"] == "not_found"


@over_both_databases
def test_devices_lists_and_stats_are_told(reader: Reader) -> None:
    harbour, north = reader.read("/devices")["devices"]
    assert (north["device"], north["queued"], north["blind"]) == ("north-1", 3, False)
    assert (harbour["blind"], harbour["faults"][0]["part"]) == (True, "camera")
    assert reader.read("/devices/north-1")["queued"] == 3
    sltd, tdawn = reader.read("/lists")["lists"]
    assert (sltd["name"], tdawn["name"]) == ("sltd", "tdawn")
    assert sltd["versions"] == [
        {
            "version": 7,
            "as_of": harbour["lists"][0]["as_of"],
            "devices": ["harbour-1", "north-1"],
            "not_ok": ["harbour-1"],
        }
    ]
    first = reader.read("/stats", limit=2)
    rest = reader.read("/stats", limit=2, before=first["next"])
    counts = [hour["counts"] for hour in first["hours"] + rest["hours"]]
    assert counts == [{"CLEAR": 40 + hours, "HIT": None} for hours in (1, 2, 3)]
    assert rest["next"] is None
    assert reader.read("/stats", device="harbour-1")["hours"] == []


# Bad requests.


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"limit": "9" * 400}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"limit": "1e3"}, "limit"),
        ({"limit": ""}, "limit"),
        ({"limit": "-1"}, "limit"),
        ({"before": ""}, "before"),
        ({"before": "nonsense"}, "before"),
        ({"before": "A" * 401}, "before"),
        ({"before": "\u00e4"}, "before"),
        ({"before": cursor_of("a", "b", "c")}, "before"),
        ({"before": cursor_of(1, "b")}, "before"),
        ({"before": cursor_of(2**80, "b", "c")}, "before"),
        ({"before": cursor_of(1, "b\x00", "c")}, "before"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-11-24"}, "since"),
        ({"since": "2026-11-23T12:00:01"}, "since"),
        ({"since": "1764158400"}, "since"),
        ({"since": "0001-01-01T00:00:00+23:00"}, "since"),
        ({"until": "9999-12-31T23:59:59-23:00"}, "until"),
        ({"outcome": "CLEAR"}, "outcome"),
        ({"answer": "maybe"}, "answer"),
        ({"device": "a/b"}, "device"),
        ({"device": "ring"}, "device"),
        ({"site": "x" * 81}, "site"),
        ({"site": "two\nlines"}, "site"),
        ({"site": "nul\x00"}, "site"),
        ({"list": ""}, "list"),
        ({"number": "L898902C3"}, "unknown field"),
        ({"Limit": "3"}, "unknown field"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_parameter_that_cannot_be_used_is_one_clear_error(
    shared: Reader, asked: dict[str, str], field: str
) -> None:
    answer = shared.ask("/alerts", shared.tokens[Scope.ALERTS], **asked)
    assert answer.status_code == 422
    assert problem_of(answer)["field"] == field
    (value,) = asked.values()
    assert len(value) < 5 or value not in answer.text


def test_a_parameter_given_twice_is_refused(shared: Reader) -> None:
    answer = shared.ask("/alerts?limit=3&limit=4", shared.tokens[Scope.ALERTS])
    assert answer.status_code == 422
    assert "more than once" in problem_of(answer)["message"]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/alerts/", "/alerts/north-1", "/devices/north-9", "//", "/alerts/a/b/c"],
)
def test_what_is_not_there_is_said_not_to_be_there(shared: Reader, path: str) -> None:
    token = shared.tokens[Scope.DEVICES]
    base = str(shared.client.base_url).rstrip("/")
    headers = {"Authorization": f"Bearer {token}"}
    answer = shared.client.get(f"{base}{path}", headers=headers)
    assert answer.status_code == 404
    assert problem_of(answer)["code"] == "not_found"


@pytest.mark.parametrize("path", ["/alerts", "/devices", "/", "/openapi.json"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_changed_here(shared: Reader, path: str, method: str) -> None:
    token = shared.tokens[Scope.ALERTS]
    headers = {"Authorization": f"Bearer {token}"}
    answer = shared.client.request(method, path, headers=headers, json={"outcome": "confirmed"})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET"
    assert problem_of(answer)["code"] == "method"


ODD = st.one_of(
    st.text(max_size=80),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
    st.lists(st.one_of(st.integers(), st.text(max_size=9)), max_size=4).map(
        lambda place: cursor_of(*place)
    ),
    st.sampled_from(["north-1", "HIT", "none", new_id(), "\x00", "%00", "../..", "' OR 1=1 --"]),
)


def known_parameters(reader: Reader) -> list[tuple[str, list[str]]]:
    document = reader.document
    return [
        (
            path,
            [each["name"] for each in told["get"].get("parameters", []) if each["in"] == "query"],
        )
        for path, told in document["paths"].items()
    ]


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_whatever_is_asked_is_answered_or_refused_as_the_document_says(
    shared: Reader, data: st.DataObject
) -> None:
    """Every route with every parameter, and none of it an error of our own."""
    document = shared.document
    path, names = data.draw(st.sampled_from(known_parameters(shared)))
    asked = data.draw(st.dictionaries(st.sampled_from([*names, "else"]), ODD, max_size=4))
    parts = {
        part: data.draw(ODD.map(lambda text: re.sub(r"[/?#]", "x", text) or "x"))
        for part in re.findall(r"\{(\w+)\}", path)
    }
    where = path.format(**{part: quoted(text) for part, text in parts.items()})
    answer = shared.ask(where, shared.tokens[NEEDS[path]], **asked)
    assert answer.status_code in {200, 404, 422}, (where, asked, answer.text)
    assert str(answer.status_code) in document["paths"][path]["get"]["responses"]
    if answer.status_code != 200:
        problem_of(answer)


def quoted(text: str) -> str:
    from urllib.parse import quote

    return quote(text, safe="", errors="replace")


# The document, and the page that shows it.


def test_the_openapi_document_is_one_and_says_what_each_route_refuses(shared: Reader) -> None:
    document = shared.document
    OpenAPIV31SpecValidator(document).validate()
    assert document["servers"] == [{"url": PREFIX}]
    for path, methods in document["paths"].items():
        told = methods["get"]["responses"]
        assert {"200", "401", "403", "422", "503"} <= set(told), path
        assert ("404" in told) is ("{" in path)
        assert told["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Error")


class Links(HTMLParser):
    """What a page would fetch, and what it says."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in {"src", "href"} and value and not value.startswith("#"):
                self.fetched.append(value)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_every_route_and_asks_no_other_server_for_anything(shared: Reader) -> None:
    answer = shared.client.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    page = Links()
    page.feed(answer.text)
    assert set(page.fetched) == {f"{PREFIX}/style.css", f"{PREFIX}/openapi.json"}
    assert not page.tags & {"script", "style", "img", "iframe"}
    document = shared.document
    for path, methods in document["paths"].items():
        assert f"{PREFIX}{path}" in page.text
        for each in methods["get"].get("parameters", []):
            assert each["name"] in page.text
            schema = each["schema"]
            says = [part.get("description") for part in (each, schema, *schema.get("anyOf", ()))]
            assert any(text and text.replace("`", "") in page.text for text in says), each["name"]
    for name in document["components"]["schemas"]:
        assert name in page.text
    assert shared.client.get("/style.css").headers["content-type"].startswith("text/css")


# The commands.


@pytest.fixture
def config(tmp_path: Path, url: str) -> tuple[str, str]:
    path = tmp_path / "central.toml"
    path.write_text(f'[store]\nurl = "{url}"\n')
    return ("--config", str(path))


def test_a_token_is_shown_once_and_never_again(
    reader: Reader, config: tuple[str, str], url: str
) -> None:
    out, _ = run("tokens", "add", "dispatch", "--scope", "alerts", "--scope", "devices", *config)
    token = out.strip()
    assert reader.ask("/alerts", token).status_code == 200
    out, _ = run("tokens", "list", "--json", *config)
    told = {row["name"]: row for row in json.loads(out)}
    assert told["dispatch"]["scopes"] == ["alerts", "devices"]
    assert told["dispatch"]["used_at"]
    assert token not in out
    assert token.encode() not in Path(url.removeprefix("sqlite:///")).read_bytes()
    out, _ = run("tokens", "revoke", "dispatch", *config)
    assert out == "dispatch is revoked\n"
    assert reader.ask("/alerts", token).status_code == 401
    out, _ = run("tokens", "list", *config)
    assert re.search(r"^dispatch  alerts devices .*revoked 20", out, re.MULTILINE)
    with reader.store.reading() as db:
        acts = [(row["action"], row["subject"], row["detail"]) for row in audit.rows(db)]
    made = ("token added", "dispatch", {"scopes": ["alerts", "devices"], "until": None})
    assert made in acts
    assert ("token revoked", "dispatch", {}) in acts
    assert token not in str(acts)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("add", "x", "--scope", "everything"), 2, "a token is for alerts, devices, metrics"),
        (("add", "A B", "--scope", "alerts"), 1, "a token's name is"),
        (("add", "alerts", "--scope", "alerts"), 1, "there is or was a token alerts"),
        (("revoke", "nobody"), 1, "there is no token nobody to revoke"),
    ],
)
def test_wrong_use_of_the_commands_is_one_line(
    reader: Reader, config: tuple[str, str], arguments: tuple[str, ...], code: int, said: str
) -> None:
    _, lines = run("tokens", *arguments, *config, code=code)
    (line,) = [line for line in lines if not line.startswith("INFO")]
    assert said in line
