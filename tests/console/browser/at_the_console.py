"""A console that really runs, and people who sit at it in a real browser."""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, expect

from central import users
from central.console.server import Console, listen, serving
from central.console.sessions import Limits, begin
from central.settings import ConsoleSettings
from central.store.store import Store
from tests.console.sample_site import PASSWORD, STAFF, Site, hashed_password
from tests.delivery.both_ends import wait_for
from tests.delivery.broker import free_port

COUNTS_SOUNDS = """
window.sounds = 0;
const begin = AudioScheduledSourceNode.prototype.start;
AudioScheduledSourceNode.prototype.start = function (...when) {
  window.sounds += 1;
  return begin.apply(this, when);
};
"""
COUNTS_ANNOUNCEMENTS = """
document.addEventListener("DOMContentLoaded", () => {
  window.announced = [];
  const region = document.getElementById("announce");
  if (region) {
    new MutationObserver(() => region.textContent && window.announced.push(region.textContent))
      .observe(region, { childList: true, characterData: true, subtree: true });
  }
});
"""


def now() -> datetime:
    return datetime.now(UTC)


class Room:
    """A store with its staff, and in `open` the console over it, in a thread of this process."""

    def __init__(self, store: Store, *, staffed: bool = False) -> None:
        self.store = store
        self.site = Site(store)
        if not staffed:
            with store.changing() as tx:
                for name, role in STAFF.items():
                    users.add_hashed(tx, name, role, hashed_password(), now())
        self.settings = ConsoleSettings(port=free_port())
        self.url = f"http://127.0.0.1:{self.settings.port}/"

    def token(self, name: str) -> str:
        """What the browser of somebody who is signed in holds."""
        limits = Limits(timedelta(hours=1), timedelta(hours=1))
        with self.store.changing() as tx:
            return begin(tx, name, limits, now())

    @contextmanager
    def open(self) -> Iterator["Room"]:
        console = Console(self.store, self.settings)
        listener = listen(self.settings)
        with serving(console, listener) as server:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                wait_for(lambda: server.started)
                yield self
            finally:
                server.should_exit = True
                thread.join(10)
                assert not thread.is_alive(), "the console did not stop"

    def process(self, config: Path) -> subprocess.Popen[bytes]:
        """The console in a process of its own, as it is started in earnest."""
        config.write_text(
            f'[store]\nurl = "sqlite:///{config.parent}/central.db"\n'
            f"[console]\nport = {self.settings.port}\n"
        )
        started = subprocess.Popen(
            [sys.executable, "-m", "central.cli", "serve", "--config", str(config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        wait_for(self._answers, within_s=30)
        return started

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.settings.port)) == 0


expect.set_options(timeout=15_000)


class People:
    """Lets people of the staff sit down at the console, each in a browser profile of their own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def context(self, **options: Any) -> BrowserContext:
        """A browser profile. What goes wrong in its pages is kept in `faults`."""
        given = {
            "viewport": {"width": 1440, "height": 900},
            "color_scheme": "dark",
            "timezone_id": "Europe/Vienna",
            "locale": "en-GB",
            **options,
        }
        context = self._browser.new_context(**given)
        context.set_default_timeout(15_000)
        context.add_init_script(COUNTS_SOUNDS)
        context.add_init_script(COUNTS_ANNOUNCEMENTS)
        context.on("weberror", lambda fault: self.faults.append(str(fault.error)))
        context.on("console", self._note)
        self._contexts.append(context)
        return context

    def sign_in(self, room: Room, name: str, **options: Any) -> Page:
        """The page of somebody who has just typed name and password, connected."""
        page = self.context(**options).new_page()
        sign_in(page, room.url, name)
        return page

    def sit_down(self, room: Room, name: str, **options: Any) -> Page:
        """The page of somebody who signed in some time ago, connected."""
        context = self.context(**options)
        context.add_cookies([{"name": "borderpost", "value": room.token(name), "url": room.url}])
        page = context.new_page()
        page.goto(room.url)
        _until_shown(page)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        assert not self.faults, self.faults

    def _note(self, message: Any) -> None:
        """A policy of the page's own that something broke is a fault."""
        if "Content Security Policy" in message.text or "TrustedHTML" in message.text:
            self.faults.append(message.text)


def sign_in(page: Page, url: str, name: str) -> None:
    """Types name and password, and waits until the page shows who is there and what there is."""
    page.goto(url)
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    _until_shown(page)


def _until_shown(page: Page) -> None:
    expect(page.locator("#who")).not_to_be_empty()
    # By what the page hides: on a small screen an empty queue has no height to be seen by.
    if page.locator("#link:not([hidden])").count():
        page.wait_for_selector("#link[data-state=on]")
    if page.locator("#alerts:not([hidden])").count():
        expect(page.locator("#queue")).not_to_be_empty()


def row(page: Page, number: str) -> Any:
    """The row of the queue about a document."""
    return page.locator(".queue .row", has_text=number)


def focused(page: Page) -> str:
    """What has the focus, as text."""
    said: str = page.evaluate("document.activeElement.textContent.trim()")
    return said


def sounds(page: Page) -> int:
    """How often the page has begun to sound."""
    count: int = page.evaluate("window.sounds")
    return count
