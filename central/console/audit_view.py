"""The audit trail as auditors read it, and whether its chain still holds.

The whole chain is verified when somebody looks and it was long ago; in between, only what was added
since. A change to a row that was verified shows at the next whole look.
"""

import time
from threading import Lock
from typing import Any

import sqlalchemy as sa

from central import audit
from central.console.wire import cursor_of, moment, place_of
from central.store.schema import audit as trail
from scanner.hash_chain import Head

WHOLE_EVERY_S = 600.0


class Chain:
    """For any thread; one verifies at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._verified: Head | None = None
        self._whole_at = 0.0

    def is_intact(self, db: sa.Connection) -> bool:
        """Whether the chain holds, as far as `db` sees it."""
        with self._lock:
            since = self._verified if time.monotonic() < self._whole_at else None
            head = audit.head(db)
            gone = since is not None and head.n < since.n
            if gone or audit.verify(db, after=since) is not None:
                self._verified = None
                return False
            if since is None:
                self._whole_at = time.monotonic() + WHOLE_EVERY_S
            self._verified = head
            return True


def page(db: sa.Connection, limit: int, before: str | None) -> dict[str, Any]:
    """Some rows, newest first, and where they go on. Raises Problem for a bad cursor."""
    chosen = sa.select(trail).order_by(trail.c.n.desc()).limit(limit + 1)
    if before is not None:
        (place,) = place_of(before, int)
        chosen = chosen.where(trail.c.n < place)
    rows = db.execute(chosen).all()
    some = rows[:limit]
    told = [
        {
            "n": row.n,
            "at": moment(row.at),
            "actor": row.actor,
            "role": row.role,
            "action": row.action,
            "subject": row.subject,
            "detail": row.detail,
        }
        for row in some
    ]
    return {"rows": told, "next": cursor_of(some[-1].n) if len(rows) > limit else None}
