"""Every way into the kiosk's server. What only looks is answered from the display; what asks for
something goes to the desk, in a thread of its own, because the desk may have to write first."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync
from pydantic import Field
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from scanner.web.asked import Asked, json_of, query_of, whole_body
from scanner.web.page_files import PageFiles
from scanner.web.problem import Problem

if TYPE_CHECKING:
    from firmware.kiosk.server import Kiosk

PAGE = Path(__file__).parent / "page"
BODY_MOST = 4096
_SEND_WITHIN_S = 10.0
_COMMENT_EVERY_S = 3600


class InLanguage(Asked):
    lang: str | None = Field(default=None, max_length=8)


class Next(Asked):
    capture: str = Field(max_length=64)


def routes(kiosk: "Kiosk") -> list[Route]:
    """The table as Starlette takes it."""
    files = PageFiles(PAGE)

    async def page(request: Request) -> Response:
        return files.sent(request, "index.html")

    async def static(request: Request) -> Response:
        return files.sent(request, str(request.path_params["name"]))

    async def state(request: Request) -> Response:
        return JSONResponse(kiosk.state(query_of(request, InLanguage).lang))

    async def events(request: Request) -> Response:
        language = query_of(request, InLanguage).lang
        return EventSourceResponse(
            kiosk.pages.stream(lambda: kiosk.state_text(language)),
            ping=_COMMENT_EVERY_S,
            send_timeout=_SEND_WITHIN_S,
            sep="\n",
        )

    async def go_on(request: Request) -> Response:
        body = await whole_body(request, BODY_MOST)
        asked = json_of(request, body, Next)
        await run_sync(kiosk.display.dismiss, asked.capture)
        return Response(status_code=204)

    return [
        Route("/", _guarded(page)),
        Route("/static/{name}", _guarded(static)),
        Route("/kiosk/state", _guarded(state)),
        Route("/kiosk/events", _guarded(events)),
        Route("/kiosk/next", _guarded(go_on), methods=["POST"]),
    ]


def _guarded(
    answer: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            return await answer(request)
        except Problem as problem:
            return problem.response()

    return endpoint
