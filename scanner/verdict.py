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

from scanner.mrz.document import KINDS, Parsed
from scanner.mrz.parse import is_sound
from scanner.mrz.reading import UNKNOWN, Reading, Status
from scanner.said import Said, counted, said, sentence
from scanner.terms import ANSWERS, STATUSES
from scanner.watchlist.age import ClockReading, span
from scanner.watchlist.contract import Certainty, Inquiry, ListHealth, ListState, Match

_LIST_FAULTS = {
    ListHealth.OVER_AGE: said("is not fresh"),
    ListHealth.MISSING: said("is missing"),
    ListHealth.DAMAGED: said("is damaged"),
    ListHealth.LOCKED: said("is locked"),
}


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
        Outcome.READ_AGAIN: list(
            _unseen(no_record=not (matches or faults))
            if _is_number_alone(parsed)
            else _doubts(reading, parsed, inquiry, matched=bool(matches))
        ),
        Outcome.LOOK_CLOSER: list(_flaws(parsed)),
    }
    beside = [*(faults if hits or possible else ()), *_notes(parsed, inquiry)]
    if holding and hits:
        beside = [*_answered_by_central(holding), *beside]
    return Verdict(
        outcome=next((outcome for outcome, told in tiers.items() if told), Outcome.CLEAR),
        reasons=_unique(line for told in tiers.values() for line in told)
        or (said("Read surely, printed soundly, and on no list."),),
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
    why = said("answered by central on {day}: not confirmed", day=_day(holding.at))
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
    return said("Listed as {record}.", record=_record(match))


def _perhaps(match: Match) -> str:
    if match.why:
        return said("Perhaps listed as {record}: {why}.", record=_record(match), why=match.why)
    return said("Perhaps listed as {record}.", record=_record(match))


def _record(match: Match) -> Said:
    status, kind = STATUSES[match.status], KINDS[match.kind]
    if match.recorded is None:
        return said("{status} {kind} (list {list})", status=status, kind=kind, list=match.list)
    return said(
        "{status} {kind} (list {list}, recorded {day})",
        status=status,
        kind=kind,
        list=match.list,
        day=match.recorded.isoformat(),
    )


def _answered_by_central(answer: Answered) -> Iterator[str]:
    """The instruction is a line of its own: an operator wrote it, and may have named somebody, so
    it is for the officer's screen alone."""
    found = ANSWERS.get(answer.outcome, answer.outcome)
    yield said("Answered by central on {day}: {found}.", day=_day(answer.at), found=found)
    if answer.instruction:
        yield said("Central's instruction: {instruction}", instruction=answer.instruction)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _list_faults(inquiry: Inquiry, clock: ClockReading) -> Iterator[str]:
    """Why the lists do not allow a CLEAR: the good state is asked for, all else is a fault."""
    required = [state for state in inquiry.lists if state.required]
    if not inquiry.lists:
        yield said("Not checked: no list is configured.")
    elif not required:
        yield said("Not checked: none of the lists is a required one.")
    for state in required:
        if state.health is not ListHealth.OK:
            yield said("Not checked: {fault}.", fault=_state_fault(state))
    if required and not clock.trusted:
        yield said(
            "Not checked: the clock has not been set for {span}, so no list's age is known.",
            span=span(clock.unsynchronised_s),
        )


def _state_fault(state: ListState) -> Said:
    fault = _LIST_FAULTS.get(state.health, said("is not usable"))
    if state.reason:
        return said("list {list} {fault}: {why}", list=state.name, fault=fault, why=state.reason)
    return said("list {list} {fault}", list=state.name, fault=fault)


def _doubts(reading: Reading, parsed: Parsed, inquiry: Inquiry, matched: bool) -> Iterator[str]:
    """Why the document should be read again."""
    if not reading.lines or reading.status is Status.UNREADABLE:
        if reading.note:
            yield said("Nothing could be read: {why}.", why=reading.note)
        else:
            yield said("Nothing could be read.")
    elif parsed.document is None:
        unlike = said("the lines are not those of a document")
        yield sentence(parsed.reason.message if parsed.reason else unlike)
    doubtful = len({(one.line, one.position) for one in reading.uncertain} | set(_unread(reading)))
    if doubtful:
        yield counted(
            "{count} character is uncertain.", "{count} characters are uncertain.", doubtful
        )
    elif reading.lines and reading.status is Status.DOUBTFUL:
        yield said("The reading is uncertain.")
    if parsed.document is None or matched:
        return
    if inquiry.unasked:
        yield counted(
            "{count} of the numbers that may be printed could not be asked.",
            "{count} of the numbers that may be printed could not be asked.",
            inquiry.unasked,
        )
    if not inquiry.asked:
        yield said("There is no document number to ask for.")


def _is_number_alone(parsed: Parsed) -> bool:
    """Whether the document's number was typed, and nothing of it read."""
    return parsed.document is not None and not parsed.lines


def _unseen(*, no_record: bool) -> Iterator[str]:
    """Why a number alone is never enough."""
    if no_record:
        yield said("No list has this number.")
    yield said("Only the number was typed: nothing else of the document was checked.")


def _unread(reading: Reading) -> Iterator[tuple[int, int]]:
    for line, characters in enumerate(reading.lines):
        for position, character in enumerate(characters):
            if character == UNKNOWN:
                yield line, position


def _flaws(parsed: Parsed) -> Iterator[str]:
    """What is wrong with the document as it is printed."""
    if parsed.document is None or _is_number_alone(parsed):
        return
    flaws = [sentence(finding.message) for finding in parsed.findings if not finding.note]
    yield from flaws
    if not flaws and not is_sound(parsed):
        yield said("A check digit that this kind of document must have is missing.")


def _notes(parsed: Parsed, inquiry: Inquiry) -> Iterator[str]:
    """What is told beside and changes nothing."""
    yield from (sentence(finding.message) for finding in parsed.findings if finding.note)
    for state in inquiry.lists:
        if not state.required and state.health is not ListHealth.OK:
            yield said("Beside the required lists, {fault}.", fault=_state_fault(state))
        if state.reason and state.health is ListHealth.OK:
            yield said("List {list}: {reason}.", list=state.name, reason=state.reason)
        if state.age_is_lower_bound and state.health is ListHealth.OK:
            yield said(
                "List {list} is at least {span} old: the clock has not been set since the start.",
                list=state.name,
                span=span(state.age_s or 0.0),
            )


def _unique(lines: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line for line in lines if line))
