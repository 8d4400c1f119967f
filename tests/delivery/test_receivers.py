"""Receivers: any number of them, killed, cut off or short of their database."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from central.answering import courier
from central.moments import to_ms
from central.settings import BrokerSettings
from central.store import batch, database, device_rows
from central.store.batch import Committed
from central.store.schema import devices
from central.store.store import Answer, Store, StoreAway
from scanner.alert import AnswerOutcome
from tests.delivery.both_ends import Desk, HeadOffice, over_both_databases, wait_for
from tests.delivery.broker import Broker
from tests.delivery.postgres import Cluster
from tests.delivery.test_central_commands import run

over_both_protocols = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
on_postgresql = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)


@pytest.fixture
def desks(tmp_path: Path, broker: Broker, office: HeadOffice) -> list[Desk]:
    names = [f"desk-{number}" for number in range(1, 4)]
    return [
        Desk(tmp_path / name, name, office.enrol(name), broker.port, office.broker.protocol)
        for name in names
    ]


@over_both_protocols
@on_postgresql
def test_a_receiver_that_is_killed_while_it_holds_messages_loses_nothing(
    broker: Broker, office: HeadOffice, desks: list[Desk]
) -> None:
    broker.start()
    victim, survivor = office.process(), office.process()
    for process in (victim, survivor):
        assert process.stderr is not None
        assert "receiving from" in process.stderr.readline()
    with ExitStack() as stack:
        stack.callback(survivor.kill)
        for one in desks:
            uplink = stack.enter_context(one.running())
            wait_for(lambda uplink=uplink: uplink.connected)
        wait_for(lambda: all(office.device(one.name).get("online") for one in desks))
        victim.send_signal(signal.SIGSTOP)
        raised = [one.raise_alert() for one in desks for _ in range(30)]
        wait_for(office.alert_ids, within_s=30)  # it may stand still in the middle of a batch
        held = [one.outbox.queued() for one in desks]
        victim.kill()
        victim.wait(5)
        wait_for(lambda: not any(one.outbox.queued() for one in desks), within_s=30)
        assert any(held), "the receiver that was to be killed held nothing"
        survivor.terminate()
        out, _ = survivor.communicate(timeout=10)
    assert sorted(office.alert_ids()) == sorted(raised)
    assert sum(any(one in line for one in raised) for line in out.splitlines()) == len(raised)
    assert all(office.device(one.name)["missing"] == [] for one in desks)


@on_postgresql
def test_a_receiver_that_stands_still_in_the_middle_of_a_batch_does_not_hold_up_the_others(
    office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STILL_S", 1.0)
    frozen, other = Store(office.url), Store(office.url)
    now = datetime.now(UTC)

    def change(store: Store, before_it_ends: Callable[[], None] = lambda: None) -> None:
        with store.changing() as tx:
            device_rows.locked(tx, ["desk-1"], to_ms(now))
            before_it_ends()
            tx.execute(devices.update().values(heard_at=to_ms(now) + 1))

    with pytest.raises(StoreAway, match="idle-in-transaction"):
        change(frozen, before_it_ends=lambda: change(other))
    change(frozen)
    frozen.close()
    other.close()


@on_postgresql
def test_a_receiver_that_stood_still_for_too_long_says_so_once_and_begins_its_batch_again(
    broker: Broker,
    office: HeadOffice,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "STILL_S", 0.5)
    store, stood = batch.store, threading.Event()

    def once_standing_still(*given: Any) -> Committed:
        committed = store(*given)
        if not stood.is_set():
            stood.set()
            time.sleep(1.5)
        return committed

    monkeypatch.setattr(batch, "store", once_standing_still)
    office.store.close()
    office.store = Store(office.url)
    broker.start()
    with desk.running(), office.receiving():
        raised = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0, within_s=30)
    assert office.alert_ids() == [raised]
    assert [line for line in caplog.messages if "the store refuses" in line] == [
        "the store refuses: terminating connection due to idle-in-transaction timeout; "
        "nothing is acknowledged until it takes it"
    ]


@over_both_databases
def test_an_answer_that_another_process_records_leaves_at_once(
    broker: Broker, desk: Desk, office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "LOOK_EVERY_S", 60.0)
    broker.start()
    console = Store(office.url)
    with desk.running(), office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0)
        now = datetime.now(UTC)
        answer = Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold it.", now + timedelta(hours=1))
        console.answer(answer, now)
        wait_for(lambda: desk.answered, within_s=5)
    console.close()


def test_a_receiver_listens_at_every_broker_and_answers_where_the_device_is(
    tmp_path: Path, broker: Broker, office: HeadOffice, desk: Desk
) -> None:
    (tmp_path / "other").mkdir()
    with Broker(tmp_path / "other") as other:
        other.start()
        office.broker = BrokerSettings(
            host="127.0.0.1", port=broker.port, others=(f"127.0.0.1:{other.port}",)
        )
        elsewhere = Desk(tmp_path / "desk-2", "desk-2", office.enrol("desk-2"), other.port, "5")
        with office.receiving() as receiver, elsewhere.running():
            wait_for(lambda: receiver.connected)
            alert_id = elsewhere.raise_alert()
            wait_for(lambda: elsewhere.outbox.queued() == 0)
            broker.start()
            now = datetime.now(UTC)
            until = now + timedelta(hours=1)
            office.store.answer(Answer(alert_id, AnswerOutcome.CONFIRMED, "", until), now)
            wait_for(lambda: elsewhere.answered)
            with desk.running():
                desk.raise_alert()
                wait_for(lambda: desk.outbox.queued() == 0, within_s=30)
    assert len(office.alert_ids()) == 2


def test_a_receiver_that_starts_is_told_what_waited_for_it(
    broker: Broker, office: HeadOffice, desk: Desk
) -> None:
    broker.start()
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        raised = [desk.raise_alert() for _ in range(3)]
        wait_for(lambda: desk.outbox.queued() == 3)
        with office.receiving():
            wait_for(lambda: desk.outbox.queued() == 0)
    assert sorted(office.alert_ids()) == sorted(raised)


@on_postgresql
def test_while_the_database_is_down_nothing_is_acknowledged_and_all_is_caught_up(
    broker: Broker, office: HeadOffice, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    broker.start()
    with Cluster(durable=True) as cluster, caplog.at_level(logging.WARNING):
        office.store.close()
        office.url = cluster.database()
        office.store = Store(office.url)
        with office.receiving() as receiver, desk.running():
            first = desk.raise_alert()
            wait_for(lambda: desk.outbox.queued() == 0)
            cluster.stop()
            second = desk.raise_alert()
            wait_for(lambda: "nothing is acknowledged" in caplog.text)
            assert desk.outbox.queued() == 1
            assert receiver.connected
            cluster.start()
            wait_for(lambda: desk.outbox.queued() == 0, within_s=30)
            assert office.alert_ids() == [first, second]
            cluster.kill()
            third = desk.raise_alert()
            cluster.start()
            wait_for(lambda: desk.outbox.queued() == 0, within_s=30)
            assert office.alert_ids() == [first, second, third]
        office.store.close()
    assert "L898902C3" not in caplog.text


def test_a_receiver_waits_for_a_database_that_is_not_there_yet_and_says_why_in_one_line(
    broker: Broker, office: HeadOffice, desk: Desk
) -> None:
    broker.start()
    with Cluster() as cluster, desk.running():
        alert_id = desk.raise_alert()
        url = cluster.database()
        cluster.stop()
        text = office.config.read_text()
        office.config.write_text(text.replace(office.url, url))
        process = office.process()
        assert process.stderr is not None
        assert "Connection refused; it is tried again" in process.stderr.readline()
        other = office.process()
        assert other.stderr is not None
        assert "it is tried again" in other.stderr.readline()
        other.terminate()
        assert other.communicate(timeout=15) == ("", "")
        assert other.returncode == 0
        cluster.start()
        wait_for(lambda: desk.outbox.queued() == 0, within_s=40)
        process.terminate()
        out, err = process.communicate(timeout=15)
    assert alert_id in out
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"name": "nothing"}, 'database "nothing" does not exist'),
    ],
)
def test_a_database_that_refuses_is_said_in_one_line_without_the_password(
    office: HeadOffice, postgresql: Cluster, change: dict[str, str], said: str
) -> None:
    url = postgresql.url(**{"name": "postgres", **change})
    office.config.write_text(office.config.read_text().replace(office.url, url))
    _, lines = run("alerts", "--config", str(office.config), code=1)
    assert len(lines) == 1
    assert said in lines[0]
    assert "wrong" not in lines[0]


@over_both_databases
def test_a_message_that_the_database_does_not_take_holds_up_no_other(
    broker: Broker, office: HeadOffice, desks: list[Desk], caplog: pytest.LogCaptureFixture
) -> None:
    with office.store.changing() as tx:
        tx.exec_driver_sql(
            "ALTER TABLE alerts ADD CHECK (number <> 'POISON')"
            if tx.dialect.name == "postgresql"
            else "CREATE TRIGGER poison BEFORE INSERT ON alerts WHEN NEW.number = 'POISON' "
            "BEGIN SELECT RAISE(ABORT, 'not this'); END"
        )
    broker.start()
    culprit, *others = desks
    culprit.raise_alert()
    culprit.raise_alert("POISON")
    culprit.raise_alert()
    for one in others:
        one.raise_alert()
    with ExitStack() as stack, office.receiving():
        for one in desks:
            stack.enter_context(one.running())
        wait_for(lambda: not any(one.outbox.queued() for one in others), within_s=30)
        wait_for(lambda: culprit.outbox.queued() == 1, within_s=30)
        wait_for(lambda: "unstorable" in caplog.text)
    assert len(office.alert_ids()) == 4
    assert "POISON" not in caplog.text
