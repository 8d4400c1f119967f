"""The audit trail as the console shows it."""

from datetime import UTC, datetime

import sqlalchemy as sa

from central import audit
from central.console.audit_view import Chain
from central.store.schema import audit as trail
from tests.console.office import Office


def fill(office: Office, rows: int) -> None:
    with office.store.changing() as tx:
        for n in range(rows):
            audit.record(tx, "olga", "operator", "tested", f"row {n}", {"n": n}, datetime.now(UTC))


def test_the_trail_is_read_newest_first_page_by_page(office: Office) -> None:
    fill(office, 7)
    told, before = [], None
    with office.signed_in("ada") as browser:
        while True:
            cursor = {} if before is None else {"before": before}
            page = browser.get("/console/audit", params={"limit": 3, **cursor}).json()
            assert page["intact"] is True
            told += [(row["n"], row["actor"], row["detail"]["n"]) for row in page["rows"]]
            before = page["next"]
            if before is None:
                break
    assert told == [(n, "olga", n - 1) for n in range(7, 0, -1)]


def unguarded(office: Office, statement: sa.Executable) -> None:
    """Changes the trail as somebody does who owns the database."""
    with office.store.changing() as tx:
        named = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for name in [name for name in tx.scalars(named) if "audit" in name]:
            tx.execute(sa.text(f"DROP TRIGGER {name}"))
        tx.execute(statement)


def test_a_row_that_was_changed_is_noticed(office: Office) -> None:
    fill(office, 5)
    unguarded(office, trail.update().where(trail.c.n == 3).values(actor="somebody else"))
    with office.signed_in("ada") as browser:
        assert browser.get("/console/audit").json()["intact"] is False


def test_the_latest_rows_cannot_go_unnoticed_while_the_console_runs(office: Office) -> None:
    fill(office, 5)
    with office.signed_in("ada") as browser:
        assert browser.get("/console/audit").json()["intact"] is True
        unguarded(office, trail.delete().where(trail.c.n > 3))
        assert browser.get("/console/audit").json()["intact"] is False


def test_only_what_is_new_is_verified_each_time(office: Office) -> None:
    chain = Chain()
    fill(office, 5)
    with office.store.reading() as db:
        assert chain.is_intact(db)
    fill(office, 5)
    unguarded(office, trail.update().where(trail.c.n == 8).values(subject="another"))
    with office.store.reading() as db:
        assert not chain.is_intact(db)
        assert not chain.is_intact(db)
