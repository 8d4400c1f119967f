"""Whoever can speak at the broker, but has no key that counts, changes nothing at either end."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from joserfc.jwk import OKPKey

from central.receiving.receiver import Receiver
from central.store.store import Answer, UnknownAlert
from firmware.delivery.uplink import Uplink
from scanner.alert import (
    CENTRAL,
    AckData,
    Acknowledged,
    AnswerData,
    AnswerOutcome,
    CommandData,
    Data,
    Event,
    Message,
    Order,
    StatusData,
    UpdateData,
    new_id,
    new_key,
    read_key,
    ring_topic,
    seal,
    source_of,
    topic_of,
    unseal,
)
from tests.delivery.both_ends import (
    NOW,
    Desk,
    HeadOffice,
    Stranger,
    alert,
    document,
    wait_for,
)
from tests.delivery.broker import Broker

FAR = 2**52
STRANGER_KEY = new_key()


@pytest.fixture
def uplink(desk: Desk, stranger: Stranger) -> Iterator[Uplink]:
    """A desk that is up and whose one alert nobody receives."""
    desk.raise_alert()
    with desk.running() as one:
        wait_for(lambda: one.connected)
        yield one


def sealed(message: Message, data: Data, key: OKPKey, source: str = CENTRAL) -> bytes:
    return seal(Event(message, new_id(), source, datetime.now(UTC), data), key)


def ack_of(desk: Desk, device: str = "desk-1", counter: int = FAR) -> AckData:
    (waiting,) = desk.outbox.waiting(1)
    one = Acknowledged(id=waiting.id, epoch=desk.outbox.epoch(), n=waiting.n)
    return AckData(device=device, counter=counter, committed=(one,))


def central_key(office: HeadOffice) -> OKPKey:
    return read_key(office.folder / "keys" / "central.jwk", private=True)


def test_an_acknowledgement_that_central_did_not_sign_changes_nothing(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    topic = topic_of(Message.ACK, "desk-1")
    unsigned = sealed(Message.ACK, ack_of(desk), central_key(office)).split(b".")
    forgeries = [
        sealed(Message.ACK, ack_of(desk), STRANGER_KEY),
        sealed(Message.ACK, ack_of(desk), desk.keys.signing),
        sealed(Message.ACK, ack_of(desk, device="desk-2"), central_key(office)),
        b"eyJhbGciOiJub25lIn0." + unsigned[1] + b".",
        b"eyJhbGciOiJub25lIn0." + unsigned[1] + b"." + unsigned[2],
        b"",
        b"{}",
        bytes(range(256)) * 8,
    ]
    for payload in forgeries:
        stranger.say(topic, payload)
    wait_for(lambda: uplink.refused == len(forgeries))
    assert desk.outbox.queued() == 1


def test_a_true_acknowledgement_cannot_be_said_again(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    topic = topic_of(Message.ACK, "desk-1")
    said = sealed(Message.ACK, ack_of(desk), central_key(office))
    stranger.say(topic, said)
    wait_for(lambda: desk.outbox.queued() == 0)
    desk.raise_alert()
    stranger.say(topic, said)
    stranger.say(topic, sealed(Message.ACK, ack_of(desk), central_key(office)))
    wait_for(lambda: uplink.refused == 2)
    assert desk.outbox.queued() == 1


def test_a_forged_or_replayed_answer_changes_nothing(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    (waiting,) = desk.outbox.waiting(1)
    now = datetime.now(UTC)
    true = AnswerData(
        device="desk-1",
        counter=7,
        alert=waiting.id,
        outcome=AnswerOutcome.CONFIRMED,
        at=now,
        until=now + timedelta(hours=1),
    )
    topic, key = topic_of(Message.ANSWER, "desk-1"), central_key(office)
    stranger.say(topic, sealed(Message.ANSWER, true, key))
    wait_for(lambda: desk.answered == [true])
    other = {"outcome": AnswerOutcome.NOT_CONFIRMED}
    forgeries = [
        sealed(Message.ANSWER, true.model_copy(update=other | {"counter": 8}), STRANGER_KEY),
        sealed(Message.ANSWER, true.model_copy(update=other | {"device": "desk-2"}), key),
        sealed(Message.ANSWER, true.model_copy(update=other), key),
        sealed(Message.ANSWER, true.model_copy(update=other | {"counter": 6}), key),
        sealed(Message.ANSWER, true.model_copy(update={"counter": 9, "alert": new_id()}), key),
    ]
    for payload in forgeries:
        stranger.say(topic, payload)
    wait_for(lambda: uplink.refused == len(forgeries))
    held = desk.answers.holding(document(), now)
    assert held is not None
    assert held.outcome == "confirmed"
    assert desk.answered == [true]


def test_a_command_is_obeyed_once_and_only_if_central_signed_it(
    desk: Desk, office: HeadOffice, stranger: Stranger
) -> None:
    obeyed: list[CommandData] = []
    desk_uplink = Uplink(
        desk.link,
        desk.name,
        desk.outbox,
        desk.answers,
        desk.keys,
        StatusData,
        on_command=obeyed.append,
    )
    desk.new_uplink = lambda: desk_uplink  # type: ignore[method-assign]
    command = CommandData(device="desk-1", counter=3, order=Order.DRILL)
    topic = topic_of(Message.COMMAND, "desk-1")
    with desk.running() as uplink:
        wait_for(lambda: uplink.connected)
        stranger.say(topic, sealed(Message.COMMAND, command, STRANGER_KEY))
        for _ in range(2):
            stranger.say(topic, sealed(Message.COMMAND, command, central_key(office)))
        wait_for(lambda: uplink.refused == 2)
    assert obeyed == [command]


def test_a_hint_wakes_once_and_only_from_central_for_this_ring(
    desk: Desk, office: HeadOffice, stranger: Stranger
) -> None:
    desk.ring, woken = "canary", desk.hinted
    hint = UpdateData(ring="canary", counter=7, publication="sltd 8")
    key, topic = central_key(office), ring_topic("canary")
    kept = sealed(Message.UPDATE, hint, key)
    stranger.say(topic, kept, retain=True)
    for connection in (1, 2):
        with desk.running() as uplink:
            wait_for(lambda one=uplink: one.connected and woken)
            forgeries = [
                (topic, sealed(Message.UPDATE, hint.model_copy(update={"counter": 8}), by))
                for by in (STRANGER_KEY, desk.keys.signing)
            ]
            other = hint.model_copy(update={"counter": 9, "ring": "all"})
            older = hint.model_copy(update={"counter": 6})
            forgeries += [(topic, sealed(Message.UPDATE, one, key)) for one in (other, older)]
            forgeries += [(topic, kept), (topic, b"x" * 70_000)]
            for where, payload in forgeries:
                stranger.say(where, payload)
            stranger.say(ring_topic("all"), sealed(Message.UPDATE, other, key))
            newer = hint.model_copy(update={"counter": 10 + connection})
            stranger.say(topic, sealed(Message.UPDATE, newer, key))
            wait_for(lambda hint=newer: woken[-1] == hint)
            # Once on a connection a broker may give the hint that it keeps.
            assert uplink.refused >= len(forgeries) - (connection == 1)
        kept = sealed(Message.UPDATE, newer, key)
        stranger.say(topic, kept, retain=True)
    assert [one.counter for one in woken] == [7, 11, 12]


@pytest.fixture
def receiver(office: HeadOffice, desk: Desk, stranger: Stranger) -> Iterator[Receiver]:
    with office.receiving() as one:
        wait_for(lambda: one.connected)
        yield one


def raised(key: OKPKey, device: str = "desk-1", n: int = 1, epoch: str | None = None) -> bytes:
    source = source_of(device)
    return seal(Event(Message.ALERT, new_id(), source, NOW, alert(), epoch or new_id(), n), key)


def test_a_forged_alert_is_counted_and_never_stored(
    desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    office.enrol("desk-2")
    true = raised(desk.keys.signing)
    forgeries = [
        ("desk-1", raised(STRANGER_KEY)),
        ("desk-2", true),
        ("desk-3", raised(STRANGER_KEY, "desk-3")),
        ("desk-2", raised(desk.keys.signing, "desk-2")),
        ("desk-1", true[:-1]),
        ("desk-1", b"x" * 200_000),
    ]
    for device, payload in forgeries:
        stranger.say(topic_of(Message.ALERT, device), payload)
    stranger.say(topic_of(Message.ALERT, "desk-1"), true)
    wait_for(office.alert_ids)
    assert len(office.alert_ids()) == 1
    wait_for(lambda: receiver.refused >= len(forgeries) - 1)
    assert [row["device"] for row in office.store.devices()] == ["desk-1"]


def test_an_alert_said_again_is_absorbed_and_acknowledged_again(
    desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    topic = topic_of(Message.ACK, "desk-1")
    stranger.listen(topic)
    said = raised(desk.keys.signing)
    for count in (1, 2, 3):
        stranger.say(topic_of(Message.ALERT, "desk-1"), said)
        wait_for(lambda wanted=count: len(stranger.heard) == wanted)
    acks = [unseal(topic, bytes(one.payload), desk.keys.of).data for one in stranger.heard]
    counters = [ack.counter for ack in acks if isinstance(ack, AckData)]
    assert counters == sorted(set(counters))
    assert len(office.alert_ids()) == len(office.shown) == 1


def test_a_gap_is_seen_and_closes_when_the_rest_comes(
    desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    epoch = new_id()

    def say(n: int) -> None:
        payload = raised(desk.keys.signing, n=n, epoch=epoch)
        stranger.say(topic_of(Message.ALERT, "desk-1"), payload)

    say(1)
    say(5)
    wait_for(lambda: office.device("desk-1").get("missing") == [[2, 4]])
    say(3)
    wait_for(lambda: office.device("desk-1").get("missing") == [[2, 2], [4, 4]])
    say(2)
    say(4)
    wait_for(lambda: office.device("desk-1").get("missing") == [])


def test_a_last_will_that_comes_after_its_device_is_back_is_ignored(
    desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    topic = topic_of(Message.STATUS, "desk-1")

    def say(status: StatusData) -> None:
        payload = sealed(Message.STATUS, status, desk.keys.signing, source_of("desk-1"))
        stranger.say(topic, payload, retain=True)

    say(StatusData(boot=4, connection=1, revision=1, queued=9))
    say(StatusData(boot=5, connection=1, revision=1, queued=1))
    say(StatusData(boot=4, connection=1, online=False))
    say(StatusData(boot=5, connection=1, revision=2, queued=2))
    wait_for(lambda: office.device("desk-1").get("status", {}).get("queued") == 2)
    assert office.device("desk-1")["online"] is True
    say(StatusData(boot=5, connection=1, online=False))
    wait_for(lambda: office.device("desk-1")["online"] is False)
    say(StatusData(boot=5, connection=1, revision=3))
    say(StatusData(boot=5, connection=2, revision=1, queued=3))
    wait_for(lambda: office.device("desk-1")["online"] is True)
    assert office.device("desk-1")["status"]["queued"] == 3


def test_an_enrolment_that_is_withdrawn_counts_at_once(
    desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    topic = topic_of(Message.ALERT, "desk-1")
    stranger.say(topic, raised(desk.keys.signing))
    wait_for(office.alert_ids)
    (office.folder / "keys" / "devices" / "desk-1.pub.jwk").unlink()
    stranger.say(topic, raised(desk.keys.signing))
    wait_for(lambda: receiver.refused == 1)
    assert len(office.alert_ids()) == 1


def test_an_answer_is_sent_again_with_a_new_counter_until_the_device_holds_it(
    desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    topic = topic_of(Message.ANSWER, "desk-1")
    stranger.listen(topic)
    stranger.say(topic_of(Message.ALERT, "desk-1"), raised(desk.keys.signing))
    (alert_id,) = wait_for(office.alert_ids)
    now = datetime.now(UTC)
    answer = Answer(alert_id, AnswerOutcome.NEED_MORE, "Page 3.", now + timedelta(hours=1))
    first = office.store.answer(answer, now)
    wait_for(lambda: len(stranger.heard) == 2)
    events = [
        unseal(topic, desk.keys.reveal(bytes(one.payload)), desk.keys.of) for one in stranger.heard
    ]
    counters = [event.data.counter for event in events if isinstance(event.data, AnswerData)]
    assert counters[0] < counters[1]
    assert {event.id for event in events} == {first}
    status = StatusData(boot=1, connection=1, revision=1, answers_held=(first,))
    payload = sealed(Message.STATUS, status, desk.keys.signing, source_of("desk-1"))
    stranger.say(topic_of(Message.STATUS, "desk-1"), payload)
    wait_for(lambda: office.store.answers_to(alert_id)[0]["held_at"])
    second = office.store.answer(replace(answer, outcome=AnswerOutcome.CONFIRMED), now)
    wait_for(lambda: len(stranger.heard) == 3)
    last = unseal(topic, desk.keys.reveal(bytes(stranger.heard[2].payload)), desk.keys.of)
    assert last.id == second


def test_a_device_that_takes_the_id_of_another_s_alert_does_not_silence_it(
    broker: Broker, desk: Desk, office: HeadOffice, stranger: Stranger, receiver: Receiver
) -> None:
    culprit = read_key(office.enrol("desk-2") / "device.jwk", private=True)
    alert_id = desk.raise_alert()
    event = Event(Message.ALERT, alert_id, source_of("desk-2"), NOW, alert("X1"), new_id(), 1)
    stranger.say(topic_of(Message.ALERT, "desk-2"), seal(event, culprit))
    wait_for(office.alert_ids)
    with desk.running():
        wait_for(lambda: desk.outbox.queued() == 0)
    assert [row.device for row in office.store.all_alerts()] == ["desk-2", "desk-1"]
    wait_for(lambda: [row.device for row in office.shown] == ["desk-2", "desk-1"])
    now = datetime.now(UTC)
    answer = Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold it.", now + timedelta(hours=1))
    with pytest.raises(UnknownAlert, match="raised by desk-1 and desk-2: one of them copied"):
        office.store.answer(answer, now)
