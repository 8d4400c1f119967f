"""Two Mosquittos that know nothing of one another: devices use one at a time, receivers both, and
PostgreSQL tells what came twice."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.receiving.inflow import Source
from central.store.store import Answer
from firmware.delivery.link import Address
from scanner.alert import AnswerOutcome, Message, StatusData, public_of, topic_of, unseal
from tests.delivery.both_ends import Desk, HeadOffice, Stranger, wait_for
from tests.delivery.broker import Broker
from tests.delivery.chaos_wire import Cut, Wires
from tests.delivery.nats_torture import load, settle
from tests.delivery.postgres import Cluster

SWITCHED_WITHIN_S = 40.0


@pytest.fixture
def first(broker: Broker) -> Broker:
    broker.start()
    return broker


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Broker]:
    folder = tmp_path / "second"
    folder.mkdir()
    with Broker(folder) as one:
        one.start()
        yield one


class Office(HeadOffice):
    """Headquarters whose receivers listen at both brokers, unless told to one of them alone."""

    only: int | None = None

    def sources(self) -> list[Source]:
        every = super().sources()
        return every if self.only is None else [every[self.only]]


def office_at(folder: Path, first: Broker, second: Broker, url: str) -> Office:
    one = Office(folder, first.port, "5", url)
    one.broker = one.broker.model_copy(update={"others": (f"127.0.0.1:{second.port}",)})
    return one


@pytest.fixture
def office(tmp_path: Path, first: Broker, second: Broker, postgresql: Cluster) -> Iterator[Office]:
    one = office_at(tmp_path, first, second, postgresql.database())
    yield one
    one.store.close()


def desk_at(office: HeadOffice, name: str, *ports: int) -> Desk:
    keys = office.enrol(name)
    one = Desk(office.folder / name, name, keys, ports[0], "5")
    one.link = replace(one.link, others=tuple(Address("127.0.0.1", port) for port in ports[1:]))
    return one


def test_a_broker_killed_for_good_under_load_loses_nothing_and_brings_nothing_twice(
    office: HeadOffice, first: Broker, second: Broker
) -> None:
    desks = [desk_at(office, f"desk-{i}", first.port, second.port) for i in range(3)]
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(office.receiving())
        for desk in desks:
            stack.enter_context(desk.running())
        with load(desks, per_s=15) as ids:
            wait_for(lambda: len(office.shown) > 30, SWITCHED_WITHIN_S)
            first.kill()
            there = len(ids)
            wait_for(lambda: all(desk.uplink.connected for desk in desks), SWITCHED_WITHIN_S)
            wait_for(lambda: len(ids) > there + 60, SWITCHED_WITHIN_S)
        counted = settle(office, desks, ids)
        at = {desk.uplink.state().broker.port for desk in desks}
    assert counted.is_well, counted
    assert at == {second.port}


def test_an_answer_reaches_a_desk_by_the_other_broker_than_its_alert_came_by(
    office: HeadOffice, first: Broker, second: Broker
) -> None:
    desk = desk_at(office, "desk-1", first.port, second.port)
    now = datetime.now(UTC)
    with desk.running() as uplink, office.receiving():
        alert_id = desk.raise_alert()
        wait_for(lambda: desk.outbox.queued() == 0)
        first.kill()
        until = now + timedelta(hours=2)
        office.store.answer(Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold.", until), now)
        wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"], SWITCHED_WITHIN_S)
        assert uplink.state().broker.port == second.port
    assert [one.alert for one in desk.answered] == [alert_id]


def keeps(stranger: Stranger, desk: Desk, *, online: bool) -> bool:
    """Whether the broker keeps that the desk is there, or that it is not."""
    signed = (public_of(desk.keys.signing),)
    said = [unseal(one.topic, bytes(one.payload), lambda _: signed) for one in stranger.heard[-1:]]
    return [one.data.online for one in said if isinstance(one.data, StatusData)] == [online]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["older first", "newer first"])
def test_of_two_statuses_that_two_brokers_kept_the_later_connection_counts(
    tmp_path: Path, office: Office, first: Broker, second: Broker, order: tuple[int, int]
) -> None:
    """The first broker keeps the last will of the connection that broke, the second the status of
    the one after it."""
    at_each = [desk_at(office, f"at-{port}", port) for port in (first.port, second.port)]
    with Wires() as wires, ExitStack() as stack:
        wire = wires.lay(first.port)
        desk = desk_at(office, "desk-1", wire.port, second.port)
        for one in (desk, *at_each):
            stack.enter_context(one.running())
        wait_for(lambda: desk.uplink.connected)
        wire.cut(Cut.DROP)
        for broker, online in ((first, False), (second, True)):
            with Stranger(broker.port) as stranger:
                stranger.listen(topic_of(Message.STATUS, "desk-1"))
                wait_for(lambda: keeps(stranger, desk, online=online))  # noqa: B023 - used at once
        for office.only in order:
            with office.receiving():
                after = at_each[office.only]
                after.raise_alert()
                wait_for(lambda: after.outbox.queued() == 0)  # noqa: B023 - used at once
        known = office.device("desk-1")
    assert known["online"] is True
