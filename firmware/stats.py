"""Hourly counts for central, and the journal's retention.

The counts come out of the journal, which knows outcomes and no documents; a count so small that it
could point at one person is suppressed before it leaves the device.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from firmware.database import DiskFault
from firmware.journal import Journal
from firmware.outbox import Outbox
from scanner.alert import Message, hourly_stats
from scanner.watchlist.age import ClockReading

log = logging.getLogger(__name__)

SUPPRESSED_BELOW = 5
_LOOK_EVERY_S = 5.0
_HOUR = timedelta(hours=1)


class HourlyStats:
    """Reports each full hour once, as long as the device runs."""

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        clock: Callable[[], ClockReading],
        *,
        keep: timedelta,
    ) -> None:
        self._journal = journal
        self._outbox = outbox
        self._clock = clock
        self._keep = keep
        self._since = _full_hour(clock().now)

    def run(self, stop: Event) -> None:
        """Looks at the clock until `stop`."""
        while not stop.wait(_LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Reports the last hour where it is over; a disk that refuses is tried again."""
        now = self._clock().now
        until = _full_hour(now)
        if until <= self._since:
            return
        try:
            self._report(max(self._since, until - _HOUR), until, now)
        except DiskFault as fault:
            log.warning("stats: %s", fault)
            return
        self._since = until

    def _report(self, since: datetime, until: datetime, now: datetime) -> None:
        counts = Counter(
            entry.outcome
            for entry in self._journal.entries(since)
            if entry.what == "scan" and entry.at < until
        )
        if counts:
            stats = hourly_stats(since, until, dict(counts), suppressed_below=SUPPRESSED_BELOW)
            self._outbox.put(Message.STATS, stats, now)
        self._journal.purge(now, self._keep)


def _full_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
