"""What people do about alerts: answer one, and take note of one that nobody answered in time.

An act and its row in the audit trail are one transaction. An answer says which earlier answer its
operator had before him; where somebody else has answered meanwhile, nothing is recorded, and he is
told so: two operators never overwrite each other unseen.
"""

from datetime import timedelta
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field, StringConstraints, ValidationInfo, field_validator
from starlette.responses import JSONResponse, Response

from central import audit
from central.answering import answers as answering
from central.answering.answers import Answer, AnsweredMeanwhile, UnknownAlert
from central.console.alert_view import shown
from central.console.visit import Visit
from central.moments import to_ms
from central.store.schema import alerts
from scanner.alert import AnswerOutcome
from scanner.alert.messages import Line
from scanner.web.asked import Asked
from scanner.web.problem import Problem, not_found

HOURS_MOST = 24 * 365
REASON_MOST, INSTRUCTION_MOST = 280, 500

_ESCALATED_AT = sa.select(alerts.c.escalated_at).where(
    alerts.c.device == sa.bindparam("device"), alerts.c.id == sa.bindparam("alert")
)


def _stripped(most: int) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, max_length=most)


class AnswerAsked(Asked):
    """An answer as the operator gives it. `answered` is the answer that he had before him."""

    outcome: AnswerOutcome
    reason: Annotated[Line, _stripped(REASON_MOST)] = Field(default="", validate_default=True)
    instruction: Annotated[Line, _stripped(INSTRUCTION_MOST)] = Field(
        default="", validate_default=True
    )
    holds_hours: float = Field(default=24.0, gt=0, le=HOURS_MOST, strict=True, allow_inf_nan=False)
    answered: str | None = Field(default=None, max_length=64)

    @field_validator("reason")
    @classmethod
    def _says_why(cls, reason: str, info: ValidationInfo) -> str:
        if not reason and info.data.get("outcome") is AnswerOutcome.NOT_CONFIRMED:
            raise ValueError("say why it is not confirmed, in a line")
        return reason

    @field_validator("instruction")
    @classmethod
    def _says_what(cls, instruction: str, info: ValidationInfo) -> str:
        if not instruction and info.data.get("outcome") is AnswerOutcome.NEED_MORE:
            raise ValueError("say what more is needed, in a line")
        return instruction


def answer(visit: Visit) -> Response:
    """Records an answer, which is sent until the device holds it."""
    asked = visit.json(AnswerAsked)
    who, device, alert = visit.who, visit.path("device"), visit.path("id")
    until = visit.now + timedelta(hours=asked.holds_hours)
    given = Answer(alert, asked.outcome, asked.instruction, until, who.name, asked.reason)
    try:
        with visit.console.store.changing() as tx:
            _alert(tx, device, alert)
            answer_id = answering.record(tx, given, visit.now, seen=asked.answered)
            detail = {
                "answer": answer_id,
                "outcome": asked.outcome.value,
                "reason": asked.reason,
                "instruction": asked.instruction,
                "until": to_ms(until),
            }
            subject = f"{device}/{alert}"
            audit.record(tx, who.name, who.role.value, "answered", subject, detail, visit.now)
    except AnsweredMeanwhile:
        raise Problem(409, "answered", "somebody else has answered meanwhile; look again") from None
    except UnknownAlert:
        message = "two devices raised an alert of this id; tell the desk by other means"
        raise Problem(409, "ambiguous", message) from None
    return _now(visit)


def seen(visit: Visit) -> Response:
    """A supervisor takes note that an alert was not answered in time."""
    who, device, alert = visit.who, visit.path("device"), visit.path("id")
    with visit.console.store.changing() as tx:
        row = _alert(tx, device, alert)
        if row.escalated_at is None:
            raise Problem(409, "not_escalated", "this alert was not escalated")
        marked = tx.execute(
            alerts.update()
            .where(alerts.c.device == device, alerts.c.id == alert, alerts.c.seen_at.is_(None))
            .values(seen_at=to_ms(visit.now))
        )
        if marked.rowcount:
            subject = f"{device}/{alert}"
            audit.record(tx, who.name, who.role.value, "saw escalation", subject, {}, visit.now)
    return _now(visit)


def _alert(tx: sa.Connection, device: str, alert: str) -> sa.Row[tuple[int | None]]:
    """That it is there. Raises Problem."""
    row = tx.execute(_ESCALATED_AT, {"device": device, "alert": alert}).one_or_none()
    if row is None:
        raise not_found()
    return row


def _now(visit: Visit) -> Response:
    """The alert as it is now."""
    with visit.console.store.reading() as db:
        found = shown(db, [(visit.path("device"), visit.path("id"))], visit.now)
    if not found:
        raise not_found()
    return JSONResponse(found[0])
