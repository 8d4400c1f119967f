"""What stands between the network and a page's routes: one ASGI application around all.

A request passes in this order, and the first that does not hold ends it: the host it was sent to
is ours (else another site could be made to resolve to us); a change comes from our own page (by
Sec-Fetch-Site or Origin: a cookie alone proves nothing about who wrote the request). What else a
request must have is the routes' own affair.

Every answer leaves with headers that keep it out of caches, frames and other origins. An error of
our own is one line in the log, without its text: that could quote a document.
"""

import logging
import time
import traceback
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from scanner.said import said
from scanner.web.problem import Problem, mistake

log = logging.getLogger(__name__)

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
NO_STORE = "no-store"
STRICT_TRANSPORT = "max-age=31536000"
OWN_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_SAFE = frozenset({"GET", "HEAD"})
_OURS = frozenset({"scanner", "firmware", "central"})


class Guard:
    """Around `app`. `hosts` are the names we go by besides those of this machine itself; with
    `port`, a request must have been sent to that port, too. Each request is a line in the log at
    `level`."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        *,
        secure: bool = False,
        port: int | None = None,
        level: int = logging.INFO,
    ) -> None:
        self._app = app
        self._hosts = OWN_HOSTS | {host.lower() for host in hosts}
        self._secure = secure
        self._port = port
        self._level = level

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        outgoing = _Outgoing(scope, send, secure=self._secure, level=self._level)
        try:
            problem = self._problem(scope)
            if problem is None:
                await self._app(scope, receive, outgoing)
            else:
                await problem.response()(scope, receive, outgoing)
        except Exception as bug:
            await outgoing.after(bug, receive)
        finally:
            outgoing.log()

    def _problem(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host, port = _host_of(headers.getlist("host"))
        if host not in self._hosts or (self._port is not None and port != self._port):
            return Problem(421, "host", said("this page is not reached under this name"))
        if scope["method"] not in _SAFE and not self._is_ours(headers):
            return Problem(403, "origin", said("this did not come from our own page"))
        return None

    def _is_ours(self, headers: Headers) -> bool:
        """Whether our own page sent it. A browser says so in two ways; neither may deny it, and
        one must be there."""
        own = f"{'https' if self._secure else 'http'}://{headers['host']}".lower()
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        if site is not None and site != "same-origin":
            return False
        if origin is not None and origin.lower() != own:
            return False
        return site is not None or origin is not None


class _Outgoing:
    """The answer on its way out, with our headers on it."""

    def __init__(self, scope: Scope, send: Send, *, secure: bool, level: int) -> None:
        self._scope = scope
        self._send = send
        self._secure = secure
        self._level = level
        self._status: int | None = None
        self._begun = time.monotonic()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
            if self._secure:
                headers["strict-transport-security"] = STRICT_TRANSPORT
            headers.setdefault("cache-control", NO_STORE)
        await self._send(message)

    async def after(self, bug: Exception, receive: Receive) -> None:
        """Something of ours went wrong: said without its words, and answered where that is still
        possible."""
        log.error("an error of our own: %s", name_of(bug))
        if self._status is None:
            await mistake().response()(self._scope, receive, self)
        # else the server cuts the connection, and the page notices that its answer is not whole

    def log(self) -> None:
        """The request in one line, without its query."""
        client = self._scope.get("client") or ("?", 0)
        log.log(
            self._level,
            "%s %s %s %s %.0f ms",
            client[0],
            self._scope["method"],
            _printable(self._scope["path"]),
            self._status or "-",
            (time.monotonic() - self._begun) * 1000,
        )


def _host_of(given: list[str]) -> tuple[str | None, int | None]:
    """The host of the one Host header, and its port."""
    if len(given) != 1:
        return None, None
    try:
        parts = urlsplit(f"//{given[0]}")
        port = parts.port
    except ValueError:
        return None, None
    if parts.path or parts.query or parts.fragment or parts.username is not None:
        return None, None
    return parts.hostname, port


def name_of(bug: Exception) -> str:
    """What kind of error it is, and the last line of ours that it came by; not its text, which
    could quote a document."""
    for frame in reversed(traceback.extract_tb(bug.__traceback__)):
        if _OURS & set(Path(frame.filename).parts):
            return f"{type(bug).__name__} in {Path(frame.filename).name}:{frame.lineno}"
    return f"{type(bug).__name__} in a library"


def _printable(path: str) -> str:
    return path if path.isprintable() and len(path) <= 200 else "(a path that is none of ours)"
