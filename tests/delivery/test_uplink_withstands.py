"""Whatever comes by the network, and whatever the clocks say, nothing is lost and nothing believed
that central did not say to this device, now."""

import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from central.store.store import Answer
from firmware.delivery.answers import Answers
from firmware.delivery.hearing import Hearing
from firmware.delivery.outbox import Outbox
from firmware.delivery.sending import Sending
from firmware.delivery.uplink import Uplink
from firmware.delivery.window import Window
from scanner.alert import (
    CENTRAL,
    MAX_PAYLOAD,
    AckData,
    Acknowledged,
    AnswerOutcome,
    Data,
    Event,
    Message,
    TallyData,
    new_id,
    new_key,
    read_key,
    ring_topic,
    seal,
    topic_of,
)
from tests.delivery.both_ends import MARKS, NOW, Desk, HeadOffice, Stranger, alert, wait_for
from tests.delivery.broker import Broker

COMPACT = rb"[A-Za-z0-9_-]{1,40}\.[A-Za-z0-9_-]{1,80}\.[A-Za-z0-9_-]{86}"
"""The form of a signed message."""
YEARS = timedelta(days=20 * 365)
ACK = topic_of(Message.ACK, "desk-1")


def central_says(office: HeadOffice, message: Message, data: Data) -> bytes:
    key = read_key(office.folder / "keys" / "central.jwk", private=True)
    return seal(Event(message, new_id(), CENTRAL, datetime.now(UTC), data), key)


def acknowledgement(desk: Desk, alert_id: str, counter: int) -> AckData:
    one = next(one for one in desk.outbox.waiting(100) if one.id == alert_id)
    named = (Acknowledged(id=one.id, epoch=one.epoch, n=one.n),)
    return AckData(device="desk-1", counter=counter, committed=named)


def test_a_payload_over_the_limit_is_refused_unread_and_one_over_the_packet_s_never_comes(
    desk: Desk,
    office: HeadOffice,
    stranger: Stranger,
    uplink: Uplink,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stranger.say(ACK, b"A" * (MAX_PAYLOAD + 1))
    wait_for(lambda: uplink.refused == 1)
    stranger.say(ACK, b"A" * (4 * MAX_PAYLOAD))
    alert_id = desk.raise_alert()
    stranger.say(ACK, central_says(office, Message.ACK, acknowledgement(desk, alert_id, 1)))
    wait_for(lambda: desk.outbox.queued() == 0)
    assert uplink.refused == 1
    assert uplink.connected
    assert "refused a message (ack: oversize), 1 so far" in caplog.text
    assert "AAAA" not in caplog.text


def test_acknowledgements_that_come_in_another_order_each_end_what_they_name_and_once(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    first, second = desk.raise_alert(), desk.raise_alert()
    earlier = central_says(office, Message.ACK, acknowledgement(desk, first, 1))
    later = central_says(office, Message.ACK, acknowledgement(desk, second, 2))
    stranger.say(ACK, later)
    wait_for(lambda: [one.id for one in desk.outbox.waiting(9)] == [first])
    stranger.say(ACK, earlier)
    wait_for(lambda: desk.outbox.queued() == 0)
    assert uplink.refused == 0
    stranger.say(ACK, earlier)
    wait_for(lambda: uplink.refused == 1)


@pytest.mark.parametrize("off", [-YEARS, YEARS], ids=["behind", "ahead"])
def test_a_device_whose_clock_is_years_off_delivers_and_gets_its_answer(
    broker: Broker, desk: Desk, office: HeadOffice, off: timedelta
) -> None:
    broker.start()
    desk.clock_is_off = off
    with office.receiving(), desk.running():
        alert_id = desk.outbox.put_alert(alert(), desk.now())
        wait_for(lambda: desk.outbox.queued() == 0)
        now = datetime.now(UTC)
        answer = Answer(alert_id, AnswerOutcome.CONFIRMED, "Hold it.", now + timedelta(hours=1))
        office.store.answer(answer, now)
        wait_for(lambda: desk.answered)
    assert office.alert_ids() == [alert_id]
    assert [one.alert for one in desk.answered] == [alert_id]


def test_a_central_whose_clock_was_years_ahead_is_still_heard_when_it_is_set_right(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    ahead = int((datetime.now(UTC) + YEARS).timestamp() * 1000)
    for counter in (ahead, ahead + 1):
        alert_id = desk.raise_alert()
        ack = acknowledgement(desk, alert_id, counter)
        stranger.say(ACK, central_says(office, Message.ACK, ack))
        wait_for(lambda: desk.outbox.queued() == 0)
    assert uplink.refused == 0


class Ear:
    """What a device hears by, without a network."""

    def __init__(self, folder: Path, keys: object) -> None:
        outbox = Outbox(folder / "outbox.db", "desk-1", MARKS)
        answers = Answers(folder / "answers.db", MARKS, outbox.document_of)
        sending = Sending("desk-1", outbox, keys, Window(), lambda: NOW)  # type: ignore[arg-type]
        self.outbox = outbox
        self.told: list[object] = []
        self.hearing = Hearing(
            "desk-1",
            answers,
            keys,  # type: ignore[arg-type]
            sending,
            lambda: NOW,
            self.told.append,
            self.told.append,
            "all",
            self.told.append,
        )


@pytest.fixture
def ear(tmp_path: Path, desk: Desk) -> Ear:
    one = Ear(tmp_path / "ear", desk.keys)
    one.outbox.put_alert(alert(), NOW)
    return one


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    topic=st.sampled_from(
        [topic_of(one, "desk-1") for one in Message if one is not Message.UPDATE]
        + [ring_topic("all")]
    )
    | st.text(max_size=40),
    payload=st.binary(max_size=300) | st.from_regex(COMPACT, fullmatch=True),
)
def test_no_bytes_on_any_topic_do_anything_but_be_counted(
    ear: Ear, topic: str, payload: bytes
) -> None:
    before = ear.hearing.refused
    ear.hearing.hear(topic, payload)
    assert ear.hearing.refused == before + 1
    assert ear.told == []
    assert ear.outbox.queued() == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(place=st.integers(0, 10_000), change=st.integers(1, 255))
def test_one_changed_byte_of_what_central_said_makes_it_nobody_s_word(
    ear: Ear, office: HeadOffice, place: int, change: int
) -> None:
    tally = TallyData(device="desk-1", counter=2**40, epoch=ear.outbox.epoch(), high=7)
    said = bytearray(central_says(office, Message.TALLY, tally))
    said[place % (len(said) - 1)] ^= change  # the last one has bits that no byte is made of
    ear.hearing.hear(topic_of(Message.TALLY, "desk-1"), bytes(said))
    assert ear.outbox.epoch() == tally.epoch
    assert not ear.hearing.changed


def test_what_is_refused_is_said_at_the_1st_the_10th_and_the_100th_time(
    ear: Ear, caplog: pytest.LogCaptureFixture
) -> None:
    forged = seal(
        Event(
            Message.TALLY,
            new_id(),
            CENTRAL,
            NOW,
            TallyData(device="desk-1", counter=1, epoch=new_id(), high=1),
        ),
        new_key(),
    )
    with caplog.at_level(logging.WARNING):
        for _ in range(150):
            ear.hearing.hear(topic_of(Message.TALLY, "desk-1"), forged)
    assert [record.getMessage() for record in caplog.records] == [
        f"refused a message (tally: key), {count} so far" for count in (1, 10, 100)
    ]
