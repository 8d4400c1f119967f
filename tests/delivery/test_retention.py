"""What is kept no longer goes by policy, and leaves only that it was there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from central import audit, retention
from central.retention import Purged
from central.settings import RetentionSettings
from central.store.schema import alerts, answers, messages, outcomes, sequences, stats
from central.store.store import Answer, Received, Store
from scanner.alert import (
    Action,
    AnswerOutcome,
    Event,
    Message,
    OutcomeData,
    StatsData,
    new_id,
    source_of,
)
from tests.delivery.both_ends import HeadOffice, over_both_databases
from tests.delivery.test_central_commands import run, store_alert
from tests.delivery.test_store import EPOCH, commit, said

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=400)
POLICY = RetentionSettings(alerts_days=365, stats_days=30, audit_days=100)


def answered(
    store: Store,
    alert_id: str,
    outcome: AnswerOutcome = AnswerOutcome.CONFIRMED,
    *,
    hours: float = 1,
) -> None:
    until = LONG_AGO + timedelta(hours=hours)
    store.answer(Answer(alert_id, outcome, "Hold it.", until, "ann", "It is so."), LONG_AGO)


def purge(store: Store, policy: RetentionSettings = POLICY) -> Purged:
    due = retention.due(store, policy, NOW)
    purged = retention.purge(store, policy, NOW, actor="ann", role="command line")
    assert due.alerts == purged.alerts
    assert due.stats == purged.stats
    return purged


def rows(store: Store, table: sa.Table) -> list[Any]:
    with store.reading() as db:
        return list(db.execute(sa.select(table)).all())


@over_both_databases
def test_an_alert_goes_with_all_that_belongs_to_it_and_its_id_stays(store: Store) -> None:
    old, new = said(1), said(3)
    done = OutcomeData(alert=old.event.id, action=Action.RELEASED, at=LONG_AGO, note="It is she.")
    event = Event(Message.OUTCOME, new_id(), source_of("desk-1"), LONG_AGO, done, EPOCH, 2)
    store.commit([old, Received("desk-1", event, b"signed, too")], LONG_AGO)
    store.commit([new], NOW)
    answered(store, old.event.id)
    assert purge(store).alerts == 1
    assert [row.id for row in rows(store, alerts)] == [new.event.id]
    assert rows(store, answers) == rows(store, outcomes) == []
    payloads = {row.id: row.payload for row in rows(store, messages)}
    assert payloads == {old.event.id: b"", event.id: b"", new.event.id: b"signed"}
    assert [row.high for row in rows(store, sequences)] == [3]
    again = commit(store, old)
    assert (again.alerts, set(again.counters)) == ([], {"desk-1"})
    assert [row.id for row in rows(store, alerts)] == [new.event.id]


@over_both_databases
@pytest.mark.parametrize("answered_only", [True, False])
def test_an_alert_that_nobody_answered_for_good_stays_unless_the_policy_says_otherwise(
    store: Store, answered_only: bool
) -> None:
    open_still, asked_back = said(1), said(2)
    store.commit([open_still, asked_back], LONG_AGO)
    answered(store, asked_back.event.id, AnswerOutcome.NEED_MORE)
    policy = POLICY.model_copy(update={"answered_only": answered_only})
    assert purge(store, policy).alerts == (0 if answered_only else 2)


@over_both_databases
def test_an_alert_stays_while_its_answer_still_holds_at_the_desks(store: Store) -> None:
    one = said(1)
    store.commit([one], LONG_AGO)
    answered(store, one.event.id, hours=24 * 500)
    assert purge(store).alerts == 0


@over_both_databases
def test_hourly_counts_and_the_audit_trail_go_after_their_own_time(store: Store) -> None:
    for count, days in enumerate((40, 20), start=1):
        until = NOW - timedelta(days=days)
        data = StatsData(since=until, until=until, counts={"CLEAR": 9}, suppressed_below=5)
        event = Event(Message.STATS, new_id(), source_of("desk-1"), until, data, EPOCH, count)
        store.commit([Received("desk-1", event, b"signed")], until)
    for days in (300, 200, 10):
        with store.changing() as tx:
            audit.record(tx, "ann", "", "looked", "x", {}, NOW - timedelta(days=days))
    assert purge(store) == Purged(alerts=0, stats=1, audit=2)
    assert len(rows(store, stats)) == 1
    with store.reading() as db:
        actions = [row["action"] for row in audit.rows(db)]
        assert audit.verify(db) is None
    assert actions == ["looked", "purged", "audit purged"]


@over_both_databases
def test_what_is_to_be_kept_for_ever_stays(store: Store) -> None:
    one = said(1)
    store.commit([one], LONG_AGO)
    answered(store, one.event.id)
    for_ever = RetentionSettings(alerts_days=0, stats_days=0, audit_days=0)
    assert purge(store, for_ever) == Purged()
    with store.reading() as db:
        assert audit.head(db).n == 1


def test_many_go_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 7)
    every = [said(n) for n in range(1, 31)]
    store.commit(every, LONG_AGO)
    for one in every:
        answered(store, one.event.id)
    assert purge(store).alerts == 30
    assert rows(store, alerts) == []


TOLD = (
    "1 alerts, 0 hourly counts, 0 reports of updates, 0 reports of drills, "
    "0 rows of the audit trail"
)


def test_the_command_tells_first_and_then_does(office: HeadOffice) -> None:
    office.enrol("desk-1")
    config = ("--config", str(office.config))
    alert_id = store_alert(office)
    run("alerts", "answer", alert_id, "--confirmed", "--holds-hours", "0.01", *config)
    with office.store.changing() as tx:
        tx.execute(alerts.update().values(received_at=1))
        tx.execute(answers.update().values(until=1))
    with office.config.open("a") as file:
        file.write("[retention]\nalerts_days = 30\n")
    told, _ = run("purge", "--dry-run", *config)
    assert told == f"would purge {TOLD}\n"
    assert office.alert_ids() == [alert_id]
    done, _ = run("purge", *config)
    assert done == f"purged {TOLD}\n"
    assert office.alert_ids() == []
    out, _ = run("audit", "list", *config)
    assert "command line  purged  store" in out
