"""Every route of the console, every role: who may go where."""

import re
from collections.abc import Iterator

import httpx
import pytest

from central.console.roles import EVERY_ROLE, May, Role, may
from central.console.routes import NOBODY_YET, TABLE, Way
from tests.console.office import Office, an_office
from tests.console.sample_site import STAFF
from tests.delivery.stores import sqlite_store

OF_ROLE = {role: name for name, role in STAFF.items() if name != "omar"}
ROUTES = [pytest.param(way, id=f"{way.method} {way.path}") for way in TABLE]

# What the product promises, written down once more and not taken from the code.
PROMISED = {
    "GET /": set(Role),
    "POST /sign-out": set(Role),
    "GET /console/me": set(Role),
    "GET /console/events": {Role.OPERATOR, Role.SUPERVISOR, Role.TECHNICIAN},
    "GET /console/alerts": {Role.OPERATOR, Role.SUPERVISOR},
    "GET /console/alerts/{device}/{id}": {Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR},
    "POST /console/alerts/{device}/{id}/answer": {Role.OPERATOR, Role.SUPERVISOR},
    "POST /console/alerts/{device}/{id}/seen": {Role.SUPERVISOR},
    "GET /console/devices": {Role.OPERATOR, Role.SUPERVISOR, Role.TECHNICIAN},
    "GET /console/history": {Role.OPERATOR, Role.SUPERVISOR, Role.AUDITOR},
    "GET /console/history.csv": {Role.SUPERVISOR, Role.AUDITOR},
    "GET /console/trends": set(Role),
    "GET /console/audit": {Role.SUPERVISOR, Role.AUDITOR},
}
OPEN = {"GET /sign-in", "POST /sign-in", "GET /static/{name}"}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """One console for all of this: nothing here changes anything."""
    folder = tmp_path_factory.mktemp("walk")
    with an_office(sqlite_store(folder)) as one:
        yield one


def ask(browser: httpx.Client, way: Way) -> int:
    """The status that the way gives, with parts of a path that nothing is called by."""
    path = re.sub(r"\{\w+\}", "none", way.path)
    body = {"json": {}} if way.method == "POST" else {}
    with browser.stream(way.method, path, **body) as response:  # type: ignore[arg-type]
        return response.status_code


def test_the_table_is_what_was_promised() -> None:
    told = {f"{way.method} {way.path}": set(way.roles()) for way in TABLE}
    assert {path: roles for path, roles in told.items() if path not in OPEN} == PROMISED
    assert {f"{way.method} {way.path}" for way in TABLE if way.rights is NOBODY_YET} == OPEN


@pytest.mark.parametrize("way", ROUTES)
def test_every_route_lets_in_the_roles_of_the_table_and_nobody_else(
    office: Office, way: Way
) -> None:
    for role in EVERY_ROLE:
        with office.signed_in(OF_ROLE[role]) as browser:
            status = ask(browser, way)
        assert (status != 403) == (role in way.roles()), (role, status)
        assert status < 500


@pytest.mark.parametrize("way", ROUTES)
def test_whoever_is_not_signed_in_comes_no_further_than_the_form(office: Office, way: Way) -> None:
    with office.browser() as browser:
        status = ask(browser, way)
        if way.rights is NOBODY_YET:
            assert status not in (401, 403)
        elif way.path.startswith("/console/"):
            assert status == 401
        else:
            assert status == 303


@pytest.mark.parametrize(
    "path",
    [
        "/console",
        "/console/",
        "/console/me/",
        "/console/nothing",
        "/console/alerts/a",
        "/console/alerts/a/b/c",
        "/static/",
        "/static/../server.py",
        "/static/..%2fserver.py",
        "/static/index.html",
        "/static/sign-in.html",
        "/docs",
        "/openapi.json",
        "/admin",
        "/.env",
    ],
)
def test_what_is_not_in_the_table_is_not_there_for_anybody(office: Office, path: str) -> None:
    for name in STAFF:
        with office.signed_in(name) as browser:
            assert browser.get(path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_a_route_answers_to_its_own_method_alone(office: Office, method: str) -> None:
    with office.signed_in("selma") as browser:
        for path in ("/console/alerts", "/console/history.csv", "/", "/console/audit"):
            assert browser.request(method, path).status_code == 405


def test_a_technician_sees_nothing_of_any_document() -> None:
    assert not may(Role.TECHNICIAN, May.ALERTS, May.HISTORY, May.EXPORT, May.AUDIT, May.ANSWER)
