"""What central owes a device in answers: recorded once, sent until the device holds them.

An answer goes out while its device is there, again after growing pauses, and at once when the
device comes back; each time with a counter of its own, so that the device can tell it from a copy
that somebody kept. It is settled when the device's own signed status names it.

The first counter is taken as the answer is recorded: whoever sends it then need not wait for the
disk a second time, while an officer waits for him.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa

from central.moments import from_ms, iso, to_ms
from central.store.counters import note_answer
from central.store.device_rows import Counters, locked
from central.store.rows import among, insert_rows
from central.store.schema import alerts, answers, devices
from scanner.alert import AnswerData, AnswerOutcome, new_id

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 2_000, 300_000
_DEVICES_AT_ONCE = 500


# Each statement is made once: making one takes longer than running it.
_DUE = (
    answers.c.send_at <= sa.bindparam("now"),
    answers.c.device.not_in(sa.select(devices.c.device).where(devices.c.online.is_(False))),
)
_NEW = sa.and_(
    answers.c.sent == 0, answers.c.counter.is_not(None), answers.c.until > sa.bindparam("now")
)
_KINDS_DUE = sa.select(_NEW).where(*_DUE).distinct()
_TAKING_NEW = (
    answers.update()
    .where(
        answers.c.id.in_(
            sa.select(answers.c.id).where(*_DUE, _NEW).with_for_update(skip_locked=True)
        )
    )
    .values(sent=1, send_at=sa.bindparam("again_at"))
    .returning(answers)
)
_DEVICES_DUE = sa.select(answers.c.device).where(*_DUE).distinct().limit(_DEVICES_AT_ONCE)
_PUT_OFF = (
    answers.update()
    .where(answers.c.id == sa.bindparam("of_answer"))
    .values(sent=sa.bindparam("times"), send_at=sa.bindparam("again_at"))
)
_REPLACING = (
    answers.update().where(answers.c.alert == sa.bindparam("of_alert")).values(send_at=None)
)
_RAISED_BY = (
    sa.select(alerts.c.device).where(alerts.c.id == sa.bindparam("alert")).with_for_update()
)
_LATEST = (
    sa.select(answers)
    .where(answers.c.alert == sa.bindparam("alert"))
    .order_by(answers.c.at.desc(), answers.c.id.desc())
    .limit(1)
)
_ANSWERED = (
    alerts.update()
    .where(alerts.c.id == sa.bindparam("of_alert"), alerts.c.device == sa.bindparam("of_device"))
    .values(answer=sa.bindparam("found"), answered_at=sa.bindparam("now"))
)


@cache
def _due_of(dialect: str) -> sa.Select[Any]:
    of_devices = among(dialect, answers.c.device, "devices")
    return sa.select(answers).where(*_DUE, of_devices).order_by(answers.c.id)


ANY = ""
"""In the place of an answer's id: whichever was the latest."""


class UnknownAlert(Exception):
    """There is no such alert, or more than one; the message says so."""


class AnsweredMeanwhile(Exception):
    """Somebody else has answered since the operator looked; nothing was recorded."""


@dataclass(frozen=True)
class Answer:
    """An operator's answer to an alert, which holds until `until`. The officer is told the
    instruction; the reason stays at central."""

    alert: str
    outcome: AnswerOutcome
    instruction: str
    until: datetime
    by: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class DueAnswer:
    """An answer to send to its device now. `id` stays the same each time it is sent."""

    id: str
    data: AnswerData


def record(tx: sa.Connection, answer: Answer, now: datetime, *, seen: str | None = ANY) -> str:
    """Records an answer in the place of any earlier one to the same alert, and gives its id.

    `seen` is the id of the latest answer that the operator knew of, None for none. Raises
    UnknownAlert, and AnsweredMeanwhile where there is a later one by now."""
    device = _raised_by(tx, answer.alert)
    if seen != ANY:
        _check_latest(tx, answer.alert, seen)
    counters = Counters(locked(tx, [device], to_ms(now)), to_ms(now))
    counter = counters.take(device)
    counters.save(tx)
    note_answer(tx, answer.alert, device, answer.outcome, now)
    tx.execute(_REPLACING, {"of_alert": answer.alert})
    answer_id = new_id()
    row = {
        "id": answer_id,
        "alert": answer.alert,
        "device": device,
        "outcome": answer.outcome.value,
        "instruction": answer.instruction,
        "reason": answer.reason,
        "at": to_ms(now),
        "until": to_ms(answer.until),
        "by": answer.by,
        "sent": 0,
        "send_at": to_ms(now),
        "counter": counter,
    }
    insert_rows(tx, answers, [row])
    noted = {"found": row["outcome"], "now": row["at"]}
    tx.execute(_ANSWERED, {"of_alert": answer.alert, "of_device": device, **noted})
    return answer_id


