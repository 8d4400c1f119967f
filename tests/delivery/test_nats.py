"""The same devices against a NATS cluster: its servers speak MQTT to them, and receivers draw from
JetStream."""

import asyncio
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nats
import pytest
from nats.js import api

from central import settings
from central.brokers.nats_names import SAID, subject_of, topic_of_subject
from central.lists import hints
from central.store.store import Answer
from scanner.alert import AnswerOutcome, Message, RolloutData, UpdateOutcome, topic_of
from tests.delivery.both_ends import Desk, HeadOffice, wait_for
from tests.delivery.chaos_wire import Cut, Wires
from tests.delivery.nats_cluster import PASSWORD, NatsCluster
from tests.delivery.nats_site import NatsOffice, desk_at
from tests.delivery.nats_torture import kill_all, kill_in_turn, load, settle

NAMES = ["desk-1", "desk.1", "a..b", "x.", "d_1"]
UP_WITHIN_S = 60.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[NatsCluster]:
    with NatsCluster() as one:
        yield one


@pytest.fixture
def account(cluster: NatsCluster) -> str:
    cluster.wait_until_whole()
    return cluster.account()


@pytest.fixture
def office(
    tmp_path: Path, cluster: NatsCluster, account: str, store_url: str
) -> Iterator[HeadOffice]:
    one = NatsOffice(tmp_path, cluster, account, store_url)
    yield one
    one.store.close()


@pytest.fixture
def desk(cluster: NatsCluster, office: HeadOffice, account: str) -> Desk:
    return desk_at(cluster, office, account, "desk-1")


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_and_its_subject_name_each_other_whatever_a_device_is_called(name: str) -> None:
    topic = topic_of(Message.ALERT, name)
    subject = subject_of(topic)
    assert topic_of_subject(subject) == topic
    assert len(subject.split(".")) == 4


@pytest.mark.parametrize("name", ["desk-1", "desk.1"])
def test_an_alert_arrives_is_acknowledged_and_answered_and_a_hint_is_heard(
    cluster: NatsCluster, office: HeadOffice, account: str, name: str
) -> None:
    now = datetime.now(UTC)
    desk = desk_at(cluster, office, account, name)
    desk.ring = "all"
    with desk.running(), office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)
        assert office.alert_ids() == [alert_id]
        wait_for(lambda: office.device(name).get("online"))
        until = now + timedelta(hours=2)
        office.store.answer(Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold.", until), now)
        wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"])
        assert [one.alert for one in desk.answered] == [alert_id]
        hints.say(settings.load(office.config), office.store, "all", "sltd 8")
        wait_for(lambda: [one.publication for one in desk.hinted] == ["sltd 8"])
    wait_for(lambda: [row.id for row in office.shown] == [alert_id])


def test_a_stream_of_an_earlier_release_takes_the_messages_of_this_one(
    cluster: NatsCluster, account: str, desk: Desk, office: HeadOffice
) -> None:
    alerts = subject_of(topic_of(Message.ALERT, "desk-1")).replace("desk-1", "*")

    async def of_an_earlier_release() -> None:
        async with await nats.connect(cluster.nodes[0].url, user=account, password=PASSWORD) as one:
            kept = api.StreamConfig(
                name=SAID, subjects=[alerts], retention=api.RetentionPolicy.WORK_QUEUE
            )
            await one.jetstream().add_stream(kept)

    asyncio.run(of_an_earlier_release())
    said = RolloutData(list="sltd", ring="all", outcome=UpdateOutcome.CURRENT, at=datetime.now(UTC))
    desk.outbox.put(Message.ROLLOUT, said, datetime.now(UTC))
    with desk.running(), office.receiving():
        wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)


def test_a_device_costs_the_cluster_no_queue_of_its_own(
    cluster: NatsCluster, desk: Desk, office: HeadOffice, account: str
) -> None:
    with desk.running() as uplink, office.receiving():
        desk.raise_alert()
        wait_for(lambda: uplink.connected and desk.outbox.queued() == 0, UP_WITHIN_S)
        assert asyncio.run(_queues_of_sessions(cluster, account)) == 0


