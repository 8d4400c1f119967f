"""The one table of what the console answers, and who may ask for it.

Whatever is not in the table is not there. Each row says which of the rights of `roles.py` are
enough, one of them; `NOBODY_YET` is for whoever is not signed in, `SIGNED_IN` for every role.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from central.console import alert_routes, answering_routes, door, page_files, view_routes
from central.console.roles import EVERY_ROLE, May, Role, may
from central.console.visit import Visit, utc_now
from central.store.database import StoreFault
from scanner.web.asked import whole_body
from scanner.web.problem import Problem, forbidden

if TYPE_CHECKING:
    from central.console.server import Console

BODY_MOST = 64 * 1024
NOBODY_YET = None
SIGNED_IN = frozenset(May)
_SIGNING_IN_AT_ONCE = 2
"""Passwords that are hashed at a time; each costs tens of MB and of milliseconds."""

Answering = Callable[[Visit], Response]


@dataclass(frozen=True)
class Way:
    """One row: a method and a path, who answers, and which rights open it."""

    method: str
    path: str
    answering: Answering
    rights: frozenset[May] | None

    def roles(self) -> frozenset[Role]:
        """The roles that may go here."""
        if self.rights is None:
            return EVERY_ROLE
        return frozenset(role for role in Role if may(role, *self.rights))


def _any(*rights: May) -> frozenset[May]:
    return frozenset(rights)


_ALERT = "/console/alerts/{device}/{id}"

TABLE: tuple[Way, ...] = (
    Way("GET", "/sign-in", door.sign_in_page, NOBODY_YET),
    Way("POST", "/sign-in", door.sign_in, NOBODY_YET),
    Way("GET", "/static/{name}", page_files.static, NOBODY_YET),
    Way("POST", "/sign-out", door.sign_out, SIGNED_IN),
    Way("GET", "/", page_files.page, SIGNED_IN),
    Way("GET", "/console/me", door.me, SIGNED_IN),
    Way("GET", "/console/events", view_routes.events, _any(May.ALERTS, May.DEVICES)),
    Way("GET", "/console/alerts", alert_routes.alerts, _any(May.ALERTS)),
    Way("GET", _ALERT, alert_routes.alert, _any(May.ALERTS, May.HISTORY)),
    Way("POST", f"{_ALERT}/answer", answering_routes.answer, _any(May.ANSWER)),
    Way("POST", f"{_ALERT}/seen", answering_routes.seen, _any(May.ESCALATIONS)),
    Way("GET", "/console/devices", view_routes.every_device, _any(May.DEVICES)),
    Way("GET", "/console/history", view_routes.past, _any(May.HISTORY)),
    Way("GET", "/console/history.csv", view_routes.export, _any(May.EXPORT)),
    Way("GET", "/console/trends", view_routes.trends, _any(May.TRENDS)),
    Way("GET", "/console/audit", view_routes.audit_trail, _any(May.AUDIT)),
)
"""Every way into the console."""


def routes(console: "Console") -> list[Route]:
    """The table as Starlette takes it."""
    signing_in = anyio.CapacityLimiter(_SIGNING_IN_AT_ONCE)
    return [
        Route(
            way.path,
            _endpoint(way, console, signing_in if way.answering is door.sign_in else None),
            methods=[way.method],
        )
        for way in TABLE
    ]


def _endpoint(
    way: Way, console: "Console", limiter: anyio.CapacityLimiter | None
) -> Callable[[Request], Awaitable[Response]]:
    """Checks who asks before `way` answers."""

    async def endpoint(request: Request) -> Response:
        try:
            body = await whole_body(request, BODY_MOST) if way.method == "POST" else b""
            return await run_sync(_answer, way, console, request, body, limiter=limiter)
        except Problem as problem:
            return problem.response()

    return endpoint


def _answer(way: Way, console: "Console", request: Request, body: bytes) -> Response:
    now = utc_now()
    try:
        someone = console.who(request.cookies.get(console.cookie), now)
        if way.rights is not None:
            if someone is None:
                return _turned_away(request)
            if not may(someone.role, *way.rights):
                raise forbidden()
        return way.answering(Visit(console, request, body, someone, now))
    except Problem as problem:
        return problem.response()
    except StoreFault:
        console.note_store_fault()
        away = Problem(503, "store", "the store does not answer; what you see may be old")
        return away.response()


def _turned_away(request: Request) -> Response:
    """Nobody is signed in: a person is shown the door, a program is told."""
    if request.url.path.startswith("/console/"):
        raise Problem(401, "signed_out", "sign in first")
    return RedirectResponse("/sign-in", 303)