def due(db: sa.Connection, now: datetime) -> tuple[bool, bool]:
    """Whether there is anything for `take_new` and for `take_due` to take."""
    found = set(db.scalars(_KINDS_DUE, {"now": to_ms(now)}))
    return True in found, False in found


def take_new(tx: sa.Connection, now: datetime) -> list[DueAnswer]:
    """The answers that were never sent, each with the counter that it was recorded with. Each falls
    due again later. None of this needs to last: what is forgotten is sent once more."""
    at = to_ms(now)
    taken = tx.execute(_TAKING_NEW, {"now": at, "again_at": at + FIRST_PAUSE_MS}).all()
    return [_said(row, row.counter) for row in sorted(taken, key=lambda row: row.counter)]


def take_due(tx: sa.Connection, now: datetime) -> list[DueAnswer]:
    """The answers to send now, each with a new counter. Each falls due again later; those that hold
    no longer, never."""
    at = to_ms(now)
    rows = locked(tx, tx.scalars(_DEVICES_DUE, {"now": at}).all(), at)
    taken, over = [], []
    counters = Counters(rows, at)
    chosen = {"now": at, "devices": sorted(rows)}
    for row in tx.execute(_due_of(tx.dialect.name), chosen).all():
        if row.until <= at:
            over.append({"of_answer": row.id, "times": row.sent, "again_at": None})
            continue
        pause = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** min(row.sent, 16))
        over.append({"of_answer": row.id, "times": row.sent + 1, "again_at": at + pause})
        taken.append(_said(row, counters.take(row.device)))
    if over:
        tx.execute(_PUT_OFF, over)
    counters.save(tx)
    return taken


def _said(row: Any, counter: int) -> DueAnswer:
    data = AnswerData(
        device=row.device,
        counter=counter,
        alert=row.alert,
        outcome=AnswerOutcome(row.outcome),
        instruction=row.instruction,
        at=from_ms(row.at),
        until=from_ms(row.until),
    )
    return DueAnswer(row.id, data)


def settle(tx: sa.Connection, held: list[tuple[str, str]], now_ms: int) -> None:
    """These devices hold these answers."""
    if held:
        tx.execute(
            answers.update()
            .where(sa.tuple_(answers.c.device, answers.c.id).in_(held), answers.c.held_at.is_(None))
            .values(held_at=now_ms, send_at=None)
        )


def hurry(tx: sa.Connection, back: list[str], now_ms: int) -> None:
    """These devices are back: whatever they are owed is due now."""
    if back:
        tx.execute(
            answers.update()
            .where(answers.c.device.in_(back), answers.c.send_at.is_not(None))
            .values(sent=0, send_at=now_ms, counter=None)
        )


def _raised_by(tx: sa.Connection, alert: str) -> str:
    """The device that raised the alert, which nobody else answers until `tx` ends."""
    raised_by = tx.scalars(_RAISED_BY, {"alert": alert}).all()
    if not raised_by:
        raise UnknownAlert(f"there is no alert {alert}; `alerts` lists them")
    if len(raised_by) > 1:
        raise UnknownAlert(
            f"{alert} was raised by {' and '.join(sorted(raised_by))}: one of them copied "
            "the other's; tell the desk by other means and look into that device"
        )
    return str(raised_by[0])


def _check_latest(tx: sa.Connection, alert: str, seen: str | None) -> None:
    latest = tx.execute(_LATEST, {"alert": alert}).one_or_none()
    if latest is not None and latest.id != seen:
        who = f" by {latest.by}" if latest.by else ""
        outcome = latest.outcome.replace("_", " ")
        raise AnsweredMeanwhile(
            f"answered meanwhile{who}: {outcome}, {iso(latest.at)}; look again before you answer"
        )
