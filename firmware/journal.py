"""The device's audit: when, who, which device, what outcome, which list versions, how long it took.

Rows are only ever added; SQLite itself refuses to change one, or to remove one before its time. Of
the document there is nothing, whatever the outcome: a hit's row names its alert, whose document
central holds, and the row of a scan that hit nothing leads to nobody.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from firmware.database import Database, DiskFault
from scanner.alert import Action, Alerting
from scanner.examine import Examination
from scanner.verdict import Outcome

ALERTING = frozenset(Outcome(one.value) for one in Alerting)
"""The outcomes that central is told of."""
FAULT = "FAULT"
"""The outcome of a capture that could not be examined at all."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  at REAL NOT NULL,
  what TEXT NOT NULL,
  officer TEXT,
  device TEXT NOT NULL,
  outcome TEXT NOT NULL,
  lists TEXT NOT NULL,
  reader TEXT,
  ms REAL,
  alert TEXT
);
CREATE INDEX IF NOT EXISTS by_time ON entry (at);
CREATE TABLE IF NOT EXISTS retention (before REAL NOT NULL);
CREATE TRIGGER IF NOT EXISTS unchanged BEFORE UPDATE ON entry
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER IF NOT EXISTS kept BEFORE DELETE ON entry
  WHEN OLD.at >= coalesce((SELECT max(before) FROM retention), 0)
  BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
"""


class JournalFault(DiskFault):
    """The journal could not be written or read; the message says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """One row. `what` is `scan` or `referral`; `outcome` is a verdict's, `FAULT`, or what the
    officer did of the referral; `lists` are (name, version); `ms` is the whole time of a scan."""

    at: datetime
    what: str
    officer: str | None
    device: str
    outcome: str
    lists: tuple[tuple[str, int | None], ...]
    reader: str | None
    ms: float | None
    alert: str | None


class Journal:
    """The journal of `device` in the file `path`. For use from any thread; every method raises
    JournalFault where the disk refuses."""

    def __init__(self, path: Path, device: str) -> None:
        self._database = Database(path, _SCHEMA, JournalFault)
        self._device = device

    def write(
        self,
        examination: Examination,
        *,
        now: datetime,
        alert_id: str | None,
        officer: str | None = None,
    ) -> None:
        """Writes down one scan; `alert_id` is only for a scan that raised an alert."""
        verdict, reading = examination.verdict, examination.reading
        if alert_id is not None and (verdict is None or verdict.outcome not in ALERTING):
            raise ValueError("a scan that hit nothing has no alert")
        self._add(
            Entry(
                at=now,
                what="scan",
                officer=officer,
                device=self._device,
                outcome=verdict.outcome if verdict else FAULT,
                lists=tuple((s.name, s.version) for s in verdict.lists) if verdict else (),
                reader=reading.reader if reading else None,
                ms=examination.ms.get("total"),
                alert=alert_id,
            )
        )

    def referral(self, alert: str, action: Action, *, now: datetime, officer: str | None) -> None:
        """Writes down what the officer did of the referral after `alert`."""
        self._add(Entry(now, "referral", officer, self._device, action, (), None, None, alert))

    def entries(self, since: datetime) -> Iterator[Entry]:
        """The rows from `since` on, in the order in which they were written."""
        with self._database.look() as db:
            rows = db.execute(
                "SELECT at, what, officer, device, outcome, lists, reader, ms, alert FROM entry"
                " WHERE at >= ? ORDER BY n",
                (since.timestamp(),),
            ).fetchall()
        for at, what, officer, device, outcome, lists, reader, ms, alert in rows:
            versions = tuple((name, version) for name, version in json.loads(lists))
            moment = datetime.fromtimestamp(at, UTC)
            yield Entry(moment, what, officer, device, outcome, versions, reader, ms, alert)

    def purge(self, now: datetime, keep: timedelta) -> int:
        """Removes the rows older than `keep`, and gives how many those were."""
        before = (now - keep).timestamp()
        with self._database.change() as tx:
            tx.execute("DELETE FROM retention")
            tx.execute("INSERT INTO retention VALUES (?)", (before,))
            return tx.execute("DELETE FROM entry WHERE at < ?", (before,)).rowcount

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def _add(self, entry: Entry) -> None:
        with self._database.change() as tx:
            tx.execute(
                "INSERT INTO entry (at, what, officer, device, outcome, lists, reader, ms, alert)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    entry.at.timestamp(),
                    entry.what,
                    entry.officer,
                    entry.device,
                    entry.outcome,
                    json.dumps(entry.lists),
                    entry.reader,
                    entry.ms,
                    entry.alert,
                ),
            )