def test_receive_draws_from_the_configured_cluster_and_ends_cleanly_when_told_to(
    desk: Desk, office: HeadOffice
) -> None:
    process = office.process()
    with desk.running():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert [alert_id in line for line in out.splitlines()] == [True]
    assert "receiving from nats://" in err
    assert "L898902C3" not in err
    assert "Traceback" not in err


def test_a_receiver_that_was_killed_leaves_what_it_took_to_another(
    desk: Desk, office: HeadOffice
) -> None:
    killed = office.process_killed_at("before_commit")
    with desk.running():
        ids = [desk.raise_alert() for _ in range(40)]
        assert killed.wait(30) == -signal.SIGKILL
        with office.receiving(), office.receiving():
            wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)
            wait_for(lambda: len(office.shown) == len(ids))
    assert sorted(office.alert_ids()) == sorted(ids)
    assert sorted(row.id for row in office.shown) == sorted(ids)
    assert office.device("desk-1")["missing"] == []


def test_statuses_are_heard_from_the_start_and_a_cut_off_device_shows_as_offline(
    desk: Desk, office: HeadOffice, cluster: NatsCluster, account: str, tmp_path: Path
) -> None:
    other = tmp_path / "another store"
    shutil.copytree(office.folder / "keys", other / "keys")
    later = NatsOffice(other, cluster, account, f"sqlite:///{other}/central.db")
    with Wires() as wires:
        wire = wires.lay(desk.link.port)
        desk.link = replace(desk.link, port=wire.port, others=(), keepalive_s=2)
        with desk.running():
            with office.receiving():
                wait_for(lambda: office.device("desk-1").get("online"), UP_WITHIN_S)
            with later.receiving():
                wait_for(lambda: later.device("desk-1").get("online"), UP_WITHIN_S)
                wire.cut(Cut.BLACK_HOLE)
                wait_for(lambda: later.device("desk-1").get("online") is False)
                wire.mend()
                wait_for(lambda: later.device("desk-1").get("online"))
    later.store.close()


def test_a_device_whose_node_is_gone_goes_on_at_another(
    cluster: NatsCluster, desk: Desk, office: HeadOffice
) -> None:
    now = datetime.now(UTC)
    with desk.running() as uplink, office.receiving():
        wait_for(lambda: uplink.connected, UP_WITHIN_S)
        assert str(uplink.state().broker) == f"127.0.0.1:{cluster.nodes[0].mqtt}"
        cluster.nodes[0].kill()
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)
        assert str(uplink.state().broker) != f"127.0.0.1:{cluster.nodes[0].mqtt}"
        until = now + timedelta(hours=2)
        office.store.answer(Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold.", until), now)
        wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"], UP_WITHIN_S)
    cluster.nodes[0].start()
    assert office.alert_ids() == [alert_id]


def test_a_receiver_at_a_server_that_is_left_alone_says_what_is_missing(
    cluster: NatsCluster,
    desk: Desk,
    office: HeadOffice,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("central.receiving.nats_inflow.READY_WITHIN_S", 2.0)
    for node in cluster.nodes[1:]:
        node.kill()
    with desk.running(), office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: "needs most of the cluster's servers" in caplog.text, UP_WITHIN_S)
        assert office.alert_ids() == []
        for node in cluster.nodes[1:]:
            node.start()
        wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)
    assert office.alert_ids() == [alert_id]


def test_a_node_killed_under_load_and_then_all_of_them_lose_nothing(
    cluster: NatsCluster, office: NatsOffice, account: str
) -> None:
    desks = [desk_at(cluster, office, account, f"desk-{i}", i) for i in range(3)]
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(office.receiving())
        for desk in desks:
            stack.enter_context(desk.running())
        with load(desks, per_s=5) as ids:
            wait_for(lambda: len(office.shown) > 3, UP_WITHIN_S)
            kill_in_turn(cluster, cluster.nodes[:1])
            kill_all(cluster)
        counted = settle(office, desks, ids)
    assert counted.is_well, counted


async def _queues_of_sessions(cluster: NatsCluster, account: str) -> int:
    """How many subscriptions the server keeps messages for, by the stream that it keeps them in."""
    client = await nats.connect(cluster.nodes[0].url, user=account, password=PASSWORD)
    info = await client.jetstream().stream_info("$MQTT_msgs")
    await client.close()
    return info.state.consumer_count
