"""What the page draws, from what the desk shows: pure, one JSON object in one language.

The page decides nothing: which of the states it is, every word of it, what is doubtful and what may
be done now are all said here. `say` puts a sentence into the page's language.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any

from firmware.desk import Reply, Shown
from firmware.kiosk.display import Seen, Upkeep
from scanner.mrz.document import Document
from scanner.mrz.layouts import LAYOUTS
from scanner.mrz.reading import Reading
from scanner.mrz.states import name_of
from scanner.verdict import Outcome
from scanner.watchlist.age import span
from scanner.watchlist.contract import Certainty, ListHealth, ListState, Match

Json = dict[str, Any]
Say = Callable[[str], str]

STATES = {
    Outcome.HIT: "refer",
    Outcome.POSSIBLE: "refer",
    Outcome.NOT_CHECKED: "not_checked",
    Outcome.READ_AGAIN: "read_again",
    Outcome.LOOK_CLOSER: "look_closer",
    Outcome.CLEAR: "no_record",
}
WORDS = {
    "ready": "Ready",
    "hold_still": "Hold still",
    "read_again": "Read again",
    "no_record": "No record",
    "refer": "Refer",
    "look_closer": "Look closer",
    "not_checked": "Not checked",
    "fault": "Fault",
    "locked": "Locked",
    "blank": "",
}


def view(seen: Seen, now: datetime, say: Say) -> Json:
    """The whole STATE."""
    shown = seen.shown
    state = _state(seen)
    examination = shown.examination if shown else None
    verdict = examination.verdict if examination else None
    reading = examination.reading if examination else None
    document = examination.parsed.document if examination and examination.parsed else None
    alert_id = shown.alert_id if shown else None
    reply = seen.replies.get(alert_id) if alert_id else None
    told = verdict.reasons if verdict else _fault_lines(shown)
    return {
        "boot": seen.boot,
        "n": seen.n,
        "now": moment(now),
        "state": state,
        "word": say(WORDS[state]),
        "lines_told": [say(line) for line in told],
        "beside": [say(line) for line in verdict.beside] if verdict else [],
        "why": reading.why.value if reading and reading.why else None,
        "certainty": _certainty(verdict.outcome) if verdict else None,
        "document": _document(document, now.date(), say) if document else None,
        "mrz": list(_mrz(shown)) if shown else [],
        "picture": _picture(shown),
        "capture": shown.capture_id if shown else None,
        "entered": _entered(reading),
        "matches": [_match(match, say) for match in verdict.matches] if verdict else [],
        "alert": _alert(alert_id, seen),
        "answer": _answer(reply, say) if reply else None,
        "waiting": alert_id is not None and reply is None,
        "pending": [],
        "lists": [_list(one, say) for one in seen.upkeep.lists] if seen.upkeep else [],
        "link": _link(seen, say),
        "sources": [
            {"name": name, "ok": health.ok, "message": say(health.message)}
            for name, health in (seen.upkeep.sources.items() if seen.upkeep else ())
        ],
        "clock": _clock(seen.upkeep, say),
        "faults": [
            *(say(line) for line in (seen.upkeep.faults if seen.upkeep else ())),
            *(say(line) for line in (shown.faults if shown else ())),
        ],
        "officer": None,
        "sign_in": "off",
        "locked": False,
        "drill": None,
        "may": ["type", *(["correct", "next"] if shown else [])],
    }


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _state(seen: Seen) -> str:
    if seen.busy:
        return "hold_still"
    if seen.shown is None:
        return "ready"
    verdict = seen.shown.examination.verdict
    return STATES[verdict.outcome] if verdict else "fault"


def _fault_lines(shown: Shown | None) -> tuple[str, ...]:
    fault = shown.examination.fault if shown else None
    return (fault.message,) if fault else ()


def _certainty(outcome: Outcome) -> str | None:
    return {Outcome.HIT: "exact", Outcome.POSSIBLE: "possible"}.get(outcome)


def _entered(reading: Reading | None) -> str:
    reader = reading.reader if reading else ""
    return reader if reader in ("typed", "corrected") else "read"


def _picture(shown: Shown | None) -> str | None:
    reading = shown.examination.reading if shown else None
    if shown is None or shown.examination.frame is None or reading is None or reading.box is None:
        return None
    return f"/kiosk/picture/{shown.capture_id}"


def _document(document: Document, today: date, say: Say) -> Json:
    return {
        "format": document.format.value,
        "kind": document.kind.value,
        "kind_word": say(document.kind.value),
        "code": document.code,
        "issuer": document.issuer,
        "issuer_name": _state_name(document.issuer, say),
        "number": document.number,
        "surname": document.surname,
        "given_names": document.given_names,
        "name_truncated": document.name_truncated,
        "nationality": document.nationality,
        "nationality_name": _state_name(document.nationality, say),
        "birth_date": document.birth_date,
        "age": _age(document.birth_date, today),
        "sex": document.sex,
        "expiry_date": document.expiry_date,
        "expired": _expired(document.expiry_date, today),
        "optional": document.optional,
        "optional_2": document.optional_2,
    }


def _state_name(code: str, say: Say) -> str | None:
    name = name_of(code)
    return say(name) if name else None


def _age(birth_date: str | None, today: date) -> int | None:
    """Whole years, where the date is whole."""
    if birth_date is None or len(birth_date) < len("YYYY-MM-DD"):
        return None
    born = date.fromisoformat(birth_date)
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def _expired(expiry_date: str | None, today: date) -> bool:
    return expiry_date is not None and expiry_date < today.isoformat()[: len(expiry_date)]


def _mrz(shown: Shown) -> Iterator[Json]:
    reading, parsed = shown.examination.reading, shown.examination.parsed
    if reading is None:
        return
    document = parsed.document if parsed else None
    wrong: list[tuple[int, int]] = []
    if document is not None:
        for name, check in LAYOUTS[document.format].checks.items():
            if getattr(document.checks, name) is False:
                wrong.append((check.place.line, check.place.start))
    for line, text in enumerate(reading.lines):
        yield {
            "text": text,
            "doubtful": [
                {
                    "position": one.position,
                    "candidates": [[character, chance] for character, chance in one.candidates],
                }
                for one in reading.uncertain
                if one.line == line
            ],
            "wrong": [position for row, position in wrong if row == line],
        }


def _match(match: Match, say: Say) -> Json:
    return {
        "list": match.list,
        "certainty": "exact" if match.certainty is Certainty.EXACT else "possible",
        "status": match.status.value,
        "kind": match.kind.value,
        "recorded": match.recorded.isoformat() if match.recorded else None,
        "why": say(match.why) if match.why else None,
    }


def _alert(alert_id: str | None, seen: Seen) -> Json | None:
    if alert_id is None:
        return None
    return {"id": alert_id, "answer_until": None, "sent": seen.link is None or not seen.link.alerts}


def _answer(reply: Reply, say: Say) -> Json:
    return {
        "outcome": reply.outcome.value,
        "word": say(reply.outcome.value.replace("_", " ")),
        "instruction": reply.instruction,
        "at": moment(reply.at),
        "until": moment(reply.until),
    }


def _list(state: ListState, say: Say) -> Json:
    return {
        "name": state.name,
        "version": state.version,
        "as_of": moment(state.as_of) if state.as_of else None,
        "age_s": None if state.age_s is None else round(state.age_s),
        "age_words": None if state.age_s is None else say(span(state.age_s)),
        "health": state.health.value,
        "word": say(state.reason) if state.reason else "",
        "ok": state.health is ListHealth.OK,
        "updating": None,
    }


def _link(seen: Seen, say: Say) -> Json:
    link = seen.link
    up = link is not None and link.connected
    return {
        "up": up,
        "since": moment(link.since) if link else None,
        "queued": link.queued if link else 0,
        "alerts": link.alerts if link else 0,
        "word": say("connected") if up else say("not connected"),
    }


def _clock(upkeep: Upkeep | None, say: Say) -> Json:
    trusted = upkeep is not None and upkeep.clock.trusted
    return {"trusted": trusted, "word": "" if trusted else say("The clock has not been set.")}
