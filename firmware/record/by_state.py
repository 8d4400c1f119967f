"""How many documents of each issuing State were at the desk in the running hour.

A State's code and a moment are something of a document: where one traveller comes from a small
country, they point at that traveller. So the counts of the running hour live in memory alone and
leave it only when the hour is over, States with few documents taken together. What the device had
counted of an hour when it was started anew is lost, and the counts say from when on they are.

A document that is read five times is one document, or reading it again would lift it over the
threshold: each is remembered for the hour by a hash under a key that lives and dies with the
process. What no State's code stands on is counted without one.
"""

import hashlib
import secrets
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Lock

from scanner.examine import Examination
from scanner.mrz.document import Document
from scanner.mrz.states import counted_as

HOUR = timedelta(hours=1)
_MARK_BYTES = 8


class StateCounts:
    """Counts by full hours, from `since` on. For any thread."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self._key = secrets.token_bytes(16)
        self._lock = Lock()
        self._seen: set[tuple[datetime, bytes]] = set()
        self._counts: dict[datetime, Counter[str | None]] = {}

    def add(self, examination: Examination, now: datetime) -> None:
        """Counts the document of one scan, once an hour."""
        document = examination.parsed.document if examination.parsed else None
        if document is None:
            return
        hour = full_hour(now)
        seen = (hour, self._mark(document))
        with self._lock:
            if seen not in self._seen:
                self._seen.add(seen)
                self._counts.setdefault(hour, Counter())[counted_as(document.issuer)] += 1

    def of(self, hour: datetime) -> Mapping[str | None, int]:
        """The documents of the hour that begins there, by State; None for no known one."""
        with self._lock:
            return dict(self._counts.get(hour, {}))

    def forget(self, before: datetime) -> None:
        """Forgets the hours that begin before `before`."""
        with self._lock:
            self._seen = {one for one in self._seen if one[0] >= before}
            self._counts = {hour: counts for hour, counts in self._counts.items() if hour >= before}

    def _mark(self, document: Document) -> bytes:
        words = f"{document.kind}\n{document.issuer}\n{document.number}".encode()
        return hashlib.blake2b(words, digest_size=_MARK_BYTES, key=self._key).digest()


def full_hour(moment: datetime) -> datetime:
    """When the hour of `moment` begins."""
    return moment.replace(minute=0, second=0, microsecond=0)
