"""The device's record: who did what when, and what the desk said of it.

Every scan leaves a row: when, who, which device, what outcome, which list versions, how it was
entered. Of the document there is nothing, whatever the outcome. A hit's row also says what the
officer was shown, as the templates of the reasons without what stood in them and what the record
was listed as, and names its alert, whose document central holds and the outbox for its time; the
row of a scan that hit nothing leads to nobody. What an officer did of a referral, what central
answered, who signed in, when a drill began: each is a row of its own.

All rows form one chain of hashes (`scanner/hash_chain.py`): nothing of it is changed, taken out or
put in unnoticed, and the hourly counts carry its head to central. Old rows go by policy, after a
row that says up to where, so that the rest is verified all the same.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from firmware.database import Database, DiskFault
from firmware.record.file import add, head, links, micros, prepare, select
from firmware.record.rows import Entry, Row, What
from scanner import hash_chain
from scanner.alert import Action, Alerting, AnswerOutcome
from scanner.examine import Examination
from scanner.hash_chain import Broken, Head
from scanner.said import Said
from scanner.verdict import Outcome, Verdict

ALERTING = frozenset(Outcome(one.value) for one in Alerting)
"""The outcomes that central is told of."""
FAULT = "FAULT"
"""The outcome of a capture that could not be examined at all."""

__all__ = [
    "ALERTING",
    "FAULT",
    "Entry",
    "Journal",
    "JournalFault",
    "Pending",
    "Row",
    "Scanned",
    "What",
]


class JournalFault(DiskFault):
    """The journal could not be written or read; the message says why and what to do."""


@dataclass(frozen=True)
class Pending:
    """An alert whose referral has no outcome yet."""

    alert: str
    at: datetime
    outcome: Outcome
    officer: str | None
    drill: bool


Scanned = Callable[[Examination, datetime], None]
"""What wants to hear of each scan that is no drill's, and when it was, for as long as it has it."""


class Journal:
    """The journal of `device` in the file `path`. For use from any thread; every method raises
    JournalFault where the disk refuses."""

    def __init__(self, path: Path, device: str) -> None:
        self._database = Database(path, "", JournalFault, prepare)
        self._device = device
        self._listeners: list[Scanned] = []

    def listen(self, listener: Scanned) -> None:
        """Calls `listener` after each scan is written down, in the thread that wrote."""
        self._listeners.append(listener)

    def write(
        self,
        examination: Examination,
        *,
        now: datetime,
        alert_id: str | None,
        officer: str | None = None,
        drill: bool = False,
    ) -> None:
        """Writes down one scan; `alert_id` is only for a scan that raised an alert."""
        verdict, reading = examination.verdict, examination.reading
        alerting = verdict is not None and verdict.outcome in ALERTING
        if alert_id is not None and not alerting:
            raise ValueError("a scan that hit nothing has no alert")
        self._add(
            Entry(
                at=now,
                what=What.SCAN,
                device=self._device,
                outcome=verdict.outcome if verdict else FAULT,
                officer=officer,
                lists=tuple((s.name, s.version) for s in verdict.lists) if verdict else (),
                reader=reading.reader if reading else None,
                ms=examination.ms.get("total"),
                alert=alert_id,
                entered=reading.entered if reading else None,
                drill=drill,
                detail=_shown(verdict) if verdict and alerting else {},
            )
        )
        if not drill:
            for listener in self._listeners:
                listener(examination, now)

    def referral(
        self,
        alert: str,
        action: Action,
        *,
        now: datetime,
        officer: str | None,
        drill: bool = False,
    ) -> None:
        """Writes down what the officer did of the referral after `alert`."""
        self.note(What.REFERRAL, now=now, officer=officer, outcome=action, alert=alert, drill=drill)

    def answered(
        self,
        alert: str,
        outcome: AnswerOutcome,
        *,
        now: datetime,
        officer: str | None = None,
        drill: bool = False,
    ) -> None:
        """Writes down that central's answer to `alert` was shown; not its instruction, which may
        name somebody."""
        self.note(What.ANSWER, now=now, officer=officer, outcome=outcome, alert=alert, drill=drill)

    def note(
        self,
        what: What,
        *,
        now: datetime,
        officer: str | None = None,
        outcome: str = "",
        alert: str | None = None,
        drill: bool = False,
    ) -> None:
        """Writes down an act; `outcome` is one word of it and holds nothing of a document."""
        self._add(Entry(now, what, self._device, outcome, officer, alert=alert, drill=drill))

    def entries(self, since: datetime, until: datetime | None = None) -> Iterator[Entry]:
        """The rows from `since` on and before `until`, in the order in which they were written."""
        return (row.entry for row in list(self.rows(since, until)))

    def rows(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Row]:
        """The rows of a time, in their places in the chain, a few in memory at once; nothing else
        may use the journal meanwhile."""
        bounds = {"at >= ?": since, "at < ?": until}
        asked = {words: micros(moment) for words, moment in bounds.items() if moment is not None}
        where = f"WHERE {' AND '.join(asked)} " if asked else ""
        with self._database.look() as db:
            yield from select(db, f"{where}ORDER BY n", tuple(asked.values()))

    def pending(self, since: datetime) -> list[Pending]:
        """The alerts from `since` on whose referral has no outcome yet, oldest first."""
        with self._database.look() as db:
            found = list(
                select(
                    db,
                    "AS hit WHERE at >= ? AND what = 'scan' AND alert IS NOT NULL AND NOT EXISTS"
                    " (SELECT 1 FROM entry WHERE alert = hit.alert AND what = 'referral')"
                    " ORDER BY n",
                    (micros(since),),
                )
            )
        return [
            Pending(entry.alert, entry.at, Outcome(entry.outcome), entry.officer, entry.drill)
            for entry in (row.entry for row in found)
            if entry.alert is not None
        ]

    def head(self) -> Head:
        """The last row's place in the chain."""
        with self._database.look() as db:
            return head(db)

    def verify(self, noted: Head | None = None) -> tuple[Broken | None, Head]:
        """Where the chain breaks first, if it does, and its head. `noted` is one from earlier."""
        with self._database.look() as db:
            end = head(db)
            return hash_chain.verify(links(db, end.n), noted), end

    def purge(self, now: datetime, keep: timedelta) -> int:
        """Removes the rows older than `keep`, and gives how many those were. The last row stays,
        and the one that says what was removed."""
        with self._database.change() as tx:
            last = tx.execute(
                "SELECT n, hash FROM entry WHERE at < ? AND n < ? ORDER BY n DESC LIMIT 1",
                (micros(now - keep), head(tx).n),
            ).fetchone()
            if last is None:
                return 0
            counted = tx.execute("SELECT count(*) FROM entry WHERE n <= ?", (last[0],)).fetchone()
            detail = {"up_to": last[0], "hash": last[1], "rows": counted[0]}
            add(tx, Entry(now, What.PURGED, self._device, detail=detail))
            return tx.execute("DELETE FROM entry WHERE n <= ?", (last[0],)).rowcount

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()

    def _add(self, entry: Entry) -> None:
        with self._database.change() as tx:
            add(tx, entry)


def _shown(verdict: Verdict) -> dict[str, Any]:
    """What a hit showed, without what stood in its lines; and what it was listed as, which is the
    lists' word for the record and nothing of the document."""
    lines = (*verdict.reasons, *verdict.beside)
    return {
        "shown": [line.template for line in lines if isinstance(line, Said)],
        "listed": [
            f"{match.certainty} {match.status} {match.kind} ({match.list})"
            for match in verdict.matches
        ],
    }
