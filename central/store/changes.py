"""What changed in the store lately, in a table that the database itself fills.

A console shows each change within milliseconds, whoever made it: a receiver, another console, a
command. Triggers note it, so none of them can forget to; the note and the change are one
transaction. Only the latest notes are kept: whoever comes later looks at the store itself.

Numbers are given out when a row is written and become visible when its transaction ends, so with
PostgreSQL a lower number can appear after a higher one. `Reader` keeps the numbers that it has not
seen, and looks for them until the transaction behind them must be over.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from central.store.schema import changes

KEPT = 100_000
"""How many notes stay."""
_TRIM_EVERY = 1_000
_TRIMMING = f"DELETE FROM changes WHERE n <= NEW.n - {KEPT}"  # noqa: S608 ours
_LATE_S = 60.0
"""How long a transaction may take and be noticed by its note alone."""
_LATE_MOST = 5_000
_AT_ONCE = 500

_NOTED = (
    ("alerts", "INSERT", "NEW.id"),
    ("alerts", "UPDATE OF answer, answered_at, escalated_at, seen_at", "NEW.id"),
    ("answers", "INSERT", "NEW.alert"),
    ("answers", "UPDATE OF held_at", "NEW.alert"),
    ("outcomes", "INSERT", "NEW.alert"),
    ("devices", "INSERT", "NULL"),
    ("devices", "UPDATE OF online, status", "NULL"),
    ("gaps", "INSERT", "NULL"),
    ("gaps", "DELETE", "NULL"),
    ("rollouts", "INSERT", "NULL"),
)
"""The tables, what is done to them, and the alert that it is about."""


# Made once: making a statement takes longer than asking it.
_ABOVE = sa.select(changes).where(changes.c.n > sa.bindparam("high")).order_by(changes.c.n)
_LATE = (
    sa.select(changes)
    .where(changes.c.n.in_(sa.bindparam("late", expanding=True)))
    .order_by(changes.c.n)
)


@dataclass(frozen=True)
class Change:
    """Something is new about an alert of `device`, or, where `alert` is None, about `device`."""

    device: str
    alert: str | None


def install(tx: sa.Connection) -> None:
    """Makes the triggers that are not there yet, on the tables that are: a store that is on its way
    to the present schema has not all of them."""
    there = set(sa.inspect(tx).get_table_names())
    noted = [one for one in _NOTED if one[0] in there]
    if tx.dialect.name == "postgresql":
        _install_in_postgresql(tx, noted)
    else:
        _install_in_sqlite(tx, noted)


class Reader:
    """Reads what changed since it was last told `done`. For one thread."""

    def __init__(self) -> None:
        self._high: int | None = None
        self._open: dict[int, float] = {}
        self._seen: list[int] = []

    def read(self, db: sa.Connection) -> list[Change]:
        """What is new, each change once, in the order of its latest note, and again until `done`;
        the first reading only finds out where to begin."""
        now = time.monotonic()
        if self._high is None:
            self._begin(db, now)
            return []
        late = [n for n in self._open if now - self._open[n] < _LATE_S]
        self._open = {n: self._open[n] for n in late}
        rows = db.execute(_ABOVE, {"high": self._high}).all()
        if late:
            rows = [*db.execute(_LATE, {"late": late[:_AT_ONCE]}).all(), *rows]
        self._seen = [row.n for row in rows]
        latest = {Change(row.device, row.alert): row.n for row in rows}
        return sorted(latest, key=lambda change: latest[change])

    def _begin(self, db: sa.Connection, now: float) -> None:
        """Whatever has a number below the highest and is not there yet may still come."""
        self._high = db.scalar(sa.select(sa.func.max(changes.c.n))) or 0
        recent = sa.select(changes.c.n).where(changes.c.n > self._high - _AT_ONCE)
        there = set(db.scalars(recent))
        first = max(1, self._high - _AT_ONCE + 1)
        self._open = {n: now for n in range(first, self._high) if n not in there}

    def done(self) -> None:
        """What was read last need not be read again."""
        seen, self._seen, now = self._seen, [], time.monotonic()
        if self._high is None:
            return
        for n in seen:
            self._open.pop(n, None)
            if n > self._high:
                skipped = range(max(self._high + 1, n - _LATE_MOST), n)
                self._open |= dict.fromkeys(skipped, now)
                self._high = n


def _noting(event: str, alert: str) -> str:
    row = "OLD" if event == "DELETE" else "NEW"
    return f"INSERT INTO changes (device, alert) VALUES ({row}.device, {alert})"  # noqa: S608 ours


def _install_in_sqlite(tx: sa.Connection, noted: Sequence[tuple[str, str, str]]) -> None:
    for number, (table, event, alert) in enumerate(noted):
        tx.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS change_{number} AFTER {event} ON {table} "
            f"BEGIN {_noting(event, alert)}; END"
        )
    tx.exec_driver_sql(
        "CREATE TRIGGER IF NOT EXISTS changes_trim AFTER INSERT ON changes "
        f"WHEN NEW.n % {_TRIM_EVERY} = 0 BEGIN {_TRIMMING}; END"
    )


def _install_in_postgresql(tx: sa.Connection, noted: Sequence[tuple[str, str, str]]) -> None:
    there = "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'change%' AND NOT tgisinternal"
    if tx.scalar(sa.text(there)) == len(noted) + 1:
        return
    for number, (table, event, alert) in enumerate(noted):
        _make_in_postgresql(tx, f"change_{number}", f"{event} ON {table}", _noting(event, alert))
    trimming = f"IF NEW.n % {_TRIM_EVERY} = 0 THEN {_TRIMMING}; END IF"
    _make_in_postgresql(tx, "changes_trim", "INSERT ON changes", trimming)


def _make_in_postgresql(tx: sa.Connection, name: str, event: str, done: str) -> None:
    tx.execute(
        sa.text(
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN {done}; RETURN NULL; END $$"
        )
    )
    tx.execute(
        sa.text(
            f"CREATE OR REPLACE TRIGGER {name} AFTER {event} FOR EACH ROW EXECUTE FUNCTION {name}()"
        )
    )
