"""The routes of what is only looked at: what happens, devices, history, trends, the audit trail."""

from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field
from sse_starlette import EventSourceResponse
from starlette.responses import JSONResponse, Response, StreamingResponse

from central import audit
from central.console import audit_view, csv_export, devices, history
from central.console.roles import MAY, May, may
from central.console.sessions import Who
from central.console.subscribers import Page, Subscribers, event_text
from central.console.visit import Visit, utc_now
from central.console.wire import written
from scanner.web.asked import Asked

_COMMENT_EVERY_S = 10
_SEND_WITHIN_S = 10.0


class EventsAsked(Asked):
    """The id of the event that was seen last; a page cannot set the header for it by itself."""

    last: str | None = Field(default=None, max_length=64)


class TrendsAsked(Asked):
    """How many days back."""

    days: Literal["1", "7", "30"] = "1"


class AuditAsked(Asked):
    """A page of the audit trail."""

    limit: int = Field(default=50, ge=1, le=200)
    before: str | None = Field(default=None, max_length=100)


class Nothing(Asked):
    """No parameters."""


def events(visit: Visit) -> Response:
    """What changes, as it happens."""
    asked = visit.query(EventsAsked)
    last = visit.request.headers.get("last-event-id") or asked.last or ""
    return EventSourceResponse(
        _stream(visit.console.feed.pages, visit.who, last),
        ping=_COMMENT_EVERY_S,
        send_timeout=_SEND_WITHIN_S,
        sep="\n",
    )


def every_device(visit: Visit) -> Response:
    """The devices and how they are."""
    visit.query(Nothing)
    with visit.console.store.reading() as db:
        known = devices.known(db)
    views = [devices.view(one, visit.console.settings, visit.now) for one in known]
    return JSONResponse({"devices": views, "now": written(visit.now)})


def past(visit: Visit) -> Response:
    """A page of the history."""
    asked = visit.query(history.HistoryAsked)
    with visit.console.store.reading() as db:
        page = history.page(db, asked, asked.limit, asked.before, visit.now)
    return JSONResponse({**page, "now": written(visit.now)})


def export(visit: Visit) -> Response:
    """The history as a file. That it was taken, and what was asked, stands in the audit trail
    before the first line leaves."""
    asked = visit.query(history.Filter)
    who, store = visit.who, visit.console.store
    with store.changing() as tx:
        role, detail = who.role.value, asked.told()
        audit.record(tx, who.name, role, "exported", "history", detail, visit.now)
    name = f"borderpost-alerts-{visit.now:%Y%m%dT%H%M%SZ}.csv"
    return StreamingResponse(
        csv_export.written(store, asked, visit.now),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def trends(visit: Visit) -> Response:
    """Counts and times of the last days."""
    days = int(visit.query(TrendsAsked).days)
    sees_alerts = may(visit.who.role, May.ALERTS, May.HISTORY)
    return JSONResponse(visit.console.trends.of(days, visit.now, sees_alerts=sees_alerts))


def audit_trail(visit: Visit) -> Response:
    """A page of the audit trail, and whether its chain holds."""
    asked = visit.query(AuditAsked)
    with visit.console.store.reading() as db:
        page = audit_view.page(db, asked.limit, asked.before)
        intact = visit.console.chain.is_intact(db)
    return JSONResponse({**page, "intact": intact})


async def _stream(pages: Subscribers, who: Who, last: str) -> AsyncIterator[bytes]:
    page = Page(who, MAY[who.role])
    place, resumes = pages.join(page, last)
    try:
        yield event_text("hello", _now(resumes), None if resumes else place)
        async for text in page.texts():
            yield text or event_text("ping", _now())
    finally:
        pages.leave(page)


def _now(resumes: bool | None = None) -> str:
    told = "" if resumes is None else f',"resumed":{str(resumes).lower()}'
    return f'{{"now":"{written(utc_now())}"{told}}}'
