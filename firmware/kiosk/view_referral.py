"""Referrals as the page shows them: which are open, and what central said."""

from datetime import datetime

from firmware.kiosk.display import Seen
from firmware.kiosk.written import Json, Speech, moment
from firmware.record.referrals import Referral
from scanner.mrz.document import KINDS
from scanner.said import said
from scanner.terms import ANSWERS
from scanner.verdict import Answered, Outcome

_END_OF_NUMBER = 4


def referral(one: Referral, seen: Seen, now: datetime, speech: Speech) -> Json:
    """A referral in a line: enough to know which document it is about."""
    alert, until = one.alert, one.alert.request_answer_until
    shown = seen.shown.alert_id if seen.shown else seen.again.alert_id if seen.again else None
    return {
        "alert": one.alert_id,
        "at": moment(alert.captured_at),
        "state": "refer",
        "word": speech.told(said("Refer")),
        "certainty": "exact" if alert.outcome.value == Outcome.HIT.value else "possible",
        "kind_word": speech.told(KINDS[alert.document.kind]),
        "issuer": alert.document.issuer,
        "number_end": alert.document.number[-_END_OF_NUMBER:],
        "open": one.open,
        "action": one.action.value if one.action else None,
        "sent": one.sent,
        "waiting": one.waiting(now),
        "answer": answer(one.answer, speech) if one.answer else None,
        "answer_until": moment(until) if until else None,
        "shown": one.alert_id == shown,
        "drill": one.drill,
    }


def answer(answered: Answered, speech: Speech) -> Json:
    """What central found, what is to be done, and until when it holds."""
    return {
        "outcome": answered.outcome,
        "word": speech.told(ANSWERS.get(answered.outcome, answered.outcome)),
        "instruction": answered.instruction,
        "at": moment(answered.at),
        "until": moment(answered.until),
    }
