"""The receiver's own purge, once an hour, and the audit trail's head in the log, once a day.

Whoever owns the database could write the audit trail anew; a head that stands in the log of another
machine shows it (`borderpost-central audit verify --noted`).
"""

import logging
import time
from datetime import UTC, datetime
from threading import Event as Signal

from central import audit, retention
from central.settings import RetentionSettings
from central.store.store import Store, StoreFault
from scanner.backoff import spread

log = logging.getLogger(__name__)

FIRST_AFTER_S, EVERY_S = 60.0, 3600.0
HEAD_EVERY_S = 24 * 3600.0


class Purging:
    """Run `run(stop)` in a thread of its own."""

    def __init__(self, store: Store, policy: RetentionSettings) -> None:
        self._store = store
        self._policy = policy
        self._head_at = 0.0

    def run(self, stop: Signal) -> None:
        """Purges until `stop`."""
        pause_s = FIRST_AFTER_S
        while not stop.wait(spread(pause_s)):
            pause_s = EVERY_S
            try:
                self._once()
            except StoreFault as fault:
                log.warning("%s; nothing is purged until it takes it", fault)

    def _once(self) -> None:
        now = datetime.now(UTC)
        purged = retention.purge(self._store, self._policy, now, actor="retention", role="policy")
        if purged != retention.Purged():
            log.info("purged by policy: %s", purged)
        if time.monotonic() >= self._head_at:
            self._head_at = time.monotonic() + HEAD_EVERY_S
            with self._store.reading() as db:
                head = audit.head(db)
            log.info("the audit trail's head is %s", head)
