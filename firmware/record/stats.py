"""Hourly counts for central, and the journal's retention.

The counts by outcome come out of the journal, which knows no documents; those by issuing State out
of memory. A count so small that it could point at one person is suppressed before it leaves the
device. With them goes the head of the journal's chain, signed as every message is: from then on
central can tell a journal that was written anew. A drill's scans are not counted.

Each hour is told once, also one in which the device was switched off: the outbox remembers up to
when it was told, in the transaction that puts the counts. The journal's old rows go at the start
and with every hour, whether anybody scanned or not.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event

from firmware.database import DiskFault
from firmware.delivery.outbox import Outbox
from firmware.record.by_state import HOUR, StateCounts, full_hour
from firmware.record.journal import Journal, What
from scanner.alert import Message, hourly_stats
from scanner.watchlist.age import ClockReading

log = logging.getLogger(__name__)

SUPPRESSED_BELOW = 5
_LOOK_EVERY_S = 5.0
_LATEST = timedelta(days=7)
"""Counts that are older are told no more."""


class HourlyStats:
    """Reports each full hour once."""

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
        now = clock().now
        self._states = StateCounts(now)
        self._started = now
        self._told: datetime | None = None
        """Up to when there is nothing more to tell, once the disk has said so."""
        self._purged = full_hour(now) - HOUR
        journal.listen(self._states.add)

    def run(self, stop: Event) -> None:
        """Looks at the clock until `stop`."""
        while not stop.wait(_LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Does what is due; a disk that refuses is tried again."""
        now = self._clock().now
        hour = full_hour(now)
        try:
            self._tell_until(hour, now)
            if hour > self._purged:
                self._journal.purge(now, self._keep)
                self._purged = hour
        except DiskFault as fault:
            log.warning("stats: %s", fault)

    def _tell_until(self, hour: datetime, now: datetime) -> None:
        if self._told is None:
            self._told = self._outbox.counted_until(full_hour(self._started))
        self._told = max(self._told, hour - _LATEST)
        while self._told < hour:
            until = full_hour(self._told) + HOUR
            self._report(self._told, until, now)
            self._told = until
            self._states.forget(until)

    def _report(self, since: datetime, until: datetime, now: datetime) -> None:
        counts = Counter(
            entry.outcome
            for entry in self._journal.entries(since, until)
            if entry.what == What.SCAN and not entry.drill
        )
        if not counts:
            return
        stats = hourly_stats(
            since,
            until,
            counts,
            suppressed_below=SUPPRESSED_BELOW,
            issuers=self._states.of(since),
            issuers_since=min(self._states.since, until) if self._states.since > since else None,
            journal=self._journal.head(),
        )
        self._outbox.put(Message.STATS, stats, now)
