"""Counts what was refused, and says so without flooding the log: the 1st, 10th, 100th … of a sort.

Nothing of what was refused is said, only where it came by and why it was not believed.
"""

import logging
from collections import Counter


class Refusals:
    """How many messages were refused, by (where, why). Used by one thread."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self.counts: Counter[tuple[str, str]] = Counter()

    def note(self, where: str, why: str) -> None:
        """Counts one. `where` and `why` are words of ours, never taken from a message."""
        self.counts[where, why] += 1
        count = self.counts[where, why]
        if str(count).strip("0") == "1":
            self._log.warning("refused a message (%s: %s), %d so far", where, why, count)
