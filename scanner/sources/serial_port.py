"""A serial MRZ reader: opens its port, keeps it armed, and yields one capture a document.

The port may vanish and come back at any time, also as another device behind the same path; it is
opened again with growing pauses. Nothing of that reaches the consumer but `health`.
"""

import logging
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from threading import Event, Lock

import serial

from scanner.backoff import Backoff
from scanner.mrz.reading import Reading
from scanner.mrz.text import reading_of
from scanner.said import joined, said
from scanner.sources.capture import Capture, Health
from scanner.sources.deframer import IDLE_S, ROW_TIMEOUT_S, Deframer
from scanner.sources.families import Family, family_named
from scanner.sources.frames import Heard
from scanner.sources.rowreader import Complaint
from scanner.sources.rows import Block

log = logging.getLogger(__name__)

READ_S = 0.05
REARM_S = 10.0
"""An armed reader is told again after so long a silence: a command can be lost."""
LOOK_S = 1.0
"""How often the path is compared with the device that is open."""
BAD_FRAMES = 3
"""So many bad reads one after another are the cable or the settings, not the document."""


LOST = (OSError, ValueError, termios.error)
"""What opening and reading a port may raise; pyserial's SerialException is an OSError."""


class Trigger(StrEnum):
    """Who starts a read."""

    ON_DEMAND = "on_demand"
    """`SerialScanner.trigger()`, and the reader itself where it talks unasked."""
    CONTINUOUS = "continuous"
    """The reader, kept armed."""


def _today() -> date:
    return datetime.now(UTC).date()


class SerialScanner:
    """A reader of one family at one port (8N1, DTR asserted).

    `baud` None takes the family's. `ignore_repeats_s` swallows the same lines read again within so
    many seconds; 0 swallows nothing. `is_no_document` takes a row that fits no layout where it
    knows it to be something else, and says so; nothing more is then told of it. `backoff_s` is the
    first and the longest pause before the port is opened again. Raises ValueError for an unknown
    family.
    """

    def __init__(
        self,
        name: str,
        port: str,
        family: str = "generic",
        *,
        baud: int | None = None,
        trigger: Trigger = Trigger.CONTINUOUS,
        ignore_repeats_s: float = 0.0,
        idle_s: float = IDLE_S,
        row_timeout_s: float = ROW_TIMEOUT_S,
        backoff_s: tuple[float, float] = (0.25, 5.0),
        today: Callable[[], date] = _today,
        is_no_document: Callable[[str], bool] = lambda row: False,
    ) -> None:
        self._name = name
        self._port = port
        self._family = family_named(family)
        self._baud = baud or self._family.baud
        self._mode = trigger
        self._ignore_repeats_s = ignore_repeats_s
        self._timeouts = (idle_s, row_timeout_s)
        self._backoff_s = backoff_s
        self._today = today
        self._is_no_document = is_no_document
        self._asked = Event()
        self._lock = Lock()
        self._health = Health(False, said("{port}: not opened yet", port=port))
        self._bad_frames = 0
        self._last: tuple[tuple[str, ...], float] | None = None

    @property
    def name(self) -> str:
        return self._name

    @property
    def health(self) -> Health:
        with self._lock:
            return self._health

    def trigger(self) -> None:
        """Asks for one read; without effect where the reader cannot be asked."""
        self._asked.set()

    def captures(self, stop: Event) -> Iterator[Capture]:
        """Yields one capture a document until `stop` is set; never raises for the device."""
        backoff = Backoff(*self._backoff_s)
        while not stop.is_set():
            session: _Session | None = None
            try:
                session = _Session(self._port, self._baud, self._family, self._timeouts)
                self._say(Health(True))
                backoff.reset()
                yield from self._until_lost(session, stop)
            except LOST as error:
                self._say(Health(False, why_lost(self._port, error)))
            finally:
                if session:
                    session.close()
            if session and not stop.is_set():
                yield from self._heard(session.deframer.cut())
            backoff.wait(stop)
        self._say(Health(False, said("{port}: stopped", port=self._port)))

    def _until_lost(self, session: "_Session", stop: Event) -> Iterator[Capture]:
        continuous = self._mode is Trigger.CONTINUOUS
        if continuous:
            session.send(self._family.arm)
        while not stop.is_set():
            if self._asked.is_set():
                self._asked.clear()
                session.send(self._family.trigger)
            heard = session.read()
            if heard:  # a read, good or bad, has disarmed the reader
                session.send(self._family.arm if continuous else self._family.release)
            yield from self._heard(heard)
            if continuous and session.silent_for(REARM_S):
                session.send(self._family.arm)
        with suppress(OSError):
            session.send(self._family.release)

    def _heard(self, heard: list[Heard]) -> Iterator[Capture]:
        heard = [one for one in heard if not self._is_something_else(one)]
        complaints = [one for one in heard if isinstance(one, Complaint)]
        blocks = [one for one in heard if isinstance(one, Block)]
        if heard:
            self._judge(complaints, good=bool(blocks) and not any(c.damage for c in complaints))
        for block in blocks:
            reading = self._reading(block)
            if not self._is_repeat(reading):
                yield Capture(self._name, text=reading)

    def _is_something_else(self, heard: Heard) -> bool:
        return isinstance(heard, Complaint) and bool(heard.row) and self._is_no_document(heard.row)

    def _judge(self, complaints: list[Complaint], *, good: bool) -> None:
        """What was heard, as health: noise beside a good read is told and is no fault."""
        for complaint in complaints:
            log.info("%s: %s", self._name, complaint.message)
        self._bad_frames = 0 if good else self._bad_frames + 1
        lasting = self._bad_frames >= BAD_FRAMES
        message = ""
        if complaints:
            hint = said("check cable, speed and family") if lasting else ""
            told = joined((complaints[-1].message, hint))
            message = said("{port}: {complaint}", port=self._port, complaint=told)
        self._say(Health(not lasting, message))

    def _reading(self, block: Block) -> Reading:
        return reading_of(
            block.texts, reader="serial", today=self._today(), candidates=block.candidates
        )

    def _is_repeat(self, reading: Reading) -> bool:
        now = time.monotonic()
        last, self._last = self._last, (reading.lines, now)
        return (
            last is not None
            and last[0] == reading.lines
            and now - last[1] < (self._ignore_repeats_s)
        )

    def _say(self, health: Health) -> None:
        with self._lock:
            changed, self._health = health != self._health, health
        if changed and health.ok:
            log.info("%s: connected at %s", self._name, self._port)
        elif changed:
            log.warning("%s: %s", self._name, health.message)


