"""What time it is, and how sure: a Pi has no clock that survives a power cut.

At boot the clock may stand at any past moment until NTP sets it. So the time used for ages is the
latest of the machine's clock, the time that this device last saw (kept on disk) plus the time since
boot, and the date of this build; and it counts as sure only once the kernel says that the clock was
set (`adjtimex`, which chrony, ntpd and systemd-timesyncd all report to), or where the configuration
trusts the machine. Reference time never runs backwards.
"""

import ctypes
import json
import logging
import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Lock

from scanner.durable import replace_durably
from scanner.watchlist.age import ClockReading

log = logging.getLogger(__name__)

BUILT = datetime(2026, 11, 23, tzinfo=UTC)
"""The date of this release: no true clock says less."""

_LIBC = ctypes.CDLL(None)
_TIME_ERROR = 5
_TIMEX_BYTES = 1024
_SAVE_EVERY_S = 300.0
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
_LATELY_S = 9 * 3600.0
"""The kernel reckons with an error of 500 ppm, and gives up at 16 s."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def kernel_says_synchronised() -> bool:
    """Whether the kernel's clock was set from outside since boot (adjtimex(2)). A sandbox may deny
    asking; then timesyncd's own word counts."""
    try:
        state = int(_LIBC.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except AttributeError:
        return False
    if state < 0:
        return timesyncd_says_synchronised(_TIMESYNCD)
    return state < _TIME_ERROR


def timesyncd_says_synchronised(file: Path) -> bool:
    """Whether systemd-timesyncd has set the clock lately: it touches its file each time. After as
    long without, the kernel would no longer call the clock synchronised either."""
    try:
        age = time.time() - file.stat().st_mtime
    except OSError:
        return False
    return -_LATELY_S < age < _LATELY_S


def machine_clock() -> ClockReading:
    """The machine's clock, taken at its word: for commands on a technician's own computer."""
    return ClockReading(
        now=datetime.now(UTC), synchronised=True, unsynchronised_s=0.0, grace_s=float("inf")
    )


class DeviceClock:
    """The device's time, remembered across power cuts in `path`."""

    def __init__(self, path: Path, *, trust_machine: bool, grace: timedelta) -> None:
        self._path = path
        self._trust_machine = trust_machine
        self._grace_s = grace.total_seconds()
        self._lock = Lock()
        self._floor, self._floor_at = self._remembered()
        self._sure_at: float | None = None

    def reading(self) -> ClockReading:
        """Reference time and how sure it is."""
        with self._lock:
            uptime = _uptime()
            now = max(datetime.now(UTC), self._floor + timedelta(seconds=uptime - self._floor_at))
            self._floor, self._floor_at = now, uptime
            sure = self._trust_machine or kernel_says_synchronised()
            if sure:
                self._sure_at = uptime
            unsure_for = 0.0 if sure else uptime - (self._sure_at or 0.0)
            return ClockReading(
                now=now,
                synchronised=sure,
                unsynchronised_s=unsure_for,
                grace_s=self._grace_s,
            )

    def now(self) -> datetime:
        """Reference time alone."""
        return self.reading().now

    def today(self) -> date:
        """The date by reference time, in UTC."""
        return self.now().date()

    def save(self) -> None:
        """Remembers the time on disk; a disk that refuses is said, and changes nothing."""
        seen = {"seen": self.now().isoformat(), "boot": boot_id(), "uptime": _uptime()}
        try:
            replace_durably(self._path, json.dumps(seen).encode())
        except OSError as error:
            log.error("clock: the time could not be kept at %s: %s", self._path, error.strerror)

    def run(self, stop: Event) -> None:
        """Saves every few minutes, and once more at the end."""
        while not stop.wait(_SAVE_EVERY_S):
            self.save()
        self.save()

    def _remembered(self) -> tuple[datetime, float]:
        try:
            kept = json.loads(self._path.read_bytes())
            seen = datetime.fromisoformat(kept["seen"])
            same_boot = kept["boot"] == boot_id()
            up = _uptime()
            since = timedelta(seconds=up - (float(kept["uptime"]) if same_boot else 0.0))
            return max(seen, BUILT) + since, up
        except FileNotFoundError:
            return BUILT, _uptime()
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            log.warning("clock: %s cannot be read; starting from the build's date", self._path)
            return BUILT, _uptime()


def _uptime() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    """The same as long as the machine has not started anew."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return f"pid-{os.getpid()}"
