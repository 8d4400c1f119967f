"""What the store makes of batches: once each, in whatever order, by however many at once."""

import random
import threading
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from central.store.schema import messages
from central.store.sequence import Sequence
from central.store.store import Answer, Committed, Received, Store
from scanner.alert import (
    AlertData,
    AnswerOutcome,
    Data,
    Event,
    Message,
    StatusData,
    new_id,
    source_of,
)
from tests.delivery.both_ends import alert, over_both_databases

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
EPOCH = new_id()


def said(
    n: int | None,
    *,
    device: str = "desk-1",
    message_id: str | None = None,
    data: Data | None = None,
) -> Received:
    """An alert of a device at `n`; or, without one, a status."""
    kind = Message.STATUS if n is None else Message.ALERT
    epoch = None if n is None else EPOCH
    event = Event(kind, message_id or new_id(), source_of(device), NOW, data or alert(), epoch, n)
    return Received(device, event, b"signed")


def status(**fields: object) -> Received:
    return said(None, data=StatusData.model_validate({"boot": 1, "epoch": EPOCH, **fields}))


def commit(store: Store, *batch: Received, after_s: float = 0.0) -> Committed:
    return store.commit(batch, NOW + timedelta(seconds=after_s))


def ids(committed: Committed) -> list[str]:
    return [alert.id for alert in committed.alerts]


def missing(store: Store) -> list[list[int]]:
    return next((row["missing"] for row in store.devices()), [])


@given(st.lists(st.integers(1, 12), max_size=40), st.integers(0, 12))
def test_what_is_missing_is_what_was_given_and_has_not_come(ns: list[int], last_n: int) -> None:
    sequence = Sequence("desk-1", EPOCH)
    came: dict[int, str] = {}
    for count, n in enumerate(ns):
        sequence.repeated_at = None
        sequence.take(n, f"m{count}", 1)
        assert sequence.repeated_at == (n if n in came else None)
        came.setdefault(n, f"m{count}")
    high = max(came, default=0)
    assert (sequence.high, sequence.high_id) == (high, came.get(high))
    if last_n > high:
        sequence.told(last_n, 2)
    told = {n for first, last in sequence.missing for n in range(first, last + 1)}
    assert told == set(range(1, max(high, last_n) + 1)) - came.keys()


@over_both_databases
def test_a_batch_that_holds_a_message_twice_stores_it_once(store: Store) -> None:
    one, other = said(1), said(2)
    assert ids(commit(store, one, one, other)) == [one.event.id, other.event.id]
    assert commit(store, other, one).alerts == []
    assert [row.id for row in store.all_alerts()] == sorted([one.event.id, other.event.id])
    assert missing(store) == []


@over_both_databases
def test_two_who_store_for_the_same_devices_at_once_lose_nothing_and_wait_for_nobody_for_ever(
    store: Store, store_url: str
) -> None:
    devices = [f"desk-{number}" for number in range(6)]
    every = [said(n, device=device) for device in devices for n in range(1, 31)]
    done: list[Committed] = []
    failed: list[BaseException] = []

    def work(seed: int) -> None:
        mine = Store(store_url)
        shuffled = random.Random(seed).sample(every, len(every))  # noqa: S311
        try:
            for start in range(0, len(shuffled), 15):
                batch = shuffled[start : start + 15]
                batch.append(
                    said(None, device=batch[0].device, data=StatusData(boot=seed, revision=start))
                )
                done.append(mine.commit(batch, datetime.now(UTC)))
                mine.due_answers(datetime.now(UTC))
        except BaseException as error:
            failed.append(error)
        finally:
            mine.close()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert sorted(one for each in done for one in ids(each)) == sorted(
        one.event.id for one in every
    )
    counters = [(device, n) for each in done for device, n in each.counters.items()]
    assert len(counters) == len(set(counters))
    assert [row["missing"] for row in store.devices()] == [[]] * 6
    assert not any(each.repeated for each in done)


@over_both_databases
def test_a_gap_is_said_once_and_only_when_it_lasts_and_so_is_its_end(store: Store) -> None:
    commit(store, said(1), said(5))
    assert missing(store) == [[2, 4]]
    assert store.lasting_gaps(NOW + timedelta(seconds=2)) == []
    assert commit(store, said(2)).arrived == []
    (gap,) = store.lasting_gaps(NOW + timedelta(seconds=6))
    assert (gap.device, gap.first, gap.last) == ("desk-1", 3, 4)
    assert store.lasting_gaps(NOW + timedelta(seconds=60)) == []
    (arrived,) = commit(store, said(4)).arrived
    assert (arrived.first, arrived.last) == (4, 4)
    assert missing(store) == [[3, 3]]


@over_both_databases
def test_a_device_that_uses_a_place_twice_is_told_what_came_there_first(store: Store) -> None:
    first = said(2)
    assert commit(store, said(1), first, said(3)).repeated == []
    done = commit(store, said(2), said(4), said(5))
    assert done.repeated == ["desk-1"]
    (tally,) = done.tallies
    assert (tally.high, tally.high_id) == (2, first.event.id)


