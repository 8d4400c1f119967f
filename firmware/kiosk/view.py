"""What the page draws, from what the desk shows: pure, one JSON object in one language.

The page decides nothing: which of the states it is, every word of it, what is doubtful and what may
be done now are all said here. While the page is locked or blank, nothing of a document is in it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from firmware.kiosk.display import Seen, is_open
from firmware.kiosk.view_document import alert_document, document, match, mrz
from firmware.kiosk.view_drill import drill
from firmware.kiosk.view_referral import answer, referral
from firmware.kiosk.view_upkeep import clock, faults, link, lists, sources
from firmware.kiosk.written import Json, Speech, moment
from firmware.officers.duty import Refused
from firmware.officers.roles import Officer
from firmware.record.referrals import Referral
from scanner.mrz.reading import Entered, Reading
from scanner.said import Said, said
from scanner.verdict import Outcome, Verdict

__all__ = ["STATES", "WORDS", "Attending", "Json", "Speech", "view"]

STATES: dict[Outcome, str] = {
    Outcome.HIT: "refer",
    Outcome.POSSIBLE: "refer",
    Outcome.NOT_CHECKED: "not_checked",
    Outcome.READ_AGAIN: "read_again",
    Outcome.LOOK_CLOSER: "look_closer",
    Outcome.CLEAR: "no_record",
}
WORDS: dict[str, Said] = {
    "ready": said("Ready"),
    "hold_still": said("Hold still"),
    "read_again": said("Read again"),
    "number_only": said("Number only"),
    "no_record": said("No record"),
    "refer": said("Refer"),
    "look_closer": said("Look closer"),
    "not_checked": said("Not checked"),
    "fault": said("Out of order"),
    "locked": said("Locked"),
}
"""The word of each state; the configuration may have others."""

_PERSONAL = ("locked", "blank")
_MOST_PENDING = 30
"""So many referrals are told of at a time, the newest ones."""


@dataclass(frozen=True)
class Attending:
    """Who is at the desk and what may be done there: how one signs in, who did, whether that locks
    the page, why the last try was refused, and the intents that are open to whoever is there."""

    sign_in: Literal["off", "pin", "badge"] = "off"
    officer: Officer | None = None
    locked: bool = False
    refused: Refused | None = None
    may: frozenset[str] = frozenset()


def view(
    seen: Seen,
    attending: Attending,
    now: datetime,
    speech: Speech,
    words: Mapping[str, str] | None = None,
) -> Json:
    """The whole STATE; `words` are the configured ones."""
    state = _state(seen, attending)
    word = _word(state, seen)
    return {
        "boot": seen.boot,
        "n": seen.n,
        "now": moment(now),
        "state": state,
        "word": (words or {}).get(word) or speech.told(WORDS.get(word, "")),
        **_about_document(seen, state, now, speech),
        "pending": []
        if state in _PERSONAL
        else [referral(one, seen, now, speech) for one in seen.referrals[:_MOST_PENDING]],
        "pending_count": sum(one.open for one in seen.referrals),
        "lists": lists(seen.upkeep, speech),
        "link": link(seen.link, speech),
        "sources": sources(seen.upkeep, speech),
        "clock": clock(seen.upkeep, speech),
        "faults": faults(seen, speech),
        "drill": drill(
            seen.drill,
            is_real=_is_real(seen) and state not in _PERSONAL,
            hidden=state in _PERSONAL,
            speech=speech,
        ),
        "officer": _officer(attending),
        "sign_in": attending.sign_in,
        "refused": _refused(attending.refused, speech),
        "locked": attending.locked,
        "may": sorted(_may(seen, attending, state)),
    }


def _is_real(seen: Seen) -> bool:
    """Whether a document is shown that is no specimen of a drill."""
    shown = seen.shown
    return shown is not None and not shown.drill and shown.examination.reading is not None


def _state(seen: Seen, attending: Attending) -> str:
    if attending.locked:
        return "locked"
    if seen.blank:
        return "blank"
    shows = seen.shown is not None or seen.again is not None
    if seen.busy or seen.settling or (seen.coming and not shows):
        return "hold_still"
    if seen.shown is not None:
        verdict = seen.shown.examination.verdict
        return STATES[verdict.outcome] if verdict else "fault"
    if seen.again is not None:
        return "refer"
    return "ready" if _can_read(seen) else "fault"


def _can_read(seen: Seen) -> bool:
    """Whether any source could take a document; a desk without any is typed at."""
    found = seen.upkeep.sources.values() if seen.upkeep else ()
    return not found or any(health.ok for health in found)


def _word(state: str, seen: Seen) -> str:
    reading = seen.shown.examination.reading if seen.shown else None
    if state == "read_again" and reading is not None and reading.entered is Entered.NUMBER:
        return "number_only"
    return state


def _about_document(seen: Seen, state: str, now: datetime, speech: Speech) -> Json:
    """What there is to say of the document on the page: the same keys always."""
    hidden = state in (*_PERSONAL, "hold_still")
    shown = None if hidden else seen.shown
    again = None if hidden else seen.again
    examination = shown.examination if shown else None
    verdict = examination.verdict if examination else None
    reading = examination.reading if examination else None
    parsed = examination.parsed if examination else None
    alert_id = shown.alert_id if shown else again.alert_id if again else None
    of_alert = next((one for one in seen.referrals if one.alert_id == alert_id), None)
    said_of_it = {
        "lines_told": [],
        "beside": [speech.told(line) for line in verdict.beside] if verdict else [],
        "why": reading.why.value if reading and reading.why else None,
        "certainty": None,
        "document": None,
        "mrz": list(mrz(reading, parsed)) if reading else [],
        "picture": f"/kiosk/picture/{shown.capture_id}" if shown and has_picture(seen) else None,
        "capture": None if hidden else seen.capture_id,
        "entered": _entered(reading),
        "matches": [match(one, speech) for one in verdict.matches] if verdict else [],
        "alert": _alert(of_alert),
        "answer": answer(of_alert.answer, speech) if of_alert and of_alert.answer else None,
        "waiting": of_alert is not None and of_alert.waiting(now),
    }
    if verdict is not None:
        said_of_it["lines_told"] = [speech.told(line) for line in verdict.reasons]
        said_of_it["certainty"] = _certainty(verdict)
    elif examination is not None and examination.fault is not None:
        said_of_it["lines_told"] = [speech.told(examination.fault.message)]
    if parsed is not None and parsed.document is not None:
        said_of_it["document"] = document(parsed.document, now.date(), speech)
    elif shown is None and again is not None:
        said_of_it |= _from_alert(again, now, speech)
    return said_of_it


def has_picture(seen: Seen) -> bool:
    """Whether there is a picture of the lines on the page."""
    return seen.shown is not None and seen.shown.examination.cut is not None


def _from_alert(again: Referral, now: datetime, speech: Speech) -> Json:
    """What an alert still tells of a document that is no longer remembered."""
    told = said("This alert was raised at {time}.", time=f"{again.alert.captured_at:%H:%M} UTC")
    return {
        "lines_told": [speech.told(told)],
        "certainty": "exact" if again.alert.outcome.value == Outcome.HIT.value else "possible",
        "document": alert_document(again.alert.document, now.date(), speech),
        "matches": [match(one, speech) for one in again.alert.matches],
    }


def _certainty(verdict: Verdict) -> str | None:
    return {Outcome.HIT: "exact", Outcome.POSSIBLE: "possible"}.get(verdict.outcome)


def _entered(reading: Reading | None) -> str:
    return (reading.entered if reading else Entered.READ).value


def _alert(one: Referral | None) -> Json | None:
    if one is None:
        return None
    until = one.alert.request_answer_until
    return {
        "id": one.alert_id,
        "answer_until": moment(until) if until else None,
        "sent": one.sent,
        "action": one.action.value if one.action else None,
    }


def _officer(attending: Attending) -> Json | None:
    officer = attending.officer
    return {"name": officer.name, "role": officer.role.value} if officer else None


def _refused(refused: Refused | None, speech: Speech) -> Json | None:
    if refused is None:
        return None
    return {
        "code": refused.code.value,
        "message": speech.told(refused.message),
        "wait_s": round(refused.wait_s, 1),
    }


def _may(seen: Seen, attending: Attending, state: str) -> Collection[str]:
    """What may be done now, of all that whoever is there may do."""
    may = set(attending.may)
    if state in _PERSONAL:
        return may & {"blank", "sign_in", "sign_out"}
    reading = seen.shown.examination.reading if seen.shown else None
    if reading is None or not reading.lines:
        may.discard("correct")
    if not any(one.open for one in seen.referrals):
        may.discard("referral")
    if seen.capture_id is None or (seen.again is None and is_open(seen)):
        may.discard("next")
    return may
