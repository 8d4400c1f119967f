"""The enrolment service: devices ask here for a certificate, and for the next one before it ends.

HTTPS on a port of its own, with a certificate of the authority. A device that has not yet pinned
the authority asks for it first, without believing the answer, and holds it against the fingerprint
in its token; only then does it say the token, over a connection that it has verified.

Whoever is refused is counted and told why in one line, and so is the log. Whoever is refused too
often from one address has to wait: a token cannot be guessed in a lifetime anyway, but nobody is to
keep the authority busy.
"""

import logging
import signal
import socket
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from central.brokers.files import refresh_all
from central.enrolment.authority import TLS_CERTIFICATE, TLS_KEY, Authority
from central.enrolment.certificates import AuthorityFault
from central.enrolment.enrolling import Enrolment, EnrolmentRefused
from central.enrolment.files import issue_server
from central.settings import EnrolmentSettings
from scanner.alert import KeyFault
from scanner.alert.enrolment import MAX_MESSAGE

log = logging.getLogger(__name__)

MAX_BODY = 2 * MAX_MESSAGE
REFUSALS, WITHIN_S = 10, 60.0
"""After so many refusals within this time an address has to wait."""
_ADDRESSES = 4096
_SERVICE = "enrolment"
_CLOSE_WITHIN_S = 3
_NO_CHATTER = logging.WARNING


class TooOften(Exception):
    """This address was refused too often."""


class Limits:
    """How often each address was refused of late; the addresses that were longest quiet are
    forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused: OrderedDict[str, deque[float]] = OrderedDict()

    def check(self, address: str) -> None:
        """Raises TooOften."""
        times = self._refused.get(address)
        if times is None:
            return
        while times and times[0] <= self._clock() - WITHIN_S:
            times.popleft()
        if len(times) >= REFUSALS:
            raise TooOften

    def note(self, address: str) -> None:
        """One refusal."""
        self._refused.setdefault(address, deque(maxlen=REFUSALS)).append(self._clock())
        self._refused.move_to_end(address)
        while len(self._refused) > _ADDRESSES:
            self._refused.popitem(last=False)


class Service:
    """The routes; `refused` counts by code."""

    def __init__(
        self, authority: Authority, enrolment: Enrolment, on_enrolled: Callable[[str], None]
    ) -> None:
        self._authority = authority
        self._enrolment = enrolment
        self._on_enrolled = on_enrolled
        self._limits = Limits()
        self.refused: Counter[str] = Counter()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/authority", self._root, methods=["GET"]),
                Route("/v1/enrol", self._enrol, methods=["POST"]),
                Route("/v1/renew", self._renew, methods=["POST"]),
            ]
        )

    async def _root(self, request: Request) -> Response:
        pem = await run_in_threadpool(self._authority.certificates.root_pem)
        return Response(pem, media_type="application/x-pem-file")

    async def _enrol(self, request: Request) -> Response:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return await self._answer(request, lambda body: self._enrolled(token, body))

    async def _renew(self, request: Request) -> Response:
        return await self._answer(request, self._enrolment.renew)

    def _enrolled(self, token: str, body: bytes) -> bytes:
        device, answer = self._enrolment.enrol(token, body)
        log.info("%s is enrolled", device)
        self._on_enrolled(device)
        return answer

    async def _answer(self, request: Request, give: Callable[[bytes], bytes]) -> Response:
        """What `give` makes of the body, or why not."""
        address = request.client.host if request.client is not None else ""
        try:
            self._limits.check(address)
            body = await _body(request)
            answer = await run_in_threadpool(give, body)
        except TooOften:
            self._count("too often", address, None)
            return _error(429, "too often", "refused too often; try again in a minute")
        except EnrolmentRefused as refused:
            self._limits.note(address)
            self._count(refused.code, address, refused.device)
            return _error(403, refused.code, str(refused))
        except (KeyFault, AuthorityFault, OSError) as fault:
            log.error("nobody can be enrolled: %s", fault)
            return _error(503, "fault", "the authority cannot answer now; look at its log")
        return Response(answer, media_type="application/jose")

    def _count(self, code: str, address: str, device: str | None) -> None:
        self.refused[code] += 1
        count = self.refused[code]
        if code != "too often" or str(count).strip("0") == "1":
            who = f"{device} at {address}" if device else address
            log.warning("refused %s: %s, %d so far", who, code, count)


def serve(
    settings: EnrolmentSettings,
    authority: Authority,
    folder: Path,
    on_enrolled: Callable[[str], None] = lambda device: None,
) -> None:
    """Serves until SIGTERM or SIGINT; `on_enrolled` is told of each device. Raises KeyFault,
    AuthorityFault or OSError."""
    authority.make()
    mine = folder / "service"
    issue_server(authority, _SERVICE, settings.names or [_reached_as(settings.host)], mine)
    enrolment = Enrolment(
        authority, folder, settings.grace, lambda: _tell_brokers(authority, settings)
    )
    service = Service(authority, enrolment, on_enrolled)
    config = uvicorn.Config(
        service.app(),
        ssl_certfile=str(mine / TLS_CERTIFICATE),
        ssl_keyfile=str(mine / TLS_KEY),
        log_level=_NO_CHATTER,
        access_log=False,
        server_header=False,
        limit_concurrency=200,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=_CLOSE_WITHIN_S,
    )
    server = uvicorn.Server(config)
    listening = _listening(settings.host, settings.port)
    log.info("enrolling at https://%s:%d", settings.host, settings.port)
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn stops by itself, and then sends itself the signal again, which is to end nothing.
        signal.signal(number, lambda *_: None)
    server.run([listening])


def _tell_brokers(authority: Authority, settings: EnrolmentSettings) -> None:
    """Has the brokers on this machine follow; one that cannot keeps nobody from being enrolled."""
    try:
        for line in refresh_all(authority, settings.brokers):
            log.info("%s", line)
    except (KeyFault, AuthorityFault) as fault:
        log.error("a broker does not follow: %s", fault)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise AuthorityFault(f"{host}:{port}: cannot listen there: {error.strerror}") from None


def _reached_as(host: str) -> str:
    """A name for an address that is every address."""
    return socket.gethostname() if host in ("0.0.0.0", "::") else host  # noqa: S104


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise EnrolmentRefused("oversize", "the request is too long")
    return bytes(body)


def _error(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
