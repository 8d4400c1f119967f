"""What a receiver counts: messages, batches, the time that the store takes.

It is added to the store every few seconds, apart from the batches themselves: were it one
transaction with them, receivers would wait for each other. A receiver that is killed loses the
counts of those seconds, and no message.
"""

import threading
from collections import Counter
from collections.abc import Sequence
from threading import Event as Signal

from central.store.counters import BATCH_UP_TO, STORE_UP_TO_S, Key, add_counts, observed
from central.store.store import Committed, Received, Store, StoreFault

FLUSH_S = 5.0


class Counting:
    """What one receiver counts. Any thread counts; run `run(stop)` in a thread of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._counts: Counter[Key] = Counter()

    def refused(self, why: str) -> None:
        """A message that was not believed."""
        with self._lock:
            self._counts["refused", why] += 1

    def stored(self, batch: Sequence[Received], committed: Committed, took_s: float) -> None:
        """A batch that was committed, and what it came to."""
        found = Counter(("received", one.event.message.value) for one in batch)
        sequenced = sum(one.event.n is not None for one in batch)
        found["repeated", ""] = sequenced - committed.new
        found += observed("batch", len(batch), BATCH_UP_TO)
        found += observed("store", took_s, STORE_UP_TO_S)
        found += Counter(("alerts", alert.data.outcome.value) for alert in committed.alerts)
        with self._lock:
            self._counts += found

    def store_refused(self) -> None:
        """The store did not take a batch."""
        with self._lock:
            self._counts["store_refused", ""] += 1

    def run(self, stop: Signal) -> None:
        """Adds to the store until `stop`, and then what is left."""
        while not stop.wait(FLUSH_S):
            self.flush()
        self.flush()

    def flush(self) -> None:
        """Adds what was counted; where the store refuses, it is kept for the next time."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        try:
            if counts:
                with self._store.changing(quietly=True) as tx:
                    add_counts(tx, counts)
        except StoreFault:
            with self._lock:
                self._counts += counts
