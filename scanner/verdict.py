"""The verdict: what an officer is told about one document.

`judge` is pure and total. It gathers what speaks against the document in five tiers and takes the
first tier that is not empty:

    HIT > POSSIBLE > NOT_CHECKED > READ_AGAIN > LOOK_CLOSER > CLEAR

CLEAR is what remains when every tier is empty, so nothing needs to be remembered for it; a case
that nobody thought of has to put a reason into some tier to matter, and `_sound` and
`_list_faults` ask for the good state rather than for the absence of known bad ones. All reasons
are told, the deciding ones first. What changes nothing stands beside: an expired document, a list
at fault when a match was found all the same.

Reasons are neutral sentences without a name or a number: a traveller may see the screen.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from scanner.mrz.document import Parsed
from scanner.mrz.parse import is_sound
from scanner.mrz.reading import UNKNOWN, Reading, Status
from scanner.watchlist.age import ClockReading, span
from scanner.watchlist.contract import Certainty, Inquiry, ListHealth, ListState, Match


class Outcome(StrEnum):
    HIT = "HIT"
    POSSIBLE = "POSSIBLE"
    NOT_CHECKED = "NOT_CHECKED"
    READ_AGAIN = "READ_AGAIN"
    LOOK_CLOSER = "LOOK_CLOSER"
    CLEAR = "CLEAR"


@dataclass(frozen=True)
class Answered:
    """What central answered about this document before.

    `outcome` is `confirmed`, `not_confirmed` or `need_more`; the answer holds until `until`.
    """

    outcome: str
    at: datetime
    until: datetime
    instruction: str = ""


@dataclass(frozen=True)
class Verdict:
    """The outcome; every reason, the deciding ones first; the matches, exact ones first; the lists
    as they stood; what is told beside without changing the outcome; and how many numbers were asked
    of each list, and how many the budget of a scan left unasked."""

    outcome: Outcome
    reasons: tuple[str, ...]
    matches: tuple[Match, ...] = ()
    lists: tuple[ListState, ...] = ()
    beside: tuple[str, ...] = ()
    asked: int = 0
    unasked: int = 0


def judge(
    reading: Reading,
    parsed: Parsed,
    inquiry: Inquiry,
    clock: ClockReading,
    answered: Answered | None = None,
) -> Verdict:
    """The verdict on one document. Never raises."""
    holding = answered if answered and clock.now < answered.until else None
    matches = _ordered(_in_light_of(holding, inquiry.matches))
    hits = [_listed(match) for match in matches if match.certainty is Certainty.EXACT]
    possible = [_perhaps(match) for match in matches if match.certainty is Certainty.POSSIBLE]
    if holding and not hits:
        possible = [*_answered_by_central(holding), *possible]
    faults = list(_list_faults(inquiry, clock))
    tiers = {
        Outcome.HIT: hits,
        Outcome.POSSIBLE: possible,
        Outcome.NOT_CHECKED: [] if hits or possible else faults,
        Outcome.READ_AGAIN: list(_doubts(reading, parsed, inquiry, matched=bool(matches))),
        Outcome.LOOK_CLOSER: list(_flaws(parsed)),
    }
    beside = [*(faults if hits or possible else ()), *_notes(parsed, inquiry)]
    if holding and hits:
        beside = [*_answered_by_central(holding), *beside]
    return Verdict(
        outcome=next((outcome for outcome, told in tiers.items() if told), Outcome.CLEAR),
        reasons=_unique(line for told in tiers.values() for line in told)
        or ("Read surely, printed soundly, and on no list.",),
        matches=matches,
        lists=inquiry.lists,
        beside=_unique(iter(beside)),
        asked=inquiry.asked,
        unasked=inquiry.unasked,
    )


def _in_light_of(holding: Answered | None, matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """An exact match that central did not confirm is only possible while the answer holds.

    A record that is younger than the answer is not what central spoke about: it stays exact.
    """
    if holding is None or holding.outcome != "not_confirmed":
        return matches
    why = f"answered by central on {holding.at:%Y-%m-%d}: not confirmed"
    return tuple(
        replace(match, certainty=Certainty.POSSIBLE, why=why)
        if match.certainty is Certainty.EXACT and _known_then(match, holding)
        else match
        for match in matches
    )


def _known_then(match: Match, answer: Answered) -> bool:
    return match.recorded is None or match.recorded <= answer.at.date()


def _ordered(matches: tuple[Match, ...]) -> tuple[Match, ...]:
    return tuple(sorted(matches, key=lambda match: match.certainty is not Certainty.EXACT))


def _listed(match: Match) -> str:
    return f"Listed as {_record(match)}."


def _perhaps(match: Match) -> str:
    why = f": {match.why}" if match.why else ""
    return f"Perhaps listed as {_record(match)}{why}."


def _record(match: Match) -> str:
    status = match.status.value.replace("_", " ")
    recorded = f", recorded {match.recorded.isoformat()}" if match.recorded else ""
    return f"{status} {match.kind.value} (list {match.list}{recorded})"


def _answered_by_central(answer: Answered) -> Iterator[str]:
    """The instruction is a line of its own: an operator wrote it, and may have named somebody, so
    it is for the officer's screen alone."""
    said = answer.outcome.replace("_", " ")
    yield f"Answered by central on {answer.at:%Y-%m-%d}: {said}."
    if answer.instruction:
        yield f"Central's instruction: {answer.instruction}"


