"""Alerts that the disk has refused so far, in memory until it takes them.

They are packed as in the outbox, so that thousands fit into a few megabytes; when even that room is
used up, the officer is told that central must be told by other means.
"""

from collections import deque
from collections.abc import Callable

from firmware.database import DiskFault
from firmware.delivery.packing import PRESENT, packed, unpacked
from scanner.alert import AlertData

ROOM = 20_000
"""How many alerts are kept: about 6 MB."""


class Unwritten:
    """For the desk's thread; `len` may be asked by any."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._alerts: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._alerts)

    def keep(self, alert: AlertData) -> bool:
        """Keeps an alert; False where there is no room."""
        if len(self._alerts) >= self._room:
            return False
        self._alerts.append(packed(alert.model_dump_json().encode()))
        return True

    def write(self, put: Callable[[AlertData], object]) -> int:
        """Writes what the disk now takes, oldest first, and gives how many that were."""
        written = 0
        while self._alerts:
            alert = AlertData.model_validate_json(unpacked(self._alerts[0], PRESENT))
            try:
                put(alert)
            except DiskFault:
                break
            self._alerts.popleft()
            written += 1
        return written
