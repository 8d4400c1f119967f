"""What became of lists at devices is stored once, in its place, and the last word counts."""

from datetime import UTC, datetime, timedelta

from central.lists import rollout
from central.store.schema import devices, rollouts
from central.store.sequence import open_gaps
from central.store.store import Received, Store
from scanner.alert import Event, Message, RolloutData, UpdateOutcome, new_id, source_of
from tests.delivery.both_ends import over_both_databases

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FAR = datetime(2100, 1, 1, tzinfo=UTC)


def said(device: str, n: int, epoch: str, at: datetime, version: int) -> Received:
    data = RolloutData(
        list="sltd",
        ring="all",
        outcome=UpdateOutcome.UPDATED,
        version=version,
        publication=version,
        at=at,
    )
    event = Event(Message.ROLLOUT, new_id(), source_of(device), at, data, epoch, n)
    return Received(device, event, b"signed")


@over_both_databases
def test_each_is_stored_once_and_what_came_last_counts_whatever_the_device_s_clock_says(
    store: Store,
) -> None:
    first, second = new_id(), new_id()
    early = [said("desk-1", 1, first, FAR, 1), said("desk-2", 1, second, NOW, 7)]
    committed = store.commit([*early, early[0]], NOW)
    assert (committed.new, set(committed.counters)) == (2, {"desk-1", "desk-2"})
    hour = timedelta(hours=1)
    late = [
        said("desk-1", 3, first, NOW + hour, 3),
        said("desk-1", 2, first, NOW, 2),
    ]
    assert store.commit(late, NOW + hour).new == 2
    assert store.commit(late, NOW + hour).new == 0
    with store.reading() as db:
        last = {row.device: row.version for row in rollout.latest(db, "sltd")}
        one = rollout.latest(db, "sltd", devices.c.device == "desk-2")
        assert rollout.latest(db, "tdawn") == []
        assert list(open_gaps(db)) == []
        assert len(db.execute(rollouts.select()).all()) == 4
    assert last == {"desk-1": 3, "desk-2": 7}
    assert [row.device for row in one] == ["desk-2"]
