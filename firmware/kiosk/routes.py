"""Every way into the kiosk's server. What only looks is answered from the display; what asks for
something is an intent (`intents.py`)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import cv2
from anyio.to_thread import run_sync
from sse_starlette import EventSourceResponse
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from firmware.kiosk.intents import INTENTS, Intent, carry_out
from firmware.kiosk.live import BOUNDARY
from firmware.kiosk.written import moment
from firmware.officers.roles import Right
from scanner.vision.cut import Cut
from scanner.vision.level import levelled
from scanner.web.asked import Asked, json_of, query_of, whole_body
from scanner.web.page_files import PageFiles, tagged
from scanner.web.problem import Problem, forbidden, not_found

if TYPE_CHECKING:
    from firmware.kiosk.server import Kiosk

PAGE = Path(__file__).parent / "page"
BODY_MOST = 4096
_SEND_WITHIN_S = 10.0
_COMMENT_EVERY_S = 3600

_LOOKING = anyio.CapacityLimiter(1)
"""The checks of the device run one after another, whoever asks."""

Answer = Callable[["Kiosk", Request], Awaitable[Response]]


class HealthAsked(Asked):
    """Whether to look at everything anew, which takes some seconds; and the page's language."""

    again: bool = False
    lang: str | None = None


def routes(kiosk: "Kiosk") -> list[Route]:
    """The table as Starlette takes it."""
    files = PageFiles(PAGE)

    async def page(_kiosk: "Kiosk", request: Request) -> Response:
        return files.page(request)

    async def static(_kiosk: "Kiosk", request: Request) -> Response:
        return files.static(request, str(request.path_params["name"]))

    ways: dict[str, Answer] = {
        "/": page,
        "/static/{name}": static,
        "/words/{language}.json": _words,
        "/kiosk/state": _state,
        "/kiosk/events": _events,
        "/kiosk/picture/{capture}": _picture,
        "/kiosk/live": _live,
        "/kiosk/health": _health,
    }
    asking = [
        Route(f"/kiosk/{name}", _endpoint(kiosk, _intent(intent)), methods=["POST"])
        for name, intent in INTENTS.items()
    ]
    return [*(Route(path, _endpoint(kiosk, way)) for path, way in ways.items()), *asking]


async def _words(kiosk: "Kiosk", request: Request) -> Response:
    """The page's own words in one language."""
    language = str(request.path_params["language"])
    if language not in kiosk.settings.languages:
        raise not_found()
    return tagged(request, kiosk.words_text(language), "application/json")


async def _state(kiosk: "Kiosk", request: Request) -> Response:
    return Response(kiosk.state_text(_language(request)), media_type="application/json")


async def _events(kiosk: "Kiosk", request: Request) -> Response:
    """The state whenever it changes, and a beat in between."""
    language = _language(request)
    return EventSourceResponse(
        kiosk.pages.stream(lambda: kiosk.state_text(language)),
        ping=_COMMENT_EVERY_S,
        send_timeout=_SEND_WITHIN_S,
        sep="\n",
    )


async def _picture(kiosk: "Kiosk", request: Request) -> Response:
    """The lines of the document on the page, as its picture has them."""
    shown = kiosk.display.seen.shown
    wanted = str(request.path_params["capture"])
    if kiosk.hidden or shown is None or shown.capture_id != wanted:
        raise not_found()
    cut, reading = shown.examination.cut, shown.examination.reading
    if cut is None or reading is None:
        raise not_found()
    picture = await run_sync(_png, cut, reading.lines)
    return Response(picture, media_type="image/png")


def _png(cut: Cut, lines: Sequence[str]) -> bytes:
    return cv2.imencode(".png", levelled(cut, lines))[1].tobytes()


async def _live(kiosk: "Kiosk", _request: Request) -> Response:
    kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}"
    return StreamingResponse(kiosk.live.stream(), media_type=kind)


async def _health(kiosk: "Kiosk", request: Request) -> Response:
    """What the checks of the device found."""
    if kiosk.hidden or not kiosk.duty.may(Right.HEALTH):
        raise forbidden()
    again = query_of(request, HealthAsked).again
    speech = kiosk.speech(_language(request))
    findings = [
        {
            **found.as_object(),
            "line": speech.told(found.line),
            "fix": speech.told(found.fix) or None,
        }
        for found in await run_sync(lambda: list(kiosk.findings(again)), limiter=_LOOKING)
    ]
    return JSONResponse({"findings": findings, "at": moment(kiosk.now())})


def _intent(intent: Intent) -> Answer:
    async def answer(kiosk: "Kiosk", request: Request) -> Response:
        speech = kiosk.speech(_language(request))
        asked = json_of(request, await whole_body(request, BODY_MOST), intent.asked)
        return JSONResponse(await run_sync(carry_out, kiosk, intent, asked, speech))

    return answer


def _language(request: Request) -> str | None:
    """The language to answer in: the configured one where none is said, or none that there is."""
    return request.query_params.get("lang")


def _endpoint(kiosk: "Kiosk", answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    """Says a refusal in the language of the page."""

    async def endpoint(request: Request) -> Response:
        try:
            return await answer(kiosk, request)
        except Problem as problem:
            problem.message = kiosk.speech(_language(request)).told(problem.message)
            return problem.response()

    return endpoint
