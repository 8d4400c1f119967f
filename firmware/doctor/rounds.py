"""The running desk's own look at the device: every minute the cheap checks, all of them on request.

What they find shows on the officer's page and in the file that `borderpost doctor` reads; what is
wrong also goes into the status for headquarters. There a figure that moves would be news each time,
so a fault keeps the words that it had when it came up.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Event, Lock
from typing import Protocol

from firmware.clock import kernel_says_synchronised
from firmware.doctor.checks import configuration
from firmware.doctor.context import Context
from firmware.doctor.course import CHEAP, CHECKS, examine
from firmware.doctor.desk_says import ROUND_S, DeskSays, file_of, write_desk_says
from firmware.doctor.finding import Finding, State
from firmware.doctor.kernel import Kernel
from firmware.options import DEFAULT_CONFIG
from firmware.settings import Settings
from scanner.watchlist.age import ClockReading
from scanner.watchlist.lists import Lists

log = logging.getLogger(__name__)

TOLD = frozenset({"certificate", "space", "mounts", "card", "memory", "temperature", "power"})
"""The checks whose faults are told to headquarters; what the others look at, its parts tell."""
FIRST_S = 5.0
"""After the first round: by then devices are open or cannot be opened."""
_WRONG = (State.WARN, State.FAIL)


class _Clock(Protocol):
    def reading(self) -> ClockReading: ...


class Rounds:
    """Run `run(stop)` in a thread of its own. `says` gives the desk's word of the moment."""

    def __init__(
        self,
        settings: Settings,
        clock: _Clock,
        lists: Lists,
        says: Callable[[], DeskSays],
        *,
        kernel: Kernel | None = None,
        every_s: float = ROUND_S,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._lists = lists
        self._says = says
        self._kernel = kernel or Kernel()
        self._every_s = every_s
        self._file = file_of(settings)
        self._lock = Lock()
        self._findings: tuple[Finding, ...] = ()
        self._told: dict[tuple[str, int], Finding] = {}
        self._written = True

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the last round found."""
        with self._lock:
            return self._findings

    def examined(self) -> Iterator[Finding]:
        """What every check finds now; some of them take seconds."""
        checks = [check for check in CHECKS if check.run is not configuration.check]
        yield from examine(self._context(self._says()), checks)

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong, by the part of the device."""
        with self._lock:
            told = tuple(self._told.values())
        for finding in told:
            yield finding.check, finding.line

    def run(self, stop: Event) -> None:
        """Goes round until `stop`."""
        pause_s = min(FIRST_S, self._every_s)
        while True:
            self.go_round()
            if stop.wait(pause_s):
                break
            pause_s = self._every_s
        with suppress(OSError):
            self._file.unlink()

    def go_round(self) -> None:
        """Looks once, and writes down what the desk says."""
        says = self._says()
        found = tuple(examine(self._context(says), CHEAP))
        with self._lock:
            self._findings = found
            self._told = self._still_told(found)
        try:
            write_desk_says(self._file, says, found)
            self._written = True
        except OSError as error:
            if self._written:
                log.warning("health: %s cannot be written: %s", self._file, error.strerror)
            self._written = False

    def _still_told(self, found: tuple[Finding, ...]) -> dict[tuple[str, int], Finding]:
        """By check and place within it; what is wrong as it was keeps its words."""
        told: dict[tuple[str, int], Finding] = {}
        for place, finding in enumerate(found):
            key = finding.check, place
            if finding.check in TOLD and finding.state in _WRONG:
                before = self._told.get(key)
                same = before is not None and before.state is finding.state
                told[key] = before if same and before is not None else finding
        return told

    def _context(self, says: DeskSays) -> Context:
        return Context(
            config=DEFAULT_CONFIG,
            configured=self._settings,
            clock=self._clock.reading(),
            clock_set=kernel_says_synchronised(),
            desk=says,
            kernel=self._kernel,
            given_lists=self._lists,
        )
