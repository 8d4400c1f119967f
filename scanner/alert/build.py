"""From what the desk found to what central is told.

Building an alert never fails on what was read: text is cut to its message's limits and cleaned of
control characters, matches over the limit are counted instead of carried, exact ones first, and a
list's date that no message carries is left out. A hit that could not be told would be the worst
outcome.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from annotated_types import MaxLen
from pydantic import BaseModel

from scanner.alert.messages import (
    FIRST_YEAR,
    LAST_YEAR,
    MAX_LISTS,
    MAX_MATCHES,
    AlertData,
    AlertDocument,
    Alerting,
    AlertMatch,
    DeviceFault,
    JournalHead,
    ListVersion,
    Place,
    RolloutData,
    StatsData,
)
from scanner.hash_chain import Head
from scanner.mrz.document import Document
from scanner.mrz.reading import Entered
from scanner.watchlist.contract import Certainty, ListState, Match

if TYPE_CHECKING:  # central builds no alerts and need not load what reads and checks documents
    from scanner.examine import Examination

OTHERS = "other"
"""What stands for the States that are not named."""


def alert_of(
    examination: "Examination",
    *,
    place: Place,
    captured_at: datetime,
    answer_until: datetime | None,
) -> AlertData:
    """The alert that `examination` raises. Raises ValueError where it is no HIT or POSSIBLE."""
    verdict, parsed, reading = examination.verdict, examination.parsed, examination.reading
    if verdict is None or parsed is None or parsed.document is None:
        raise ValueError("there is no document to raise an alert about")
    return alert_data(
        parsed.document,
        outcome=verdict.outcome,
        matches=verdict.matches,
        lists=verdict.lists,
        place=place,
        captured_at=captured_at,
        answer_until=answer_until,
        entered=reading.entered if reading else Entered.READ,
    )


def alert_data(
    document: Document,
    *,
    outcome: str,
    matches: Iterable[Match],
    lists: Iterable[ListState],
    place: Place,
    captured_at: datetime,
    answer_until: datetime | None,
    entered: Entered = Entered.READ,
) -> AlertData:
    """The alert about `document`. `outcome` is `HIT` or `POSSIBLE`; both times carry a zone."""
    ordered = sorted(matches, key=lambda match: match.certainty is not Certainty.EXACT)
    return AlertData(
        outcome=Alerting(outcome),
        entered=entered,
        document=_document(document),
        matches=tuple(_match(match) for match in ordered[:MAX_MATCHES]),
        matches_left_out=max(0, len(ordered) - MAX_MATCHES),
        place=place,
        lists=list_versions(lists),
        captured_at=captured_at,
        request_answer_until=answer_until,
    )


def list_versions(lists: Iterable[ListState]) -> tuple[ListVersion, ...]:
    """The lists as an alert or a status tells of them."""
    return tuple(
        ListVersion(
            name=_cut(ListVersion, "name", state.name),
            version=state.version,
            as_of=_within_a_message_s_years(state.as_of),
            health=state.health,
        )
        for state in tuple(lists)[:MAX_LISTS]
    )


def device_fault(part: str, message: str) -> DeviceFault:
    """A fault as a status tells of it; what a driver or a disk says can hold anything."""
    return DeviceFault(
        part=_cut(DeviceFault, "part", part), message=_cut(DeviceFault, "message", message)
    )


def rollout_reason(reason: str) -> str:
    """Why an update came to what it did, as a message carries it."""
    return _cut(RolloutData, "reason", reason)


def hourly_stats(
    since: datetime,
    until: datetime,
    counts: Mapping[str, int],
    *,
    suppressed_below: int,
    issuers: Mapping[str | None, int] = MappingProxyType({}),
    issuers_since: datetime | None = None,
    journal: Head | None = None,
) -> StatsData:
    """The counts of an hour, by outcome and by issuing State (None: no known one). A count by
    outcome under `suppressed_below`, unless zero, becomes null; States with so few documents are
    not even named."""
    return StatsData(
        since=since.astimezone(UTC),
        until=until.astimezone(UTC),
        counts={outcome: _told(count, suppressed_below) for outcome, count in counts.items()},
        suppressed_below=suppressed_below,
        issuers=_few_together(issuers, suppressed_below),
        issuers_since=issuers_since.astimezone(UTC) if issuers_since else None,
        journal=JournalHead(n=journal.n, hash=journal.hash) if journal else None,
    )


def _few_together(counts: Mapping[str | None, int], enough: int) -> dict[str, int | None]:
    """Every count that is `enough`, and one of all others together. That one is enough too, or
    takes the smallest of the others in: else it could be had as the difference to the sum."""
    told = {state: count for state, count in counts.items() if state and count >= enough}
    others = sum(counts.values()) - sum(told.values())
    if not others:
        return dict(sorted(told.items()))
    while others < enough and told:
        others += told.pop(min(told, key=lambda state: (told[state], state)))
    return {**dict(sorted(told.items())), OTHERS: _told(others, enough)}


def _told(count: int, enough: int) -> int | None:
    return None if 0 < count < enough else count


def _document(document: Document) -> AlertDocument:
    def cut(field: str) -> str:
        return _cut(AlertDocument, field, getattr(document, field) or "")

    return AlertDocument(
        format=document.format,
        code=cut("code"),
        kind=document.kind,
        issuer=cut("issuer"),
        number=cut("number"),
        surname=cut("surname"),
        given_names=cut("given_names"),
        name_truncated=document.name_truncated,
        nationality=cut("nationality"),
        birth_date=cut("birth_date") or None,
        sex=cut("sex") or None,
        expiry_date=cut("expiry_date") or None,
    )


def _match(match: Match) -> AlertMatch:
    return AlertMatch(
        list=_cut(AlertMatch, "list", match.list),
        certainty=match.certainty,
        status=match.status,
        kind=match.kind,
        recorded=match.recorded,
        asked_as=match.asked_as,
        why=_cut(AlertMatch, "why", match.why),
    )


def _within_a_message_s_years(moment: datetime | None) -> datetime | None:
    """A list's date, which a slip of whoever built it can put into any year."""
    if moment is None or not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return None
    in_utc = moment.astimezone(UTC)
    return in_utc if FIRST_YEAR <= in_utc.year <= LAST_YEAR else None


def _cut(model: type[BaseModel], field: str, value: str) -> str:
    """`value` as `field` of `model` can hold it."""
    metadata: list[Any] = model.model_fields[field].metadata
    limit = min((part.max_length for part in metadata if isinstance(part, MaxLen)), default=None)
    return "".join(char for char in value if char.isprintable())[:limit]