def why_lost(port: str, error: Exception) -> str:
    """Why a port cannot be had, in one line: for what LOST names."""
    if not Path(port).exists():
        return said("{port}: no such device; plug the reader in or correct the port", port=port)
    if "lock" in str(error):
        return said("{port}: another program is using it; stop that program", port=port)
    if "ermission denied" in str(error):
        return said(
            "{port}: no permission; add the service's user to the group of the port",
            port=port,
        )
    return said("{port}: the connection was lost or could not be made; trying again", port=port)


class _Session:
    """One opening of the port: bytes in, what they say out. Raises OSError when it is lost."""

    def __init__(self, port: str, baud: int, family: Family, timeouts: tuple[float, float]) -> None:
        self._path = Path(port)
        # Opening asserts DTR and RTS and drops what came before, where the device has any of that.
        self._serial = serial.Serial(
            port, baud, timeout=READ_S, write_timeout=1.0, dsrdtr=False, exclusive=True
        )
        self.deframer = Deframer(family, idle_s=timeouts[0], row_timeout_s=timeouts[1])
        self._device = self._path.stat().st_rdev
        self._active = self._looked = time.monotonic()

    def read(self) -> list[Heard]:
        """Waits at most READ_S; gives what came and what silence ended."""
        data = self._serial.read(max(1, self._serial.in_waiting))
        now = time.monotonic()
        if data:
            self._active = now
        elif now - self._looked >= LOOK_S:
            self._looked = now
            if self._path.stat().st_rdev != self._device:
                raise OSError("another device is behind the path")
        return self.deframer.feed(data, now)

    def send(self, command: bytes | None) -> None:
        if command:
            self._active = time.monotonic()
            self._serial.write(command)

    def silent_for(self, seconds: float) -> bool:
        return time.monotonic() - self._active >= seconds

    def close(self) -> None:
        with suppress(OSError):
            self._serial.close()
