"""The routes about alerts: what waits, one of them, and the answer to it."""

from typing import Literal

from pydantic import Field
from starlette.responses import JSONResponse, Response

from central.console import alerts as lists
from central.console.alert_view import shown
from central.console.visit import Visit
from central.console.wire import written
from scanner.web.asked import Asked
from scanner.web.problem import not_found


class AlertsAsked(Asked):
    """Which alerts, how many, and behind which."""

    state: Literal["open", "answered", "all"] = "open"
    limit: int = Field(default=50, ge=1, le=lists.MOST)
    before: str | None = Field(default=None, max_length=400)


def alerts(visit: Visit) -> Response:
    """The alerts in a state."""
    asked = visit.query(AlertsAsked)
    with visit.console.store.reading() as db:
        page = lists.page(db, asked.state, asked.limit, asked.before, visit.now)
    return JSONResponse({**page, "now": written(visit.now)})


def alert(visit: Visit) -> Response:
    """One alert, whole."""
    with visit.console.store.reading() as db:
        found = shown(db, [(visit.path("device"), visit.path("id"))], visit.now)
    if not found:
        raise not_found()
    return JSONResponse(found[0])
