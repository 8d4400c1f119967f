"""What central owes a device in answers: recorded once, sent until the device holds them.

An answer goes out while its device is there, again after growing pauses, and at once when the
device comes back; each time with a counter of its own, so that the device can tell it from a copy
that somebody kept. It is settled when the device's own signed status names it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from central.moments import from_ms, to_ms
from central.schema import alerts, answers, devices
from scanner.alert import AnswerData, AnswerOutcome, new_id

FIRST_PAUSE_MS, LONGEST_PAUSE_MS = 2_000, 300_000


class UnknownAlert(Exception):
    """There is no such alert, or more than one; the message says so."""


@dataclass(frozen=True)
class Answer:
    """An operator's answer to an alert, which holds until `until`."""

    alert: str
    outcome: AnswerOutcome
    instruction: str
    until: datetime
    by: str | None = None


@dataclass(frozen=True)
class DueAnswer:
    """An answer to send to its device now. `id` stays the same each time it is sent."""

    id: str
    data: AnswerData


def record(tx: sa.Connection, answer: Answer, now: datetime) -> str:
    """Records an answer in the place of any earlier one to the same alert, and gives its id.
    Raises UnknownAlert."""
    raised_by = tx.scalars(sa.select(alerts.c.device).where(alerts.c.id == answer.alert)).all()
    if not raised_by:
        raise UnknownAlert(f"there is no alert {answer.alert}; `alerts` lists them")
    if len(raised_by) > 1:
        raise UnknownAlert(
            f"{answer.alert} was raised by {' and '.join(sorted(raised_by))}: one of them copied "
            "the other's; tell the desk by other means and look into that device"
        )
    (device,) = raised_by
    tx.execute(answers.update().where(answers.c.alert == answer.alert).values(send_at=None))
    answer_id = new_id()
    tx.execute(
        answers.insert().values(
            id=answer_id,
            alert=answer.alert,
            device=device,
            outcome=answer.outcome.value,
            instruction=answer.instruction,
            at=to_ms(now),
            until=to_ms(answer.until),
            by=answer.by,
            sent=0,
            send_at=to_ms(now),
        )
    )
    return answer_id


def is_any_due(db: sa.Connection, now: datetime) -> bool:
    """Whether `take_due` has anything to do."""
    return db.scalar(sa.select(sa.literal(1)).where(*_due(now)).limit(1)) is not None


def take_due(
    tx: sa.Connection, now: datetime, next_counter: Callable[[str], int]
) -> list[DueAnswer]:
    """The answers to send now. Each falls due again later; those that hold no longer, never."""
    at = to_ms(now)
    tx.execute(answers.update().where(*_due(now), answers.c.until <= at).values(send_at=None))
    due = []
    for row in tx.execute(sa.select(answers).where(*_due(now)).order_by(answers.c.id)).all():
        pause = min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** min(row.sent, 16))
        tx.execute(
            answers.update()
            .where(answers.c.id == row.id)
            .values(sent=row.sent + 1, send_at=at + pause)
        )
        data = AnswerData(
            device=row.device,
            counter=next_counter(row.device),
            alert=row.alert,
            outcome=AnswerOutcome(row.outcome),
            instruction=row.instruction,
            at=from_ms(row.at),
            until=from_ms(row.until),
        )
        due.append(DueAnswer(row.id, data))
    return due


def settle(tx: sa.Connection, device: str, held: tuple[str, ...], now: datetime) -> None:
    """The device holds these answers."""
    tx.execute(
        answers.update()
        .where(answers.c.device == device, answers.c.id.in_(held), answers.c.held_at.is_(None))
        .values(held_at=to_ms(now), send_at=None)
    )


def hurry(tx: sa.Connection, device: str, now: datetime) -> None:
    """The device is back: whatever it is owed is due now."""
    tx.execute(
        answers.update()
        .where(answers.c.device == device, answers.c.send_at.is_not(None))
        .values(sent=0, send_at=to_ms(now))
    )


def _due(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    away = sa.select(devices.c.device).where(devices.c.online.is_(False))
    return (answers.c.send_at <= to_ms(now), answers.c.device.not_in(away))
