"""A batch of genuine messages, stored whole or not at all.

The devices' rows are locked first, in the order of their names, so that receivers which store for
the same devices at once do so one after the other and never wait for each other crosswise. Then
everything is written a table at a time, with a few statements however large the batch is.

A message is stored once by its id and its device. One that is there already changes nothing, and
is acknowledged all the same.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from central.moments import to_ms
from central.store import sequence, statuses
from central.store.device_rows import Counters, locked
from central.store.rows import insert_new_rows, insert_rows
from central.store.schema import alerts, drills, messages, outcomes, rollouts, stats
from scanner.alert import (
    MAX_MISSING,
    AlertData,
    DrillData,
    Event,
    Missing,
    OutcomeData,
    RolloutData,
    StatsData,
    StatusData,
    TallyData,
)


@dataclass(frozen=True)
class Received:
    """A message of `device` that was found genuine, and the bytes that it came in. `retained` says
    that its broker had kept it from before."""

    device: str
    event: Event
    payload: bytes
    retained: bool = False


@dataclass(frozen=True)
class AlertRow:
    """An alert as it stands in the store."""

    id: str
    device: str
    received_at: datetime
    late: bool
    data: AlertData


@dataclass
class Committed:
    """What a batch came to. `counters` holds, for each device, the counter for what central says to
    it about this batch."""

    alerts: list[AlertRow] = field(default_factory=list)
    """The alerts that are new."""
    new: int = 0
    """How many messages with a place in a sequence were not there yet."""
    arrived: list[sequence.Gap] = field(default_factory=list)
    """What came after it was said to be missing."""
    repeated: list[str] = field(default_factory=list)
    """The devices that used a place in their sequence twice: a restored card, perhaps."""
    counters: dict[str, int] = field(default_factory=dict)
    tallies: list[TallyData] = field(default_factory=list)
    """What central holds of the sequences of devices that are new on a connection, or that used a
    place twice."""
    heard: list[statuses.Current] = field(default_factory=list)
    """Of the devices that are online, those that this was heard of."""


def store(tx: sa.Connection, batch: Sequence[Received], now: datetime) -> Committed:
    """Stores `batch` in `tx`."""
    now_ms = to_ms(now)
    rows = locked(tx, {received.device for received in batch}, now_ms)
    new = _store_messages(tx, batch, now_ms)
    _store_contents(tx, new, now)
    said = [(one.device, one.event.data, one.retained) for one in batch]
    current = statuses.store(tx, rows, said, now_ms)
    found = _advance(tx, new, current, now_ms)
    heard = {one.device for one in batch if not isinstance(one.event.data, StatusData)}
    counters = Counters(rows, now_ms)
    done = Committed(
        alerts=[
            AlertRow(one.event.id, one.device, now, _is_late(one.event.data, now), one.event.data)
            for one in new
            if isinstance(one.event.data, AlertData)
        ],
        new=len(new),
        arrived=[gap for one in found.values() for gap in one.arrived],
        repeated=[one.device for one in found.values() if one.repeated_at is not None],
        counters={device: counters.take(device) for device in heard},
        heard=current,
    )
    wanted = {(one.device, one.data.epoch) for one in current if one.wants_tally}
    for key, one in found.items():
        if one.repeated_at is not None or key in wanted:
            done.tallies.append(_tally(tx, one, counters.take(one.device)))
    counters.save(tx, heard)
    return done


def tallies(tx: sa.Connection, keys: Collection[sequence.Key], now: datetime) -> list[TallyData]:
    """What central holds of these sequences, for their devices to be told."""
    now_ms = to_ms(now)
    rows = locked(tx, {device for device, _ in keys}, now_ms)
    counters = Counters(rows, now_ms)
    told = [_tally(tx, one, counters.take(one.device)) for one in sequence.load(tx, keys).values()]
    counters.save(tx)
    return told


def _tally(tx: sa.Connection, there: sequence.Sequence, counter: int) -> TallyData:
    """What central holds of a sequence. Where a place was used twice it is told up to there, with
    the message that came first: that shows the device at once that it was set back."""
    high, high_id = there.high, there.high_id
    if there.repeated_at is not None:
        high = there.repeated_at
        high_id = sequence.first_at(tx, (there.device, there.epoch), high)
    missing = [Missing(first=first, last=last) for first, last in there.missing if first < high]
    return TallyData(
        device=there.device,
        counter=counter,
        epoch=there.epoch,
        high=high,
        high_id=high_id,
        missing=tuple(missing[:MAX_MISSING]),
    )


def _store_messages(tx: sa.Connection, batch: Sequence[Received], now_ms: int) -> list[Received]:
    """Stores what has a place in a sequence, and gives what of it is new."""
    found: dict[tuple[str, str], Received] = {}
    for received in batch:
        if not isinstance(received.event.data, StatusData):
            found.setdefault((received.event.id, received.device), received)
    if not found:
        return []
    rows = [_message_row(found[name], now_ms) for name in sorted(found)]
    added = insert_new_rows(tx, messages, rows)
    return [received for name, received in found.items() if name in added]


def _message_row(received: Received, now_ms: int) -> dict[str, Any]:
    event = received.event
    if event.epoch is None or event.n is None:
        raise ValueError(f"a message of kind {event.message} has no place in a sequence")
    return {
        "id": event.id,
        "device": received.device,
        "kind": event.message.value,
        "epoch": event.epoch,
        "n": event.n,
        "said_at": to_ms(event.time),
        "received_at": now_ms,
        "payload": received.payload,
    }


def _store_contents(tx: sa.Connection, new: list[Received], now: datetime) -> None:
    rows: dict[sa.Table, list[dict[str, Any]]] = defaultdict(list)
    for received in new:
        data = received.event.data
        table, contents = _CONTENTS[type(data)]
        name = {"id": received.event.id, "device": received.device}
        rows[table].append({**name, **contents(data, now)})
    for table, every in rows.items():
        insert_rows(tx, table, every)


def _alert_contents(data: AlertData, now: datetime) -> dict[str, Any]:
    until = data.request_answer_until
    return {
        "outcome": data.outcome.value,
        "issuer": data.document.issuer,
        "number": data.document.number,
        "kind": data.document.kind.value,
        "surname": data.document.surname,
        "given_names": data.document.given_names,
        "site": data.place.site,
        "captured_at": to_ms(data.captured_at),
        "received_at": to_ms(now),
        "answer_until": None if until is None else to_ms(until),
        "late": _is_late(data, now),
        "data": data.model_dump(mode="json"),
    }


def _is_late(data: AlertData, now: datetime) -> bool:
    return data.request_answer_until is not None and now > data.request_answer_until


def _outcome_contents(data: OutcomeData, _now: datetime) -> dict[str, Any]:
    return {
        "alert": data.alert,
        "action": data.action.value,
        "officer": data.officer,
        "at": to_ms(data.at),
        "note": data.note,
    }


def _stats_contents(data: StatsData, _now: datetime) -> dict[str, Any]:
    return {
        "since": to_ms(data.since),
        "until": to_ms(data.until),
        "data": data.model_dump(mode="json"),
    }


def _rollout_contents(data: RolloutData, now: datetime) -> dict[str, Any]:
    return {**data.model_dump(mode="json"), "at": to_ms(data.at), "received_at": to_ms(now)}


def _drill_contents(data: DrillData, now: datetime) -> dict[str, Any]:
    return {
        "session": data.session,
        "phase": data.phase.value,
        "began_at": to_ms(data.began_at),
        "at": to_ms(data.at),
        "received_at": to_ms(now),
        "data": data.model_dump(mode="json"),
    }


_CONTENTS: dict[type, tuple[sa.Table, Callable[[Any, datetime], dict[str, Any]]]] = {
    AlertData: (alerts, _alert_contents),
    OutcomeData: (outcomes, _outcome_contents),
    StatsData: (stats, _stats_contents),
    RolloutData: (rollouts, _rollout_contents),
    DrillData: (drills, _drill_contents),
}


def _advance(
    tx: sa.Connection, new: list[Received], current: list[statuses.Current], now_ms: int
) -> dict[sequence.Key, sequence.Sequence]:
    """Takes note of how far sequences have come, and gives those that this is about."""
    told = {
        (status.device, status.data.epoch): status.data
        for status in current
        if status.data.epoch is not None
    }
    places = [(one.device, one.event.epoch or "", one.event.n or 0, one.event.id) for one in new]
    found = sequence.load(tx, {(device, epoch) for device, epoch, _, _ in places} | told.keys())
    changed = set()
    for device, epoch, n, message_id in sorted(places):
        found[device, epoch].take(n, message_id, now_ms)
        changed.add((device, epoch))
    for key, status in told.items():
        if status.queued == 0 and status.last_n > found[key].top:
            found[key].told(status.last_n, now_ms)
            changed.add(key)
    sequence.save(tx, (found[key] for key in sorted(changed)), now_ms)
    return found
