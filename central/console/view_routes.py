"""The routes of what is only looked at."""

from collections.abc import AsyncIterator

from pydantic import Field
from sse_starlette import EventSourceResponse
from starlette.responses import Response

from central.console.roles import MAY
from central.console.sessions import Who
from central.console.subscribers import Page, Subscribers, event_text
from central.console.visit import Asked, Visit, utc_now
from central.console.wire import written

_COMMENT_EVERY_S = 10
_SEND_WITHIN_S = 10.0


class EventsAsked(Asked):
    """The id of the event that was seen last; a page cannot set the header for it by itself."""

    last: str | None = Field(default=None, max_length=64)


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