@over_both_databases
def test_a_device_on_a_new_connection_is_told_what_central_holds(store: Store) -> None:
    batch = [said(1), said(2), said(5)]
    commit(store, *batch)
    assert commit(store, status(connection=1, last_n=9, queued=4)).tallies[0].model_dump(
        exclude={"counter"}
    ) == {
        "device": "desk-1",
        "epoch": EPOCH,
        "high": 5,
        "high_id": batch[2].event.id,
        "missing": ({"first": 3, "last": 4},),
    }
    assert commit(store, status(connection=1, revision=2, last_n=9, queued=4)).tallies == []
    (tally,) = commit(store, status(connection=2)).tallies
    assert tally.counter > 0
    offline = status(connection=2, online=False)
    assert commit(store, offline).tallies == []
    assert commit(store, status(connection=2)).tallies == []


@over_both_databases
def test_a_device_of_which_central_holds_nothing_is_told_so(store: Store) -> None:
    (tally,) = commit(store, status(connection=1, last_n=3)).tallies
    assert (tally.high, tally.high_id, tally.missing) == (0, None, ())
    assert missing(store) == [[1, 3]]


@over_both_databases
@pytest.mark.parametrize(("queued", "expected"), [(0, 0), (3, 1)])
def test_a_receiver_that_starts_tells_the_devices_that_still_wait_for_it(
    store: Store, queued: int, expected: int
) -> None:
    known = status(connection=1, queued=queued)
    commit(store, known)
    kept = Received(known.device, known.event, known.payload, retained=True)
    assert len(commit(store, kept).tallies) == expected


@over_both_databases
def test_what_is_missing_at_the_end_shows_once_the_device_says_that_all_was_acknowledged(
    store: Store,
) -> None:
    commit(store, said(1))
    commit(store, status(connection=1, last_n=4, queued=3))
    assert missing(store) == []
    commit(store, status(connection=1, revision=2, last_n=4, queued=0))
    assert missing(store) == [[2, 4]]
    (tally,) = commit(store, status(connection=2, last_n=4)).tallies
    assert (tally.high, tally.missing) == (1, ())
    commit(store, said(3))
    assert missing(store) == [[2, 2], [4, 4]]
    commit(store, said(2), said(4), said(5))
    assert missing(store) == []


@over_both_databases
def test_a_status_that_a_broker_kept_does_not_count_as_hearing_the_device(store: Store) -> None:
    known = status(connection=1)
    commit(store, known)
    commit(store, known, after_s=3600)
    commit(store, status(connection=1, online=False), after_s=7200)
    (row,) = store.devices()
    assert row["heard_at"] == "2026-11-23T12:00:00Z"


@over_both_databases
def test_an_answer_goes_to_one_of_many_receivers_with_counters_of_its_own(
    store: Store, store_url: str
) -> None:
    alerts = [said(n) for n in range(1, 21)]
    counters = commit(store, *alerts).counters
    until = NOW + timedelta(hours=1)
    for one in alerts:
        store.answer(Answer(one.event.id, AnswerOutcome.CONFIRMED, "", until, "ann"), NOW)
    sent: list[tuple[str, int]] = []
    together = threading.Barrier(4)

    def work() -> None:
        mine = Store(store_url)
        together.wait()
        sent.extend((due.data.alert, due.data.counter) for due in mine.due_answers(NOW))
        mine.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(alert_id for alert_id, _ in sent) == sorted(one.event.id for one in alerts)
    assert len({counter for _, counter in sent} | set(counters.values())) == 21


@over_both_databases
def test_a_batch_is_stored_whole_or_not_at_all(store: Store) -> None:
    with store.changing() as tx:
        tx.exec_driver_sql("ALTER TABLE stats RENAME TO away")
        tx.exec_driver_sql("ALTER TABLE alerts RENAME TO also_away")
    with pytest.raises(Exception, match="the store refuses"):
        commit(store, said(1), status(connection=1))
    with store.reading() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(messages)) == 0
    assert store.devices() == []


@over_both_databases
def test_the_extremes_of_what_a_device_may_say_are_stored(store: Store) -> None:
    most = 2**53 - 1
    odd = "é\U0001f600'\"\\%s:x;\u3042--"
    text = {"surname": odd, "given_names": odd, "issuer": "\\u0000"}
    whole = alert().model_dump()
    whole["document"] |= text
    whole["captured_at"] = datetime(9998, 12, 31, tzinfo=UTC)
    whole["matches_left_out"] = most
    data = AlertData.model_validate(whole)
    one = said(2**31 - 1, data=data)
    how = status(boot=most, connection=most, revision=most, queued=most, last_n=most, software=odd)
    done = commit(store, one, how)
    assert [alert.data for alert in store.all_alerts()] == [data]
    assert done.tallies[0].high == 2**31 - 1
    (row,) = store.devices()
    assert row["status"]["software"] == odd
