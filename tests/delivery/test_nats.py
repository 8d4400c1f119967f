"""The same devices against a NATS cluster: its servers speak MQTT to them, and receivers draw from
JetStream."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.inflow import Source
from central.nats_inflow import nats_sources
from central.nats_names import subject_of, topic_of_subject
from central.settings import load
from central.store import Answer
from firmware.link import Address
from scanner.alert import AnswerOutcome, Message, topic_of
from tests.delivery.both_ends import Desk, HeadOffice, wait_for
from tests.delivery.nats_cluster import PASSWORD, NatsCluster

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


class NatsOffice(HeadOffice):
    """Headquarters that listens at a cluster, in one of its accounts."""

    def __init__(self, folder: Path, cluster: NatsCluster, account: str, url: str) -> None:
        super().__init__(folder, 1, "3.1.1", url)
        password = folder / "password"
        password.write_text(PASSWORD)
        with self.config.open("a") as config:
            config.write(
                f"[nats]\nservers = {json.dumps([node.url for node in cluster.nodes])}\n"
                f'username = "{account}"\npassword_file = "{password}"\n'
            )

    def sources(self) -> list[Source]:
        return nats_sources(load(self.config).nats, PASSWORD)


@pytest.fixture
def office(
    tmp_path: Path, cluster: NatsCluster, account: str, store_url: str
) -> Iterator[HeadOffice]:
    one = NatsOffice(tmp_path, cluster, account, store_url)
    yield one
    one.store.close()


def desk_at(cluster: NatsCluster, office: HeadOffice, account: str, name: str = "desk-1") -> Desk:
    """A device that speaks to the first node, and knows the others."""
    keys = office.enrol(name)
    first, *others = [node.mqtt for node in cluster.nodes]
    one = Desk(office.folder / name, name, keys, first, "3.1.1")
    one.link = replace(
        one.link,
        others=tuple(Address("127.0.0.1", port) for port in others),
        username=account,
        password=PASSWORD,
    )
    return one


@pytest.fixture
def desk(cluster: NatsCluster, office: HeadOffice, account: str) -> Desk:
    return desk_at(cluster, office, account)


@pytest.mark.parametrize("name", NAMES)
def test_a_topic_and_its_subject_name_each_other_whatever_a_device_is_called(name: str) -> None:
    topic = topic_of(Message.ALERT, name)
    subject = subject_of(topic)
    assert topic_of_subject(subject) == topic
    assert len(subject.split(".")) == 4


def test_an_alert_arrives_is_acknowledged_and_answered(desk: Desk, office: HeadOffice) -> None:
    now = datetime.now(UTC)
    with desk.running(), office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0, UP_WITHIN_S)
        assert office.alert_ids() == [alert_id]
        wait_for(lambda: office.device("desk-1").get("online"))
        until = now + timedelta(hours=2)
        office.store.answer(Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold.", until), now)
        wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"])
        assert [one.alert for one in desk.answered] == [alert_id]
    wait_for(lambda: [row.id for row in office.shown] == [alert_id])
