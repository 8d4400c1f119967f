"""`borderpost-central serve`: the console's server, put together and run.

Starlette answers requests in threads, for the store is read by blocking calls; one more thread
watches the store and tells every open page what changed (`feed.py`). Beyond this machine it
listens with TLS only, unless told openly to do without.
"""

import ipaddress
import logging
import signal
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from threading import Event, Thread, current_thread, main_thread

import uvicorn
from starlette.types import ASGIApp

from central.console import sessions
from central.console.audit_view import Chain
from central.console.feed import Feed
from central.console.routes import routes
from central.console.sign_in import SignIn
from central.console.trends import Trends
from central.settings import ConsoleSettings
from central.store import changes
from central.store.store import Store
from central.systems import routes as systems
from scanner.command_line import Failure, Refusal
from scanner.web.application import application, configured, send_at_once
from scanner.web.guard import Guard

log = logging.getLogger(__name__)

_CLOSE_WITHIN_S = 3
_QUEUE = 512
_TO_STOP = (signal.SIGTERM, signal.SIGINT)


class Console:
    """What the routes share."""

    def __init__(self, store: Store, settings: ConsoleSettings) -> None:
        self.store = store
        self.settings = settings
        self.secure = settings.certificate is not None
        self.cookie = "__Host-borderpost" if self.secure else "borderpost"
        self.limits = sessions.Limits(
            timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours)
        )
        with store.changing(quietly=True) as tx:
            changes.install(tx)
        self.sign_in = SignIn(store, self.limits)
        self.chain = Chain()
        self.trends = Trends(store)
        self.feed = Feed(store, settings, self.limits)
        self.version = _version()
        self._store_is_away = False

    def who(self, token: str | None, now: datetime) -> sessions.Who | None:
        """Who holds `token`. Raises StoreFault."""
        if not token or len(token) > 100:
            return None
        with self.store.reading() as db:
            who = sessions.who(db, token, self.limits, now)
        self._store_is_away = False
        if who is not None and who.used_at < now.timestamp() * 1000 - sessions.NOTED_EVERY_MS:
            with self.store.changing(quietly=True) as tx:
                sessions.note_use(tx, [who.session], now)
        return who

    def note_store_fault(self) -> None:
        """The store refused; said once until it answers again."""
        if not self._store_is_away:
            self._store_is_away = True
            log.warning("the store does not answer; pages are told so until it does")

    def app(self) -> ASGIApp:
        """The whole application."""
        inner = application(
            [
                *routes(self),
                *systems.ways(self.store, self.settings, self.feed.pages.load),
            ]
        )
        hosts = {self.settings.host, *self.settings.names}
        return Guard(inner, hosts, secure=self.secure)


@contextmanager
def serving(console: Console, listener: socket.socket) -> Iterator[uvicorn.Server]:
    """A server for `console` whose feed runs beside it; `run` it."""
    stop = Event()
    feed = Thread(target=console.feed.run, args=(stop,), name="feed")
    server = _Server(_config(console), console.feed)
    feed.start()
    try:
        yield server
    finally:
        stop.set()
        console.feed.close()
        feed.join()
        listener.close()


def listen(settings: ConsoleSettings) -> socket.socket:
    """The socket that `settings` asks for. Raises Refusal and Failure."""
    _refuse_plain_text(settings)
    try:
        found = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        family, _, _, _, address = found[0]
        listener = socket.create_server(address[:2], family=family, backlog=_QUEUE)
    except OSError as error:
        where = f"{settings.host}:{settings.port}"
        raise Failure(f"the console cannot listen on {where}: {error.strerror}") from None
    send_at_once(listener)
    return listener


def _refuse_plain_text(settings: ConsoleSettings) -> None:
    certificate, key = settings.certificate, settings.private_key
    if (certificate is None) != (key is None):
        raise Refusal("[console] certificate and private_key stand together or not at all")
    if certificate is not None and key is not None:
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "no match"
            raise Refusal(f"{certificate} and {key} cannot be used for TLS: {why}") from None
    elif not _is_loopback(settings.host) and not settings.plain_beyond_loopback:
        raise Refusal(
            f"the console does not listen on {settings.host} without TLS: set certificate and "
            "private_key in [console], or plain_beyond_loopback = true to do without"
        )
    if _is_any(settings.host) and not settings.names:
        raise Refusal(
            f"the console listens on {settings.host}, which no browser asks for: say in [console] "
            "names which names it is reached by"
        )


class _Server(uvicorn.Server):
    """Ends the open event streams first: they would never end by themselves."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """A signal to stop is obeyed and then done with: the command ends as any other does."""
        if current_thread() is not main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _TO_STOP}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._feed.close()
        await super().shutdown(sockets)


def _config(console: Console) -> uvicorn.Config:
    settings = console.settings
    return configured(
        console.app(),
        close_within_s=_CLOSE_WITHIN_S,
        certificate=settings.certificate,
        private_key=settings.private_key,
    )


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _version() -> str:
    try:
        return version("borderpost")
    except PackageNotFoundError:
        return "unknown"
