"""A desk with its page's server, and a browser's part of the wire: what a page asks and is sent."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import httpx

from firmware.clock import machine_clock
from firmware.kiosk.display import Display, Upkeep
from firmware.kiosk.server import Kiosk, Served
from firmware.officers.duty import Duty, duty_of
from firmware.record.journal import Journal
from firmware.settings import KioskSettings, OfficerSettings
from scanner.alert import AnswerData, AnswerOutcome
from scanner.sources.camera import Camera
from scanner.sources.capture import Capture, Health
from tests.delivery.broker import free_port
from tests.desk.desk_fixture import WholeDesk

Json = dict[str, Any]
WITHIN_S = 10.0


class KioskDesk:
    """A desk that runs, without a link, and its page's server."""

    def __init__(
        self,
        folder: Path,
        officers: OfficerSettings | None = None,
        cameras: tuple[Camera, ...] = (),
        **settings: Any,
    ) -> None:
        self.display = Display(timedelta(seconds=settings.pop("hold_seconds", 60)))
        self.settings = KioskSettings(enabled=True, port=free_port(), **settings)
        self._officers = officers or OfficerSettings(file=folder / "officers.json")
        self.whole = WholeDesk(folder, [self.display], self._on_duty)
        self.sources = {"scanner": Health(True)}
        self.faults: tuple[str, ...] = ()
        self.whole.referrals.restore(timedelta(days=1))
        self.served = Served(
            display=self.display,
            desk=self.whole.desk,
            referrals=self.whole.referrals,
            duty=self.duty,
            drill=self.whole.drill,
            cameras=cameras,
            upkeep=self._upkeep,
            findings=lambda again: [],
            clock=lambda: datetime.now(UTC),
        )
        self.kiosk = Kiosk(self.settings, self.served)
        self.address = self.kiosk.address.rstrip("/")
        self.browser = httpx.Client(base_url=self.address, headers={"origin": self.address})
        self._parts: list[tuple[threading.Thread, Event]] = []

    def start(self) -> None:
        """Starts the desk and its page."""
        for run in (self.whole.desk.run, self.kiosk.run):
            stop = Event()
            thread = threading.Thread(target=run, args=(stop,), name=run.__qualname__)
            thread.start()
            self._parts.append((thread, stop))

    def restart_server(self) -> None:
        """The page's server ends and begins anew, as a part that died does."""
        self._end(self._parts.pop())
        stop = Event()
        thread = threading.Thread(target=self.kiosk.run, args=(stop,))
        thread.start()
        self._parts.append((thread, stop))

    def stop(self) -> None:
        """As a daemon that is told to."""
        self.browser.close()
        for _, stop in self._parts:
            stop.set()
        while self._parts:
            self._end(self._parts.pop())
        self.kiosk.close()
        for file in (self.whole.outbox, self.whole.answers, self.whole.journal):
            file.close()

    def state(self, language: str = "en") -> Json:
        """What the page shows."""
        answer = self.browser.get("/kiosk/state", params={"lang": language})
        assert answer.status_code == 200
        told: Json = answer.json()
        return told

    def post(self, intent: str, **fields: Any) -> httpx.Response:
        """Asks for something as the page does."""
        return self.browser.post(f"/kiosk/{intent}", params={"lang": "en"}, json=fields)

    def put(self, capture: Capture) -> Json:
        """A document comes to the desk; the state that tells of it."""
        before = self.state()["capture"]
        self.whole.desk.offer(capture, Event())
        return self.until(lambda state: state["capture"] not in (None, before))

    def until(self, holds: Callable[[Json], bool]) -> Json:
        """The first state of which that holds."""
        return until(lambda: (state := self.state()) and holds(state) and state)

    def entered(self, alert: str) -> str:
        """How the document was entered, as central is told."""
        told = self.whole.outbox.alert(alert)
        assert told is not None
        return told.entered

    def answer(self, alert: str, instruction: str = "") -> None:
        """Central confirms."""
        now = datetime.now(UTC)
        self.whole.desk.answered(
            AnswerData(
                device="desk-1",
                counter=1,
                alert=alert,
                outcome=AnswerOutcome.CONFIRMED,
                instruction=instruction,
                at=now,
                until=now + timedelta(hours=1),
            )
        )

    def _end(self, part: tuple[threading.Thread, Event]) -> None:
        thread, stop = part
        stop.set()
        thread.join(WITHIN_S)
        assert not thread.is_alive()

    def _on_duty(self, journal: Journal) -> Duty:
        self.duty = duty_of(self._officers, journal, lambda: datetime.now(UTC))
        return self.duty

    def _upkeep(self) -> Upkeep:
        return Upkeep((), machine_clock(), dict(self.sources), self.faults)


@contextmanager
def kiosk_desk(folder: Path, *args: Any, **settings: Any) -> Iterator[KioskDesk]:
    """A desk with its page, running."""
    one = KioskDesk(folder, *args, **settings)
    one.start()
    try:
        yield one
    finally:
        one.stop()


def until(holds: Callable[[], Any]) -> Any:
    """What `holds` gives as soon as that is true."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not come to be so in time"
        time.sleep(0.01)
    return found


def events(response: httpx.Response) -> Iterator[tuple[str, Json]]:
    """Name and data of each event of a stream, as they come."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))
