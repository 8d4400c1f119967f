"""A console that really listens, over a store of its own, and browsers without a window for it."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import sqlalchemy as sa

from central.console import sessions
from central.console.server import Console, listen, serving
from central.settings import ConsoleSettings
from central.store.schema import audit
from central.store.store import Store
from tests.console.sample_site import PASSWORD, Site
from tests.delivery.broker import free_port

WITHIN_S = 30.0


@dataclass
class Office:
    """Where the console is, and what it stands on."""

    console: Console
    site: Site

    @property
    def store(self) -> Store:
        return self.console.store

    @property
    def url(self) -> str:
        settings = self.console.settings
        return f"{'https' if self.console.secure else 'http'}://127.0.0.1:{settings.port}"

    def browser(self, **options: Any) -> httpx.Client:
        """A browser in which nobody is signed in, on the console's own page."""
        headers = {"origin": self.url, **options.pop("headers", {})}
        return httpx.Client(base_url=self.url, headers=headers, timeout=20, **options)

    def signed_in(self, name: str) -> httpx.Client:
        """A browser in which `name` is signed in, without the time that hashing takes."""
        browser = self.browser()
        with self.store.changing() as tx:
            token = sessions.begin(tx, name, self.console.limits, datetime.now(UTC))
        browser.cookies.set(self.console.cookie, token)
        return browser

    def sign_in(self, browser: httpx.Client, name: str, password: str = PASSWORD) -> httpx.Response:
        """What the form answers."""
        return browser.post("/sign-in", data={"name": name, "password": password})

    def audited(self) -> list[tuple[str, str, str]]:
        """Who did what to whom, in order."""
        with self.store.reading() as db:
            rows = db.execute(sa.select(audit).order_by(audit.c.n))
            return [(row.actor, row.action, row.subject) for row in rows]


@contextmanager
def an_office(url: str, *, staff: bool = True, **settings: Any) -> Iterator[Office]:
    """Serves a console over the store at `url` until the end."""
    store = Store(url)
    site = Site(store)
    if staff:
        site.staff(datetime.now(UTC))
    console = Console(store, ConsoleSettings(port=free_port(), **settings))
    console.feed.slow_every_s = 0.3
    listener = listen(console.settings)
    with serving(console, listener) as server:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Office(console, site)
        finally:
            server.should_exit = True
            thread.join(15)
    assert not thread.is_alive(), "the server did not stop"
    store.close()


class Events:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()
        self.last: str | None = None

    def next(self, *names: str) -> tuple[str, dict[str, Any]]:
        """The next event, of these names where given; whatever else comes is passed over."""
        name, data = "", ""
        deadline = time.monotonic() + WITHIN_S
        for line in self._lines:
            assert time.monotonic() < deadline, f"no {names} came within {WITHIN_S} s"
            if line.startswith("id: "):
                self.last = line.removeprefix("id: ")
            elif line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                data = line.removeprefix("data: ")
            elif not line and name:
                if not names or name in names:
                    return name, json.loads(data)
                name = data = ""
        raise AssertionError("the stream ended")

    def is_over(self) -> bool:
        """Waits until the server has ended the stream."""
        for _line in self._lines:
            pass
        return True


@contextmanager
def events(browser: httpx.Client, last: str | None = None) -> Iterator[Events]:
    """The event stream as a page opens it, behind `hello`."""
    headers = {} if last is None else {"last-event-id": last}
    with browser.stream("GET", "/console/events", headers=headers) as response:
        assert response.status_code == 200
        stream = Events(response)
        name, _ = stream.next()
        assert name == "hello"
        yield stream
