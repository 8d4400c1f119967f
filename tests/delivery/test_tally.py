"""What central says that it holds, against what the device remembers: a lost acknowledgement, a
store that was restored, a card that was set back."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from central.store import sequence
from central.store.schema import alerts, devices, messages, sequences
from firmware.delivery.outbox import Outbox
from firmware.delivery.uplink import Uplink
from scanner.alert import (
    CENTRAL,
    MAX_MISSING,
    AckData,
    Acknowledged,
    Event,
    KeysData,
    Message,
    Missing,
    PublicKey,
    StatusData,
    TallyData,
    new_id,
    new_key,
    read_key,
    seal,
    topic_of,
    unseal,
)
from tests.delivery.both_ends import (
    MARKS,
    NOW,
    Desk,
    HeadOffice,
    Stranger,
    alert,
    wait_for,
)
from tests.delivery.broker import Broker


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox.db", "desk-1", MARKS)


class Central:
    """What central says, each time with a higher counter."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.counter = 0

    def acknowledges(self, *numbers: int) -> None:
        self.counter += 1
        named = tuple(
            Acknowledged(id=one.id, epoch=one.epoch, n=one.n)
            for one in self.outbox.waiting(1000)
            if one.n in numbers
        )
        ack = AckData(device="desk-1", counter=self.counter, committed=named)
        assert len(self.outbox.acknowledge(ack, NOW) or ()) == len(numbers)

    def tells(
        self,
        high: int,
        *missing: tuple[int, int],
        high_id: str | None = None,
        epoch: str | None = None,
    ) -> TallyData:
        self.counter += 1
        return TallyData(
            device="desk-1",
            counter=self.counter,
            epoch=epoch or self.outbox.epoch(),
            high=high,
            high_id=high_id,
            missing=tuple(Missing(first=first, last=last) for first, last in missing),
        )


@pytest.fixture
def central(outbox: Outbox) -> Central:
    return Central(outbox)


def numbers(outbox: Outbox) -> list[int]:
    return [one.n for one in outbox.waiting(1000)]


def test_what_central_turns_out_to_lack_waits_again(outbox: Outbox, central: Central) -> None:
    ids = [outbox.put_alert(alert(), NOW) for _ in range(8)]
    central.acknowledges(*range(1, 8))
    reconciled = outbox.reconcile(central.tells(6, (2, 3), high_id=ids[5]), NOW)
    assert reconciled is not None
    assert (reconciled.again, reconciled.first, reconciled.set_back) == (3, 2, False)
    assert numbers(outbox) == [2, 3, 7, 8]
    assert [one.id for one in outbox.waiting(9)] == [ids[1], ids[2], ids[6], ids[7]]
    assert outbox.queued() == 4


def test_a_tally_that_agrees_changes_nothing(outbox: Outbox, central: Central) -> None:
    ids = [outbox.put_alert(alert(), NOW) for _ in range(3)]
    central.acknowledges(1, 2)
    for tally in (central.tells(3, high_id=ids[2]), central.tells(2, high_id=ids[1])):
        reconciled = outbox.reconcile(tally, NOW)
        assert reconciled is not None
        assert (reconciled.again, reconciled.set_back) == (0, False)
    assert numbers(outbox) == [3]


def test_a_tally_said_before_changes_nothing(outbox: Outbox, central: Central) -> None:
    outbox.put_alert(alert(), NOW)
    nothing = central.tells(0)
    outbox.reconcile(nothing, NOW)
    central.acknowledges(1)
    assert outbox.reconcile(nothing, NOW) is None
    assert outbox.reconcile(nothing.model_copy(update={"counter": 0}), NOW) is None
    assert outbox.queued() == 0


def test_a_tally_of_somebody_s_other_card_says_nothing_about_this_one(
    outbox: Outbox, central: Central
) -> None:
    outbox.put_alert(alert(), NOW)
    central.acknowledges(1)
    epoch = outbox.epoch()
    outbox.reconcile(central.tells(900, (1, 5), high_id=new_id(), epoch=new_id()), NOW)
    assert (outbox.queued(), outbox.epoch()) == (0, epoch)


@pytest.mark.parametrize("told", ["more than it ever said", "another one in its place"])
def test_a_device_that_was_set_back_goes_on_in_a_new_sequence_with_the_same_ids(
    outbox: Outbox, central: Central, told: str
) -> None:
    ids = [outbox.put_alert(alert(), NOW) for _ in range(5)]
    central.acknowledges(1, 3)
    old = outbox.epoch()
    more = told == "more than it ever said"
    tally = central.tells(6, high_id=new_id()) if more else central.tells(4, high_id=new_id())
    reconciled = outbox.reconcile(tally, NOW)
    assert reconciled is not None
    assert reconciled.set_back
    assert outbox.epoch() != old
    waiting = outbox.waiting(9)
    assert [one.id for one in waiting] == [ids[1], ids[3], ids[4]]
    assert [(one.n, one.epoch) for one in waiting] == [(n, outbox.epoch()) for n in (1, 2, 3)]
    assert (outbox.queued(), outbox.last_n()) == (3, 3)
    assert outbox.set_back_at() == NOW
    outbox.put_alert(alert(), NOW)
    assert numbers(outbox) == [1, 2, 3, 4]
    assert outbox.document_of(ids[0]) is not None


