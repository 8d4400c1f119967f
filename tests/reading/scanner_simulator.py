"""A serial MRZ reader at the far end of a real pseudo-terminal.

It speaks one family's protocol: it waits for the trigger where the family wants one, answers
commands, disarms after a read, and can be unplugged and plugged in again, then as another
pseudo-terminal behind the same path, as udev's links do.
"""

import contextlib
import os
import queue
import select
import threading
import time
import tty
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from tests.reading.scanner_wire import on_the_wire

ARMING = {
    "elyctis": b"C\x00\x01\x01",
    "honeywell": b"\x16T\r",
    "newland": b"~\x010000@SCNTRG1;\x03",
}
DISARMING = {"honeywell": b"\x16U\r", "newland": b"~\x010000@SCNTRG0;\x03"}
REPLIES = {"elyctis": b"C\x00\x01\x01", "newland": b"\x02\x010000@SCNTRG1\x06;\x03"}
INQUIRY = b"I\x00\x00"


class ScannerSimulator:
    """`link` is the path that the port is opened by. Use as a context."""

    def __init__(self, family: str, link: Path) -> None:
        self.family = family
        self.link = link
        self.received = bytearray()
        self.commands: list[bytes] = []
        self._waiting: queue.Queue[list[tuple[float, bytes]]] = queue.Queue()
        self._armed = family not in ARMING
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._ends: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="simulator")

    def __enter__(self) -> "ScannerSimulator":
        self.plug()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join(5)
        self.unplug()

    def plug(self) -> None:
        with self._lock:
            master, slave = os.openpty()
            tty.setraw(slave)
            self._ends = (master, slave)
            self._armed = self.family not in ARMING
            temporary = self.link.with_suffix(".new")
            temporary.symlink_to(os.ttyname(slave))
            temporary.replace(self.link)

    def unplug(self) -> None:
        with self._lock:
            if self._ends is None:
                return
            self.link.unlink()
            for end in self._ends:
                os.close(end)
            self._ends = None

    def show(self, rows: Sequence[str], *, gap: float = 0.0, piece: int | None = None) -> None:
        """Lays a document down: its pieces go out, `gap` seconds apart, once the reader is armed.

        With `piece` they are split into so many bytes each.
        """
        self.send(*on_the_wire(self.family, rows), gap=gap, piece=piece)

    def send(self, *pieces: bytes, gap: float = 0.0, piece: int | None = None) -> None:
        """Sends these bytes as one read."""
        if piece:
            pieces = tuple(
                data[at : at + piece] for data in pieces for at in range(0, len(data), piece)
            )
        self._waiting.put([(gap if number else 0.0, data) for number, data in enumerate(pieces)])

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                ends = self._ends
                if ends is not None:
                    with contextlib.suppress(OSError):
                        self._listen(ends[0])
            self._speak()
            time.sleep(0.002)

    def _listen(self, master: int) -> None:
        if not select.select([master], [], [], 0)[0]:
            return
        self.received += os.read(master, 1024)
        for command in filter(None, (ARMING.get(self.family), DISARMING.get(self.family))):
            while command in self.received:
                self.received[:] = self.received.replace(command, b"", 1)
                self.commands.append(command)
                self._armed = command == ARMING[self.family]
                if self._armed:
                    os.write(master, REPLIES.get(self.family, b""))
        if self.family == "elyctis" and INQUIRY in self.received:
            self.received[:] = self.received.replace(INQUIRY, b"", 1)
            self.commands.append(INQUIRY)
            self._armed = True

    def _speak(self) -> None:
        if not self._armed:
            return
        try:
            pieces = self._waiting.get_nowait()
        except queue.Empty:
            return
        self._armed = self.family not in ARMING
        for gap, data in pieces:
            time.sleep(gap)
            with self._lock, contextlib.suppress(OSError):
                if self._ends:
                    os.write(self._ends[0], data)