def _list_faults(inquiry: Inquiry, clock: ClockReading) -> Iterator[str]:
    """Why the lists do not allow a CLEAR: the good state is asked for, all else is a fault."""
    required = [state for state in inquiry.lists if state.required]
    if not inquiry.lists:
        yield "Not checked: no list is configured."
    elif not required:
        yield "Not checked: none of the lists is a required one."
    for state in required:
        if state.health is not ListHealth.OK:
            yield f"Not checked: {_state_fault(state)}"
    if required and not clock.trusted:
        yield (
            "Not checked: the clock has not been set for "
            f"{span(clock.unsynchronised_s)}, so no list's age is known."
        )


def _state_fault(state: ListState) -> str:
    said = {
        ListHealth.OVER_AGE: "is not fresh",
        ListHealth.MISSING: "is missing",
        ListHealth.DAMAGED: "is damaged",
        ListHealth.LOCKED: "is locked",
    }.get(state.health, "is not usable")
    return f"list {state.name} {said}" + (f": {state.reason}" if state.reason else "") + "."


def _doubts(reading: Reading, parsed: Parsed, inquiry: Inquiry, matched: bool) -> Iterator[str]:
    """Why the document should be read again."""
    if not reading.lines or reading.status is Status.UNREADABLE:
        yield f"Nothing could be read{f': {reading.note}' if reading.note else ''}."
    elif parsed.document is None:
        why = parsed.reason.message if parsed.reason else "the lines are not those of a document"
        yield _sentence(why)
    doubtful = len({(one.line, one.position) for one in reading.uncertain} | set(_unread(reading)))
    if doubtful:
        yield f"{doubtful} character{'s are' if doubtful > 1 else ' is'} uncertain."
    elif reading.lines and reading.status is Status.DOUBTFUL:
        yield "The reading is uncertain."
    if parsed.document is None or matched:
        return
    if inquiry.unasked:
        yield f"{inquiry.unasked} of the numbers that may be printed could not be asked."
    if not inquiry.asked:
        yield "There is no document number to ask for."


def _unread(reading: Reading) -> Iterator[tuple[int, int]]:
    for line, characters in enumerate(reading.lines):
        for position, character in enumerate(characters):
            if character == UNKNOWN:
                yield line, position


def _flaws(parsed: Parsed) -> Iterator[str]:
    """What is wrong with the document as it is printed."""
    if parsed.document is None:
        return
    flaws = [_sentence(finding.message) for finding in parsed.findings if not finding.note]
    yield from flaws
    if not flaws and not is_sound(parsed):
        yield "A check digit that this kind of document must have is missing."


def _notes(parsed: Parsed, inquiry: Inquiry) -> Iterator[str]:
    """What is told beside and changes nothing."""
    yield from (_sentence(finding.message) for finding in parsed.findings if finding.note)
    for state in inquiry.lists:
        if not state.required and state.health is not ListHealth.OK:
            yield f"Beside the required lists, {_state_fault(state)}"
        if state.reason and state.health is ListHealth.OK:
            yield f"List {state.name}: {state.reason}."
        if state.age_is_lower_bound and state.health is ListHealth.OK:
            yield (
                f"List {state.name} is at least {span(state.age_s or 0.0)} old: "
                "the clock has not been set since the start."
            )


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:].rstrip('.')}." if message else ""


def _unique(lines: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for line in lines if line))
