"""The audit trail: written with the act, never changed unnoticed, removed by policy alone."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from central import audit, audit_cli
from central.store.schema import alerts
from central.store.schema import audit as trail
from central.store.store import Answer, AnsweredMeanwhile, Store, StoreFault, UnknownAlert
from scanner.alert import AnswerOutcome
from scanner.hash_chain import Broken, Head
from tests.delivery.both_ends import HeadOffice, over_both_databases
from tests.delivery.test_central_commands import run, store_alert

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def acts(store: Store, count: int, first: datetime = NOW) -> list[Head]:
    heads = []
    for number in range(count):
        with store.changing() as tx:
            at = first + number * DAY
            heads.append(
                audit.record(tx, "ann", "operator", "looked", f"x{number}", {"é": number}, at)
            )
    return heads


def verified(store: Store, noted: Head | None = None) -> Broken | None:
    with store.reading() as db:
        return audit.verify(db, noted)


def by_force(store: Store, *statements: str) -> None:
    """Changes the trail as somebody may who owns the database."""
    with store.changing() as tx:
        if tx.dialect.name == "postgresql":
            tx.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        else:
            tx.exec_driver_sql("DROP TRIGGER audit_keeps")
            tx.exec_driver_sql("DROP TRIGGER audit_stays")
        for statement in statements:
            tx.exec_driver_sql(statement)


@over_both_databases
def test_a_trail_that_nobody_touched_holds(store: Store) -> None:
    assert verified(store) is None
    heads = acts(store, 5)
    assert [head.n for head in heads] == [1, 2, 3, 4, 5]
    assert verified(store) is None
    assert all(verified(store, head) is None for head in heads)


@over_both_databases
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET actor = 'bob' WHERE n = 2", "DELETE FROM audit WHERE n = 2"],
)
def test_the_database_refuses_to_change_or_remove_a_row(store: Store, statement: str) -> None:
    acts(store, 3)
    with (
        pytest.raises(StoreFault, match="the audit trail is only ever added to"),
        store.changing() as tx,
    ):
        tx.exec_driver_sql(statement)
    assert verified(store) is None


@over_both_databases
@pytest.mark.parametrize(
    ("statement", "at"),
    [
        ("UPDATE audit SET actor = 'bob' WHERE n = 2", 2),
        ("UPDATE audit SET at = at + 1 WHERE n = 3", 3),
        ("UPDATE audit SET detail = '{}' WHERE n = 2", 2),
        ("DELETE FROM audit WHERE n = 2", 2),
        ("DELETE FROM audit WHERE n = 1", 1),
        ("UPDATE audit SET n = 9 WHERE n = 3", 3),
    ],
)
def test_a_row_that_was_changed_by_force_is_named(store: Store, statement: str, at: int) -> None:
    acts(store, 4)
    by_force(store, statement)
    broken = verified(store)
    assert broken is not None
    assert broken.n == at


@over_both_databases
def test_a_trail_that_was_cut_or_written_anew_does_not_hold_against_its_noted_head(
    store: Store,
) -> None:
    noted = acts(store, 4)[-1]
    by_force(store, "DELETE FROM audit WHERE n >= 3")
    assert verified(store) is None
    assert verified(store, noted) == Broken(4, "it was noted and is gone")
    acts(store, 2, NOW + DAY)
    assert verified(store, noted) == Broken(4, "it is another row than was noted")


@over_both_databases
def test_a_purge_by_policy_leaves_a_trail_that_holds(store: Store) -> None:
    heads = acts(store, 6)
    for days, expected in ((2, [3, 4, 5, 6, 7]), (4, [5, 6, 7, 8])):
        with store.changing() as tx:
            audit.purge(tx, NOW + days * DAY, "policy", "", NOW + 9 * DAY)
        with store.reading() as db:
            assert [row["n"] for row in audit.rows(db)] == expected
        assert verified(store) is None
    assert all(verified(store, head) is None for head in heads)
    with pytest.raises(StoreFault, match="only ever added to"), store.changing() as tx:
        tx.execute(trail.delete().where(trail.c.n == 5))
    by_force(store, "DELETE FROM audit WHERE n = 5")
    assert verified(store) == Broken(5, "the rows up to here were removed, and no purge says so")


def test_the_last_row_of_a_trail_is_never_purged(store: Store) -> None:
    acts(store, 1)
    with store.changing() as tx:
        assert audit.purge(tx, NOW + 99 * DAY, "policy", "", NOW) == 0


@over_both_databases
def test_an_act_that_fails_leaves_no_row_behind(store: Store) -> None:
    answer = Answer("none", AnswerOutcome.CONFIRMED, "", NOW + DAY, "ann")
    with pytest.raises(UnknownAlert):
        store.answer(answer, NOW)
    with store.reading() as db:
        assert audit.head(db).n == 0


@over_both_databases
def test_an_answer_is_in_the_trail_without_what_it_says_of_a_person(office: HeadOffice) -> None:
    alert_id = store_alert(office)
    answer = Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold her.", NOW + DAY, "ann", "It is her.")
    office.store.answer(answer, NOW, role="operator")
    with office.store.reading() as db:
        (row,) = audit.rows(db)
    told: dict[str, Any] = {key: row[key] for key in ("actor", "role", "action", "subject")}
    assert told == {"actor": "ann", "role": "operator", "action": "answered", "subject": alert_id}
    assert row["detail"]["outcome"] == "confirmed"
    assert "her" not in str(row["detail"])
    with office.store.reading() as db:
        alert = db.execute(sa.select(alerts)).one()
    assert (alert.answer, alert.answered_at) == ("confirmed", NOW.timestamp() * 1000)


@over_both_databases
def test_of_two_operators_who_answer_at_once_the_second_is_told(office: HeadOffice) -> None:
    alert_id = store_alert(office)
    first = Answer(alert_id, AnswerOutcome.CONFIRMED, "", NOW + DAY, "ann")
    second = Answer(alert_id, AnswerOutcome.NOT_CONFIRMED, "", NOW + DAY, "bob")
    answer_id = office.store.answer(first, NOW, seen=None)
    with pytest.raises(AnsweredMeanwhile, match="answered meanwhile by ann: confirmed"):
        office.store.answer(second, NOW, seen=None)
    assert [one["id"] for one in office.store.answers_to(alert_id)] == [answer_id]
    office.store.answer(second, NOW, seen=answer_id)
    assert [one["outcome"] for one in office.store.answers_to(alert_id)] == [
        "confirmed",
        "not_confirmed",
    ]


@over_both_databases
def test_a_trail_of_any_length_is_listed_whole_and_once(
    office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_cli, "AT_ONCE", 2)
    acts(office.store, 5)

    def listed(*more: str) -> list[int]:
        out, _ = run("audit", "list", "--json", "--config", str(office.config), *more)
        return [json.loads(row)["n"] for row in out.splitlines()]

    every = listed()
    assert every == sorted(set(every))
    assert len(every) >= 5
    assert listed("--after", str(every[-4])) == every[-3:]
    assert listed("--after", str(every[-1])) == []


def test_the_commands_list_and_verify_the_trail(office: HeadOffice) -> None:
    office.enrol("desk-1")
    alert_id = store_alert(office)
    config = ("--config", str(office.config))
    run("alerts", "answer", alert_id, "--confirmed", "--by", "ann", *config)
    out, _ = run("audit", "list", *config)
    assert f"ann  command line  answered  {alert_id}" in out
    out, _ = run("audit", "verify", *config)
    noted = out.split()[-1]
    run("audit", "verify", "--noted", noted, *config)
    by_force(office.store, "UPDATE audit SET actor = 'bob'")
    _, said = run("audit", "verify", *config, code=1)
    assert said == [
        "borderpost-central: the audit trail is broken at row 1: "
        "its words are not those that were written"
    ]
    _, said = run("audit", "verify", "--noted", "yesterday", *config, code=2)
    assert "NUMBER:HASH" in said[0]
