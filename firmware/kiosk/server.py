"""The kiosk's server: a part of the daemon, with an event loop of its own in its own thread.

It listens on this machine alone, and takes only what was sent to it under this machine's names and
by its own page. The socket is taken before anything starts, so that a port in use is one clear line
then, and not a page that never comes.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from threading import Event

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from firmware.kiosk.display import Display, Upkeep
from firmware.kiosk.pages import Pages
from firmware.kiosk.routes import routes
from firmware.kiosk.view import Json, view
from firmware.settings import KioskSettings
from scanner.web.guard import Guard
from scanner.web.problem import mistake, not_found, wrong_method

log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_CLOSE_WITHIN_S = 2
_LOOK_EVERY_S = 0.5


class CannotListen(Exception):
    """The port cannot be had; the message says why and what to do."""


class Kiosk:
    """The officer's page. Run `run(stop)` in a thread of its own. Raises CannotListen."""

    def __init__(
        self,
        settings: KioskSettings,
        display: Display,
        upkeep: Callable[[], Upkeep],
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self.display = display
        self.pages = Pages()
        self._upkeep = upkeep
        self._clock = clock
        self._listener = _listen(settings.port)
        self.address = f"http://{_HOST}:{self.port}/"
        display.listen(self.pages.tell)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    def state(self, language: str | None) -> Json:
        """What the page shows now."""
        said = view(self.display.seen, self._clock(), lambda text: text)
        return {**said, "languages": list(self.settings.languages)}

    def state_text(self, language: str | None) -> str:
        """The same in one line."""
        return json.dumps(self.state(language), ensure_ascii=False, separators=(",", ":"))

    def run(self, stop: Event) -> None:
        """Serves until `stop`."""
        asyncio.run(self._serve(stop))

    def close(self) -> None:
        """Lets go of the port."""
        self._listener.close()

    async def _serve(self, stop: Event) -> None:
        self.pages.open_in(asyncio.get_running_loop())
        server = _Server(_config(self._app()))
        serving = asyncio.create_task(server.serve(sockets=[self._listener.dup()]))
        try:
            while not stop.is_set() and not serving.done():
                await asyncio.to_thread(self._look)
                await asyncio.sleep(_LOOK_EVERY_S)
        finally:
            self.pages.close()
            server.should_exit = True
            await serving

    def _look(self) -> None:
        self.display.keep_up(self._upkeep())

    def _app(self) -> ASGIApp:
        inner = Starlette(
            routes=routes(self),
            exception_handlers={HTTPException: _as_problem, Exception: _as_mistake},
        )
        inner.router.redirect_slashes = False
        return Guard(inner, port=self.port, level=logging.DEBUG)


class _Server(uvicorn.Server):
    """Leaves the process's signals alone: the daemon heeds them."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(port: int) -> socket.socket:
    try:
        return socket.create_server((_HOST, port), backlog=64)
    except OSError as error:
        raise CannotListen(
            f"the officer's page cannot listen on {_HOST}:{port}: {error.strerror}; "
            "set another port in [kiosk], or end what uses it"
        ) from None


def _config(app: ASGIApp) -> uvicorn.Config:
    logging.getLogger("uvicorn.access").disabled = True  # the guard logs
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_CLOSE_WITHIN_S,
    )


def _as_problem(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return (wrong_method() if status == 405 else not_found()).response()


def _as_mistake(_request: Request, _bug: Exception) -> Response:
    """The guard logs it."""
    return mistake().response()
