"""What central has answered, held at the device until the time that central said.

An answer is about an alert of this device, and through it about a document: the next time that the
document is read, the officer is told what central found. The document is remembered as a keyed hash
alone. An answer counts only with a counter above every earlier one's, so that nothing central once
said can be said again by somebody else; the newest answer about a document is the one that holds.
"""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from firmware.database import MARKS, Database, DiskFault, raise_mark
from firmware.identity.keys import document_mark
from scanner.alert import MAX_HELD, AnswerData
from scanner.mrz.document import Document
from scanner.verdict import Answered

log = logging.getLogger(__name__)

_SCHEMA = (
    MARKS
    + """
CREATE TABLE IF NOT EXISTS answer (
  id TEXT PRIMARY KEY,
  alert TEXT NOT NULL,
  document BLOB NOT NULL,
  outcome TEXT NOT NULL,
  instruction TEXT NOT NULL,
  at REAL NOT NULL,
  until REAL NOT NULL,
  counter INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_document ON answer (document);
"""
)


class AnswersFault(DiskFault):
    """The answers could not be read or written; the message says why and what to do."""


class Taken(StrEnum):
    """What became of an answer."""

    HELD = "held"
    HELD_ALREADY = "held already"
    REPLAYED = "replayed"
    UNKNOWN_ALERT = "about no alert of this device"
    OVER = "over"


class Answers:
    """The answers in the file `path`, about documents that are remembered under `marks`.
    `document_of` gives the mark of the document that an alert is about (`Outbox.document_of`). For
    use from any thread."""

    def __init__(
        self, path: Path, marks: bytes, document_of: Callable[[str], bytes | None]
    ) -> None:
        self._database = Database(path, _SCHEMA, AnswersFault)
        self._marks = marks
        self._document_of = document_of
        self.fault: str | None = None
        """Why the last `holding` could not be asked, or None."""

    def take(self, answer_id: str, answer: AnswerData, now: datetime) -> Taken:
        """Holds an answer that central has signed, and says what became of it. Raises
        AnswersFault or OutboxFault."""
        document = self._document_of(answer.alert)
        with self._database.change() as tx:
            if not raise_mark(tx, "answer", answer.counter):
                return Taken.REPLAYED
            if document is None:
                return Taken.UNKNOWN_ALERT
            if answer.until <= now:
                return Taken.OVER
            held = tx.execute("SELECT 1 FROM answer WHERE id = ?", (answer_id,)).fetchone()
            tx.execute(
                "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    answer_id,
                    answer.alert,
                    document,
                    answer.outcome,
                    answer.instruction,
                    answer.at.timestamp(),
                    answer.until.timestamp(),
                    answer.counter,
                ),
            )
        return Taken.HELD_ALREADY if held else Taken.HELD

    def holding(self, document: Document, now: datetime) -> Answered | None:
        """The newest answer about `document`, if it holds at `now`: an older one that it took the
        place of does not come back when it ends.

        Where the disk refuses, None, and `fault` says why: a listed document is a hit without it.
        """
        mark = document_mark(self._marks, document.issuer, document.number, document.kind)
        try:
            with self._database.look() as db:
                row = db.execute(
                    "SELECT outcome, at, until, instruction FROM answer"
                    " WHERE document = ? ORDER BY id DESC LIMIT 1",
                    (mark,),
                ).fetchone()
        except AnswersFault as fault:
            self.fault = str(fault)
            log.warning("answers: %s", fault)
            return None
        self.fault = None
        if row is None or row[2] <= now.timestamp():
            return None
        return _answered(row)

    def about(self, alert: str) -> Answered | None:
        """What central answered to `alert` last, whether or not it still holds. Raises
        AnswersFault."""
        with self._database.look() as db:
            row = db.execute(
                "SELECT outcome, at, until, instruction FROM answer"
                " WHERE alert = ? ORDER BY counter DESC LIMIT 1",
                (alert,),
            ).fetchone()
        return _answered(row) if row else None

    def held(self) -> tuple[str, ...]:
        """The ids of the answers held, the latest last, at most as many as a status carries."""
        with self._database.look() as db:
            rows = db.execute(
                "SELECT id FROM answer ORDER BY counter DESC LIMIT ?", (MAX_HELD,)
            ).fetchall()
        return tuple(str(row[0]) for row in reversed(rows))

    def is_new(self, name: str, counter: int) -> bool:
        """Whether `counter` is above every one seen under `name`; it is then the highest seen."""
        with self._database.change() as tx:
            return raise_mark(tx, name, counter)

    def is_highest(self, name: str, counter: int) -> bool:
        """Whether `counter` is the highest one seen under `name`."""
        with self._database.look() as db:
            row = db.execute("SELECT value FROM mark WHERE name = ?", (name,)).fetchone()
        return row is not None and row[0] == counter

    def purge(self, now: datetime) -> int:
        """Removes the answers that hold no longer, and gives how many those were. One that took the
        place of an answer with longer to go stays until that is over too."""
        with self._database.change() as tx:
            return tx.execute(
                "DELETE FROM answer WHERE until <= :now AND NOT EXISTS (SELECT 1 FROM answer older"
                " WHERE older.document = answer.document AND older.id < answer.id"
                " AND older.until > :now)",
                {"now": now.timestamp()},
            ).rowcount

    def close(self) -> None:
        """Lets go of the file."""
        self._database.close()


def _answered(row: tuple[str, float, float, str]) -> Answered:
    outcome, at, until, instruction = row
    return Answered(
        outcome=outcome,
        at=datetime.fromtimestamp(at, UTC),
        until=datetime.fromtimestamp(until, UTC),
        instruction=instruction,
    )
