"""A page's application and how it is served: what any of ours has around its routes.

What no route answers, and what goes wrong in one, is told as any refusal is. Requests are logged by
the guard and not by the server, which would write whole queries.
"""

import logging
import socket
from collections.abc import Sequence
from os import PathLike

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from scanner.web.problem import mistake, not_found, wrong_method


def application(routes: Sequence[BaseRoute]) -> Starlette:
    """The application that has these routes."""
    made = Starlette(
        routes=routes,
        exception_handlers={HTTPException: _as_problem, Exception: _as_mistake},
    )
    made.router.redirect_slashes = False
    return made


def send_at_once(listener: socket.socket) -> None:
    """Whatever is written to a connection of `listener` leaves at once. Without it an event that
    follows another is held back by up to 40 ms, until the first is acknowledged."""
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def configured(
    app: ASGIApp,
    *,
    close_within_s: int,
    certificate: str | PathLike[str] | None = None,
    private_key: str | PathLike[str] | None = None,
) -> uvicorn.Config:
    """How `app` is served; by TLS where there is a certificate."""
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=close_within_s,
        ssl_certfile=certificate,
        ssl_keyfile=private_key,
    )


def _as_problem(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return (wrong_method() if status == 405 else not_found()).response()


def _as_mistake(_request: Request, _bug: Exception) -> Response:
    """The guard logs it."""
    return mistake().response()