def test_a_device_that_was_set_back_still_takes_an_acknowledgement_of_its_new_numbers_alone(
    outbox: Outbox, central: Central
) -> None:
    first = outbox.put_alert(alert(), NOW)
    old = outbox.epoch()
    outbox.reconcile(central.tells(9, high_id=new_id()), NOW)
    central.counter += 1
    named = (Acknowledged(id=first, epoch=old, n=1),)
    late = AckData(device="desk-1", counter=central.counter, committed=named)
    assert outbox.acknowledge(late, NOW) == []
    central.acknowledges(1)
    assert outbox.queued() == 0


def test_a_set_back_device_that_had_said_nothing_yet_begins_anew_as_well(
    outbox: Outbox, central: Central
) -> None:
    old = outbox.epoch()
    for _ in range(2):
        reconciled = outbox.reconcile(central.tells(4, high_id=new_id()), NOW)
        assert reconciled is not None
        assert reconciled.set_back
    outbox.put_alert(alert(), NOW)
    assert outbox.epoch() != old
    assert numbers(outbox) == [1]


def test_a_message_that_is_no_longer_kept_is_no_sign_of_a_set_back(
    outbox: Outbox, central: Central
) -> None:
    outbox.put_alert(alert(), NOW)
    central.acknowledges(1)
    outbox.purge(NOW + timedelta(days=31), timedelta(days=30))
    reconciled = outbox.reconcile(central.tells(1, high_id=new_id()), NOW)
    assert reconciled is not None
    assert not reconciled.set_back


def test_as_many_gaps_as_a_tally_can_tell_are_told_again(outbox: Outbox, central: Central) -> None:
    count = 2 * MAX_MISSING
    ids = [outbox.put_alert(alert(), NOW) for _ in range(count)]
    for start in range(1, count, 50):
        central.acknowledges(*range(start, start + 50))
    gaps = [(n, n) for n in range(1, count, 2)]
    outbox.reconcile(central.tells(count, *gaps, high_id=ids[-1]), NOW)
    assert numbers(outbox) == [n for n, _ in gaps]


def copy_database(source: Path, target: Path) -> None:
    """Everything that is in one SQLite file, in the place of what was in another."""
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


# Through a real broker.


def say(stranger: Stranger, office: HeadOffice, data: TallyData | KeysData | AckData) -> bytes:
    """What central says, signed with its key; the signed message."""
    message = {TallyData: Message.TALLY, KeysData: Message.KEYS, AckData: Message.ACK}[type(data)]
    key = read_key(office.folder / "keys" / "central.jwk", private=True)
    payload = seal(Event(message, new_id(), CENTRAL, datetime.now(UTC), data), key)
    stranger.say(topic_of(message, "desk-1"), payload)
    return payload


