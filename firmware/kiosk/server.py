"""The kiosk's server: a part of the daemon, with an event loop of its own in its own thread.

It listens on this machine alone, and takes only what was sent to it under this machine's names and
by its own page. The socket is taken before anything starts, so that a port in use is one clear line
then, and not a page that never comes.
"""

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from threading import Event

import uvicorn
from starlette.types import ASGIApp

from firmware.desk import Desk
from firmware.doctor.finding import Finding
from firmware.drill import Drill
from firmware.kiosk.display import Display, Upkeep
from firmware.kiosk.live import Live
from firmware.kiosk.pages import Pages
from firmware.kiosk.routes import routes
from firmware.kiosk.view import Attending, view
from firmware.kiosk.words import Words
from firmware.kiosk.written import Json
from firmware.officers.duty import Duty
from firmware.officers.roles import Right
from firmware.record.referrals import Referrals
from firmware.settings import KioskSettings
from firmware.wellbeing import software
from scanner.sources.camera import Camera
from scanner.sources.presence import State
from scanner.web.application import application, configured, send_at_once
from scanner.web.guard import Guard

log = logging.getLogger(__name__)

_HOST = "127.0.0.1"
_CLOSE_WITHIN_S = 2
_LOOK_EVERY_S = 0.5
_NAMES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}
"""The languages, each as those who speak it call it."""
_NEEDS = {
    "typed": Right.CHECK,
    "correct": Right.CHECK,
    "referral": Right.REFER,
    "health": Right.HEALTH,
}


class CannotListen(Exception):
    """The port cannot be had; the message says why and what to do."""


@dataclass(frozen=True)
class Served:
    """What the page is about: the desk and what belongs to it, and how it all is. `findings` gives
    what the checks of the device found, anew where it is told so."""

    display: Display
    desk: Desk
    referrals: Referrals
    duty: Duty
    drill: Drill
    cameras: tuple[Camera, ...]
    upkeep: Callable[[], Upkeep]
    findings: Callable[[bool], Iterable[Finding]]
    clock: Callable[[], datetime]


class Kiosk:
    """The officer's page. Run `run(stop)` in a thread of its own. Raises CannotListen."""

    def __init__(self, settings: KioskSettings, served: Served) -> None:
        self.settings = settings
        self.display = served.display
        self.desk = served.desk
        self.referrals = served.referrals
        self.duty = served.duty
        self.drill = served.drill
        self.findings = served.findings
        self.now = served.clock
        self._cameras = served.cameras
        for language in settings.languages:
            Words.of(language)  # read now, not while a page waits
        self._upkeep = served.upkeep
        self._version = software()
        self.pages = Pages(lambda: self.display.seen.n)
        self.live = Live(served.cameras, lambda: self.hidden)
        self._listener = _listen(settings.port)
        self.address = f"http://{_HOST}:{self.port}/"
        self.display.listen(self.pages.tell)
        self.duty.listen(self.pages.tell)
        self.referrals.listen(self._refer)
        self.drill.listen(self._refer)
        for camera in self._cameras:
            camera.listen(self._watch)
        self._refer()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def hidden(self) -> bool:
        """Whether nothing of a document may be seen now."""
        return self.duty.locked or self.display.seen.blank

    def today(self) -> date:
        """The desk's day."""
        return self.now().date()

    def speech(self, language: str | None) -> Words:
        """The language of that name, or the configured one."""
        known = language if language in self.settings.languages else self.settings.language
        return Words.of(known)

    def state(self, language: str | None = None) -> Json:
        """What the page shows now."""
        words = self.speech(language)
        neutral = self.settings.words.configured
        said = view(self.display.seen, self._attending(), self.now(), words, neutral)
        return {
            **said,
            "version": self._version,
            "lang": words.language,
            "languages": [{"code": code, "name": _NAMES[code]} for code in self.settings.languages],
        }

    def state_text(self, language: str | None) -> str:
        """The same in one line."""
        return _line(self.state(language))

    def words_text(self, language: str) -> bytes:
        """The page's own words."""
        words = Words.of(language)
        told = {
            "language": language,
            "direction": words.direction,
            "text": dict(words.catalogue()),
        }
        return _line(told).encode()

    def run(self, stop: Event) -> None:
        """Serves until `stop`."""
        asyncio.run(self._serve(stop))

    def close(self) -> None:
        """Lets go of the port."""
        self._listener.close()

    async def _serve(self, stop: Event) -> None:
        self.pages.open_in(asyncio.get_running_loop())
        server = _Server(configured(self._app(), close_within_s=_CLOSE_WITHIN_S))
        serving = asyncio.create_task(server.serve(sockets=[self._listener.dup()]))
        try:
            while not stop.is_set() and not serving.done():
                await asyncio.to_thread(self._look_once, stop)
        finally:
            self.pages.close()
            server.end()
            await serving

    def _look_once(self, stop: Event) -> None:
        """Looks at what changes by itself, and waits until that is to be done again."""
        self.referrals.look()
        self.display.keep_up(self._upkeep())
        stop.wait(_LOOK_EVERY_S)

    def _refer(self) -> None:
        """Referrals have changed, or the drill."""
        rehearsed = tuple(reversed(self.drill.referrals))
        self.display.refer((*rehearsed, *self.referrals.known), self.drill.view())

    def _watch(self) -> None:
        """A camera sees something else than before."""
        states = {camera.state for camera in self._cameras}
        settling = State.SETTLING in states
        self.display.watch(coming=settling or State.MOVING in states, settling=settling)

    def _attending(self) -> Attending:
        duty = self.duty
        may = {name for name, right in _NEEDS.items() if duty.may(right)} | {"next", "blank"}
        if self.drill.may_start(duty.officer):
            may.add("drill")
        if self._cameras:
            may.add("live")
        if duty.mode != "off":
            may.add("sign_out" if duty.officer else "sign_in")
        return Attending(duty.mode, duty.officer, duty.locked, duty.refused, frozenset(may))

    def _app(self) -> ASGIApp:
        return Guard(application(routes(self)), port=self.port, level=logging.DEBUG)


class _Server(uvicorn.Server):
    """Leaves the process's signals alone: the daemon heeds them. It is woken to end, where
    uvicorn's own looks ten times a second whether to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told_to_end = asyncio.Event()

    def end(self) -> None:
        """Has it end; from its own loop."""
        self.should_exit = True
        self._told_to_end.set()

    async def main_loop(self) -> None:
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told_to_end.wait(), 1.0)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(port: int) -> socket.socket:
    try:
        listener = socket.create_server((_HOST, port), backlog=64)
    except OSError as error:
        raise CannotListen(
            f"the officer's page cannot listen on {_HOST}:{port}: {error.strerror}; "
            "set another port in [kiosk], or end what uses it"
        ) from None
    send_at_once(listener)
    return listener


def _line(told: Json) -> str:
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
