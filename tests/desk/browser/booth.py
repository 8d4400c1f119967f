"""A booth: the whole box with its page, headquarters behind a real broker, an officer's browser.

Nothing stands between the camera and the screen that does not stand there in earnest; only the
document's picture comes from a specimen's file.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from playwright.sync_api import BrowserContext, Page, expect

from central.store.store import Answer
from firmware.box import Box
from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.record.referrals import NotOpen
from firmware.settings import Settings
from scanner.alert import Action, AnswerOutcome
from scanner.sources.capture import Capture, Health, Source
from scanner.sources.replay import Replay
from scanner.watchlist.keyring import write_keys
from tests.console.browser.at_the_console import People
from tests.delivery.both_ends import HeadOffice, wait_for
from tests.delivery.broker import free_port
from tests.listing import KEY, built

TOUCH = {"width": 800, "height": 480}
MONITOR = {"width": 1280, "height": 800}
CLEAN, STOLEN, WRONG_DIGIT, LOOK_ALIKE, EMPTY_DESK, EXPIRED = 1, 2, 4, 8, 9, 11
"""Specimens of the demo, by their number."""


class Standing:
    """A device that is well and has nothing to give: what is laid down comes from the test."""

    health = Health(ok=True)

    def __init__(self, name: str) -> None:
        self.name = name

    def captures(self, stop: Event) -> Iterator[Capture]:
        stop.wait()
        yield from ()


class Booth:
    """A desk of that name. `changes` are sections of its settings, by name."""

    def __init__(
        self, folder: Path, office: HeadOffice, name: str = "desk-1", **changes: dict[str, Any]
    ) -> None:
        self.folder, self.office, self.name = folder, office, name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._changes = changes
        self._keys = office.enrol(name)
        as_of = datetime.now(UTC) - timedelta(hours=3)
        built(SPECIMENS_FOLDER / "demo-list.csv", folder / "lists", "sltd", as_of=as_of)
        write_keys(folder / "list-keys" / "sltd.key", [KEY])
        self.sources: list[Source] = [Standing("camera"), Standing("scanner")]
        self.box: Box | None = None

    def open(self, **changes: dict[str, Any]) -> "Booth":
        """Starts the box; `changes` are further changes to its settings."""
        settings = self._settings({**self._changes, **changes})
        self.box = Box(settings, sources=self.sources)
        self.box.start()
        return self

    def close(self) -> None:
        assert self.box is not None
        self.box.stop()
        self.box = None

    def lay(self, specimen: int) -> None:
        """Lays a specimen under the camera."""
        assert self.box is not None
        for capture in captures_of(specimen):
            self.box.desk.offer(capture, Event())

    def answer(self, outcome: AnswerOutcome, instruction: str) -> None:
        """Central answers the newest alert, once it has it."""
        assert self.box is not None
        alert = self.box.referrals.known[0].alert_id
        wait_for(lambda: alert in self.office.alert_ids())
        now = datetime.now(UTC)
        self.office.store.answer(Answer(alert, outcome, instruction, now + timedelta(hours=9)), now)

    def clear(self) -> None:
        """The desk as it was: nothing on it, no referral open, and central has all that it said."""
        assert self.box is not None
        for one in self.box.referrals.known:
            if one.open:
                self.box.desk.refer(one.alert_id, Action.OTHER)
            with contextlib.suppress(NotOpen):
                self.box.referrals.seen(one.alert_id)
        if self.box.drill.running:
            self.box.drill.end()
            self.box.drill.keep(False, None)
        display = self.box.kiosk.display if self.box.kiosk else None
        if display is not None and display.seen.shown is not None:
            display.dismiss(display.seen.shown.capture_id)
        wait_for(lambda: self.box and not self.box.queued)

    def _settings(self, changes: dict[str, dict[str, Any]]) -> Settings:
        sections: dict[str, Any] = {
            "device": {
                "name": self.name,
                "site": "Utopia North",
                "lane": "1",
                "data": str(self.folder / "data"),
            },
            "sources": [{"kind": "folder", "name": "replay", "path": str(self.folder)}],
            "lists": {
                "folder": str(self.folder / "lists"),
                "keys": str(self.folder / "list-keys"),
                "use": [{"name": "sltd"}],
            },
            "clock": {"trust": "machine"},
            "kiosk": {"enabled": True, "port": self.port},
            "broker": {
                "host": "127.0.0.1",
                "port": self.office.broker.port,
                "tls": False,
                "keepalive_seconds": 2,
            },
            "identity": {"folder": str(self._keys)},
        }
        for name, section in changes.items():
            sections[name] = {**sections.get(name, {}), **section}
        return Settings.model_validate(sections)


def captures_of(specimen: int) -> Iterator[Capture]:
    """The capture of a specimen, as a camera would give it."""
    return Replay([SPECIMENS_FOLDER / SPECIMENS[specimen - 1].file]).captures(Event())


def sit_down(
    people: People, booth: Booth, *, language: str = "en", until: str = ".word", **options: Any
) -> Page:
    """The page in front of an officer, once it has the desk's state."""
    page = at_the_page(people, language=language, **options).new_page()
    page.goto(booth.url)
    expect(page.locator(until)).to_be_visible()
    return page


def at_the_page(people: People, *, language: str = "en", **options: Any) -> BrowserContext:
    """A browser profile as the kiosk's browser has it, with a language chosen."""
    context = people.context(**{"viewport": TOUCH, "has_touch": True, **options})
    chosen = json.dumps(json.dumps(language))
    remembered = f"localStorage.setItem('borderpost.desk.language', {chosen})"
    context.add_init_script(f"if (location.host) {remembered}")
    return context
