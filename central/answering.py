"""What central owes a device in answers: recorded once, sent until the device holds them.

An answer goes out while its device is there, again after growing pauses, and at once when the
device comes back; each time with a counter of its own, so that the device can tell it from a copy
that somebody kept. It is settled when the device's own signed status names it.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from central.counters import note_answer
from central.device_rows import Counters, locked
from central.moments import from_ms, iso, to_ms
from central.schema import alerts, answers, devices
from scanner.alert import AnswerData, AnswerOutcome, new_id

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 2_000, 300_000
_DEVICES_AT_ONCE = 500


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
    note_answer(tx, answer.alert, device, answer.outcome, now)
    tx.execute(answers.update().where(answers.c.alert == answer.alert).values(send_at=None))
    answer_id = new_id()
    tx.execute(
        answers.insert().values(
            id=answer_id,
            alert=answer.alert,
            device=device,
            outcome=answer.outcome.value,
            instruction=answer.instruction,
            reason=answer.reason,
            at=to_ms(now),
            until=to_ms(answer.until),
            by=answer.by,
            sent=0,
            send_at=to_ms(now),
        )
    )
    tx.execute(
        alerts.update()
        .where(alerts.c.id == answer.alert, alerts.c.device == device)
        .values(answer=answer.outcome.value, answered_at=to_ms(now))
    )
    return answer_id


def is_any_due(db: sa.Connection, now: datetime) -> bool:
    """Whether `take_due` has anything to do."""
    return db.scalar(sa.select(sa.literal(1)).where(*_due(now)).limit(1)) is not None


def take_due(tx: sa.Connection, now: datetime) -> list[DueAnswer]:
    """The answers to send now, each with a counter of its own. Each falls due again later; those
    that hold no longer, never."""
    at = to_ms(now)
    names = sa.select(answers.c.device).where(*_due(now)).distinct().limit(_DEVICES_AT_ONCE)
    rows = locked(tx, tx.scalars(names).all(), at)
    chosen = sa.select(answers).where(*_due(now), answers.c.device.in_(sorted(rows)))
    due, over = [], []
    counters = Counters(rows, at)
    for row in tx.execute(chosen.order_by(answers.c.id)).all():
        if row.until <= at:
            over.append({"of_answer": row.id, "sent": row.sent, "send_at": None})
            continue
        pause = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** min(row.sent, 16))
        over.append({"of_answer": row.id, "sent": row.sent + 1, "send_at": at + pause})
        data = AnswerData(
            device=row.device,
            counter=counters.take(row.device),
            alert=row.alert,
            outcome=AnswerOutcome(row.outcome),
            instruction=row.instruction,
            at=from_ms(row.at),
            until=from_ms(row.until),
        )
        due.append(DueAnswer(row.id, data))
    if over:
        tx.execute(answers.update().where(answers.c.id == sa.bindparam("of_answer")), over)
    counters.save(tx)
    return due


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
            .values(sent=0, send_at=now_ms)
        )


def _raised_by(tx: sa.Connection, alert: str) -> str:
    """The device that raised the alert, which nobody else answers until `tx` ends."""
    chosen = sa.select(alerts.c.device).where(alerts.c.id == alert)
    raised_by = tx.scalars(chosen.with_for_update()).all()
    if not raised_by:
        raise UnknownAlert(f"there is no alert {alert}; `alerts` lists them")
    if len(raised_by) > 1:
        raise UnknownAlert(
            f"{alert} was raised by {' and '.join(sorted(raised_by))}: one of them copied "
            "the other's; tell the desk by other means and look into that device"
        )
    return str(raised_by[0])


def _check_latest(tx: sa.Connection, alert: str, seen: str | None) -> None:
    order = (answers.c.at.desc(), answers.c.id.desc())
    chosen = sa.select(answers).where(answers.c.alert == alert).order_by(*order).limit(1)
    latest = tx.execute(chosen).one_or_none()
    if latest is not None and latest.id != seen:
        who = f" by {latest.by}" if latest.by else ""
        outcome = latest.outcome.replace("_", " ")
        raise AnsweredMeanwhile(
            f"answered meanwhile{who}: {outcome}, {iso(latest.at)}; look again before you answer"
        )


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    away = sa.select(devices.c.device).where(devices.c.online.is_(False))
    return (answers.c.send_at <= to_ms(now), answers.c.device.not_in(away))