def test_a_delivered_alert_that_central_lost_arrives_again_over_the_same_connection(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    topic = topic_of(Message.ALERT, "desk-1")
    stranger.listen(topic)
    alert_id = desk.raise_alert()
    (waiting,) = desk.outbox.waiting(1)
    named = (Acknowledged(id=alert_id, epoch=waiting.epoch, n=1),)
    say(stranger, office, AckData(device="desk-1", counter=1, committed=named))
    wait_for(lambda: desk.outbox.queued() == 0)
    heard = len(stranger.heard)
    tally = TallyData(device="desk-1", counter=1, epoch=waiting.epoch, high=0)
    said = say(stranger, office, tally)
    wait_for(lambda: len(stranger.heard) > heard)
    last = unseal(topic, bytes(stranger.heard[-1].payload), lambda _: [desk.keys.signing])
    assert (last.id, last.n) == (alert_id, 1)
    say(stranger, office, AckData(device="desk-1", counter=2, committed=named))
    wait_for(lambda: desk.outbox.queued() == 0)
    stranger.say(topic_of(Message.TALLY, "desk-1"), said)
    wait_for(lambda: uplink.refused == 1)
    assert desk.outbox.queued() == 0


def test_headquarters_that_was_set_back_to_an_earlier_copy_gets_everything_again(
    broker: Broker, desk: Desk, office: HeadOffice, tmp_path: Path
) -> None:
    broker.start()
    store = Path(office.url.removeprefix("sqlite:///"))
    with office.receiving() as receiver, desk.running():
        wait_for(lambda: receiver.connected)
        kept = [desk.raise_alert()]
        wait_for(lambda: desk.outbox.queued() == 0)
    copy_database(store, tmp_path / "copy.db")
    with office.receiving() as receiver, desk.running():
        wait_for(lambda: receiver.connected)
        lost = [desk.raise_alert(), desk.raise_alert()]
        wait_for(lambda: desk.outbox.queued() == 0)
    assert office.alert_ids() == kept + lost
    office.store.close()
    copy_database(tmp_path / "copy.db", store)
    with office.receiving(), desk.running():
        wait_for(lambda: office.alert_ids() == kept + lost)
        wait_for(lambda: desk.outbox.queued() == 0)


def test_a_device_that_stays_connected_says_again_what_a_store_lost_that_was_set_back(
    broker: Broker, desk: Desk, office: HeadOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "LASTING_MS", 100)
    broker.start()
    with desk.running():
        with office.receiving() as receiver:
            wait_for(lambda: receiver.connected)
            said = [desk.raise_alert() for _ in range(3)]
            wait_for(lambda: desk.outbox.queued() == 0)
        with office.store.changing() as tx:
            for table in (messages, alerts):
                tx.execute(table.delete().where(table.c.id.in_(said[1:])))
            tx.execute(sequences.update().values(high=1, high_id=said[0], last_n=None))
            tx.execute(devices.update().values(revision=0))
        said.append(desk.raise_alert())
        with office.receiving():
            wait_for(lambda: set(office.alert_ids()) == set(said))
            wait_for(lambda: desk.outbox.queued() == 0 and not office.device("desk-1")["missing"])


def test_a_device_whose_card_was_set_back_delivers_every_alert_and_says_what_happened(
    broker: Broker, desk: Desk, office: HeadOffice
) -> None:
    broker.start()
    early = desk.raise_alert()
    desk.outbox.close()
    copy = (desk.folder / "outbox.db").read_bytes()
    with office.receiving(), desk.running():
        known = [early, *(desk.raise_alert() for _ in range(3))]
        wait_for(lambda: desk.outbox.queued() == 0)
    desk.outbox.close()
    for part in desk.folder.glob("outbox.db*"):
        part.unlink()
    (desk.folder / "outbox.db").write_bytes(copy)
    desk.answers.close()
    (desk.folder / "answers.db").unlink()
    with office.receiving(), desk.running():
        later = [desk.raise_alert() for _ in range(2)]
        wait_for(lambda: desk.outbox.queued() == 0)
        wait_for(lambda: office.device("desk-1").get("status", {}).get("faults"))
    assert sorted(office.alert_ids()) == sorted(known + later)
    assert office.device("desk-1")["missing"] == []
    (fault,) = office.device("desk-1")["status"]["faults"]
    assert fault["part"] == "memory"
    assert "set back to an older state" in fault["message"]


def test_keys_that_a_stranger_announces_are_not_taken(
    desk: Desk, office: HeadOffice, stranger: Stranger, uplink: Uplink
) -> None:
    foreign = new_key()
    public = PublicKey(x=str(foreign.as_dict(private=False)["x"]))
    keys = KeysData(device="desk-1", counter=1, keys=(public,))
    sealed = seal(Event(Message.KEYS, new_id(), CENTRAL, datetime.now(UTC), keys), foreign)
    stranger.say(topic_of(Message.KEYS, "desk-1"), sealed)
    elsewhere = keys.model_copy(update={"device": "desk-2"})
    central_key = read_key(office.folder / "keys" / "central.jwk", private=True)
    event = Event(Message.KEYS, new_id(), CENTRAL, datetime.now(UTC), elsewhere)
    stranger.say(topic_of(Message.KEYS, "desk-1"), seal(event, central_key))
    wait_for(lambda: uplink.refused == 2)
    assert desk.keys.central_keys == (central_key.thumbprint(),)


def test_the_status_tells_where_the_sequence_stands_and_whom_the_device_believes(
    desk: Desk, office: HeadOffice, stranger: Stranger
) -> None:
    topic = topic_of(Message.STATUS, "desk-1")
    stranger.listen(topic)
    desk.raise_alert()
    desk.raise_alert()
    with desk.running():
        wait_for(lambda: stranger.heard)
    status = unseal(topic, bytes(stranger.heard[0].payload), lambda _: [desk.keys.signing]).data
    assert isinstance(status, StatusData)
    assert (status.epoch, status.last_n, status.queued) == (desk.outbox.epoch(), 2, 2)
    assert status.central_keys == desk.keys.central_keys
    assert len(status.central_keys) == 1
