"""From the outbox to headquarters' store and back, through a real Mosquitto."""

import logging
import signal
import socket
import sqlite3
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.store.store import Answer, Store, StoreFault
from firmware.delivery.outbox import OutboxFault
from scanner.alert import AnswerOutcome
from tests.delivery.both_ends import Desk, HeadOffice, document, wait_for
from tests.delivery.broker import Broker

over_both_protocols = pytest.mark.parametrize("protocol", ["5", "3.1.1"])


@over_both_protocols
def test_an_alert_raised_while_the_broker_is_down_arrives_exactly_once_when_it_is_up(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    with desk.running() as uplink, office.receiving():
        alert_id = desk.raise_alert()
        time.sleep(0.3)
        assert (uplink.connected, uplink.queued) == (False, 1)
        broker.start()
        wait_for(lambda: desk.outbox.queued() == 0)
        assert office.alert_ids() == [alert_id]
        wait_for(lambda: office.shown)
        assert [row.id for row in office.shown] == [alert_id]


def test_a_link_that_is_up_carries_an_alert_at_once(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with desk.running() as uplink, office.receiving():
        wait_for(lambda: uplink.connected and office.device("desk-1").get("online"))
        began = time.monotonic()
        desk.raise_alert()
        wait_for(lambda: office.shown, within_s=1.0)
        assert time.monotonic() - began < 1.0


@over_both_protocols
def test_a_burst_arrives_whole_in_order_and_without_a_gap(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    ids = [desk.raise_alert() for _ in range(150)]
    broker.start()
    with office.receiving() as receiver:
        wait_for(lambda: receiver.connected)
        with desk.running():
            wait_for(lambda: desk.outbox.queued() == 0)
    assert office.alert_ids() == ids
    assert office.device("desk-1")["missing"] == []


def test_what_a_killed_broker_had_acknowledged_and_forgot_arrives_all_the_same(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with office.receiving() as receiver:
        wait_for(lambda: receiver.connected)
    ids = [desk.raise_alert() for _ in range(5)]
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        time.sleep(0.5)
        broker.kill()
        broker.start()
        with office.receiving():
            wait_for(lambda: desk.outbox.queued() == 0)
    assert sorted(office.alert_ids()) == sorted(ids)


def test_a_broker_that_takes_messages_while_nobody_receives_loses_none(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    alert_id = desk.raise_alert()
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        time.sleep(0.3)
        assert uplink.queued == 1
        with office.receiving():
            wait_for(lambda: desk.outbox.queued() == 0)
    assert office.alert_ids() == [alert_id]


def test_a_device_killed_and_started_anew_sends_what_was_not_acknowledged(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with desk.running():
        alert_id = desk.raise_alert()
        time.sleep(0.3)
    assert desk.outbox.queued() == 1
    with desk.running(), office.receiving():
        wait_for(lambda: desk.outbox.queued() == 0)
    assert office.alert_ids() == [alert_id]


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_receiver_that_is_killed_at_a_commit_has_the_alert_exactly_once(
    broker: Broker, desk: Desk, office: HeadOffice, point: str
) -> None:
    broker.start()
    killed = office.process_killed_at(point)
    alert_id = desk.raise_alert()
    with desk.running():
        assert killed.wait(15) == -signal.SIGKILL
        assert desk.outbox.queued() == 1
        assert office.alert_ids() == ([alert_id] if point == "after_commit" else [])
        with office.receiving():
            wait_for(lambda: desk.outbox.queued() == 0)
            wait_for(lambda: office.shown)
    assert office.alert_ids() == [alert_id]
    assert [row.id for row in office.shown] == [alert_id]


def test_receive_prints_each_alert_on_one_line_and_ends_cleanly_when_told_to(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    process = office.process()
    with desk.running():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=10)
    assert process.returncode == 0
    (line,) = out.splitlines()
    for part in ("desk-1", "Utopia North / 1", "HIT", "UTO L898902C3 passport", alert_id):
        assert part in line
    assert "L898902C3" not in err
    assert "Traceback" not in err


@over_both_protocols
def test_a_good_answer_reaches_the_desk_once_and_is_held(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    now = datetime.now(UTC)
    with desk.running(), office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0)
        until = now + timedelta(hours=2)
        outcome = AnswerOutcome.NOT_CONFIRMED
        answer_id = office.store.answer(Answer(alert_id, outcome, "Let go.", until), now)
        wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"])
        assert desk.answers.held() == (answer_id,)
        (answered,) = desk.answered
    assert (answered.alert, answered.outcome) == (alert_id, outcome)
    held = desk.answers.holding(document(), now)
    assert held is not None
    assert (held.outcome, held.instruction) == ("not_confirmed", "Let go.")
    assert desk.answers.holding(document("L898902C4"), now) is None
    assert desk.answers.holding(document(), until + timedelta(seconds=1)) is None


def test_an_answer_given_while_the_device_is_away_is_there_when_it_comes_back(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    now = datetime.now(UTC)
    with office.receiving():
        with desk.running():
            alert_id = desk.raise_alert()
            wait_for(lambda: desk.outbox.queued() == 0)
        wait_for(lambda: office.device("desk-1").get("online") is False)
        outcome = AnswerOutcome.CONFIRMED
        office.store.answer(Answer(alert_id, outcome, "Hold it.", now + timedelta(days=1)), now)
        with desk.running():
            wait_for(lambda: desk.answered)
            wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"])


@over_both_protocols
def test_a_device_is_online_then_offline_when_it_stops(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with office.receiving():
        with desk.running():
            wait_for(lambda: office.device("desk-1").get("online"))
        wait_for(lambda: office.device("desk-1").get("online") is False)


def test_the_last_will_shows_a_device_that_froze_as_offline(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with office.receiving():
        frozen = desk.process()
        wait_for(lambda: office.device("desk-1").get("online"))
        frozen.send_signal(signal.SIGSTOP)
        try:
            wait_for(lambda: office.device("desk-1").get("online") is False)
        finally:
            frozen.kill()
            frozen.wait(5)


def test_a_broker_that_stands_still_is_noticed_and_said_at_the_desk(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        broker.freeze()
        wait_for(lambda: not uplink.connected, within_s=2 * desk.link.keepalive_s + 1)
        broker.thaw()
        wait_for(lambda: uplink.connected)


@pytest.mark.parametrize(
    "manners", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["mute", "http"]
)
def test_whatever_else_stands_at_the_broker_s_port_is_survived_and_said_once(
    broker: Broker, desk: Desk, caplog: pytest.LogCaptureFixture, manners: bytes
) -> None:
    caplog.set_level(logging.INFO, "firmware.delivery.uplink")
    with desk.running() as uplink:
        with socket.create_server(("127.0.0.1", broker.port)) as server:
            for _ in range(2):
                visitor, _ = server.accept()
                visitor.sendall(manners)
                visitor.close()
        broker.start()
        wait_for(lambda: uplink.connected)
    said = [record.getMessage() for record in caplog.records]
    assert "up, to" in said[-1]
    assert len(said) == len(set(said))


def test_a_broker_that_refuses_the_device_is_said_and_tried_again(
    tmp_path: Path, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with Broker(tmp_path, anonymous=False) as strict, caplog.at_level(logging.INFO):
        strict.start()
        desk.link = replace(desk.link, port=strict.port)
        with desk.running():
            wait_for(lambda: "the broker refuses the connection" in caplog.text)
            time.sleep(1.5)
    assert caplog.text.count("the broker refuses the connection") == 1


def test_a_store_that_refuses_acknowledges_nothing_and_catches_up(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    path = office.url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE messages RENAME TO away")
    with office.receiving() as receiver, desk.running():
        wait_for(lambda: receiver.connected)
        alert_id = desk.raise_alert()
        time.sleep(0.7)
        assert desk.outbox.queued() == 1
        with sqlite3.connect(path) as other:
            other.execute("ALTER TABLE away RENAME TO messages")
        wait_for(lambda: desk.outbox.queued() == 0)
    assert office.alert_ids() == [alert_id]


def test_what_waited_while_the_device_was_enrolled_anew_arrives_all_the_same(
    tmp_path: Path, broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    alert_id = desk.raise_alert()
    desk.outbox.close()
    (office.folder / "keys" / "devices" / "desk-1.pub.jwk").unlink()
    office.authority.enrol("desk-1", tmp_path / "anew")
    broker.start()
    again = Desk(desk.folder, "desk-1", tmp_path / "anew", broker.port, "5")
    with again.running(), office.receiving():
        wait_for(lambda: again.outbox.queued() == 0)
    assert office.alert_ids() == [alert_id]


def test_a_device_with_a_new_card_whose_clock_is_set_only_later_is_online_and_gets_its_answer(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    with desk.running(), office.receiving():
        wait_for(lambda: office.device("desk-1").get("online"))
    desk.outbox.close()
    for file in desk.folder.iterdir():
        file.unlink()
    desk.clock_is_off = timedelta(days=-400)
    with desk.running(), office.receiving():
        alert_id = desk.raise_alert()
        wait_for(office.alert_ids)
        now = datetime.now(UTC)
        until = now + timedelta(hours=1)
        office.store.answer(Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold it.", until), now)
        desk.clock_is_off = timedelta()
        wait_for(lambda: office.device("desk-1").get("online"))
        wait_for(lambda: desk.answered)


def test_a_device_whose_disk_refuses_says_so_to_central_and_once_to_its_log(
    broker: Broker, desk: Desk, office: HeadOffice, caplog: pytest.LogCaptureFixture
) -> None:
    (desk.folder / "outbox.db").parent.mkdir()
    (desk.folder / "outbox.db").write_bytes(b"no database at all, whatever it is called " * 99)
    broker.start()
    with office.receiving(), desk.running() as uplink, caplog.at_level(logging.WARNING):
        wait_for(lambda: uplink.connected and office.device("desk-1").get("online"))
        caplog.clear()
        time.sleep(3.0)
    (fault,) = office.device("desk-1")["status"]["faults"]
    assert fault["part"] == "disk"
    assert "damaged" in fault["message"]
    assert "damaged" not in caplog.text


def test_what_is_due_and_cannot_go_is_tried_again_without_burning_the_processor(
    broker: Broker, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OutboxFault("the disk refuses")

    broker.start()
    desk.raise_alert()
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        time.sleep(0.3)
        monkeypatch.setattr(desk.outbox, "waiting_of", refuse)
        time.sleep(0.5)
        began = time.process_time()
        time.sleep(2.0)
        assert time.process_time() - began < 0.2


def test_an_alert_is_shown_once_also_while_the_store_refuses_to_take_note_of_it(
    broker: Broker, desk: Desk, office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreFault("the disk is full")

    broker.start()
    with monkeypatch.context() as full, desk.running(), office.receiving():
        full.setattr(Store, "mark_shown", refuse)
        raised = [desk.raise_alert(), desk.raise_alert()]
        wait_for(lambda: len(office.shown) >= 2)
        time.sleep(2.5)
        full.undo()
        wait_for(lambda: not list(office.store.unshown()))
    assert [row.id for row in office.shown] == raised
