"""The interface as one ASGI application, to be mounted at `PREFIX` in the console's server.

A request is refused in this order: by its token, by the token's scopes, by its parameters. Every
refusal is the same small JSON object, and nothing of the request is said again in it.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from central.api.page import page_routes
from central.api.routes import router
from central.settings import ConsoleSettings
from central.store.database import StoreFault
from central.store.store import Store
from scanner.web.problem import Problem, bad_field, not_found

PREFIX = "/api/v1"
_DESCRIPTION = """What central holds, for other systems to read: alerts, devices, the lists in the
field, and hourly counts. Nothing can be changed here. Times are RFC 3339 in UTC.

`alerts` carries the data of travel documents; a token for it is for systems that may hold that."""


def api_app(store: Store, settings: ConsoleSettings) -> FastAPI:
    """The interface to `store`."""
    app = FastAPI(
        title="Borderpost central",
        version=release(),
        description=_DESCRIPTION,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.store, app.state.settings = store, settings
    app.include_router(router)
    app.include_router(page_routes(app.openapi))
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(StoreFault, _away)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _other)
    return app


def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101  it is handled for nothing else
    return error.response()


def _away(_request: Request, _error: Exception) -> Response:
    return Problem(503, "store", "the store does not answer; ask again later").response()


def _invalid(_request: Request, error: Exception) -> Response:
    """The first parameter that cannot be used, by its name where it is one of ours."""
    first: dict[str, Any] = {}
    if isinstance(error, RequestValidationError):
        first = dict(error.errors()[0])
    place = first.get("loc", ())
    known = first.get("type") != "extra_forbidden" and len(place) > 1
    message = str(first.get("msg", "cannot be used")).removeprefix("Value error, ")
    if not known:
        return bad_field("unknown field", "there is no such parameter").response()
    return bad_field(str(place[1]), message).response()


def _other(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 405:
        headers = {"Allow": "GET"}
        return Problem(405, "method", "here is only read: GET", headers=headers).response()
    if status == 404:
        return not_found().response()
    return JSONResponse({"error": {"code": "request", "message": "it cannot be read"}}, status)


def release() -> str:
    """Which release of ours this is."""
    try:
        return version("borderpost")
    except PackageNotFoundError:
        return "unknown"
