"""Alerts and devices as the operator is told of them.

An operator needs the document to ask the country that owns the record. So this goes to standard
output, which is the operator's; never to a log.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from central.moments import in_iso
from scanner.alert import AlertMatch
from scanner.mrz.reading import Entered

if TYPE_CHECKING:  # the store needs the extra `central`; telling what it holds does not
    from central.store.store import AlertRow

_BY_HAND = {
    Entered.TYPED: "typed by the officer",
    Entered.NUMBER: "number alone typed by the officer",
    Entered.CORRECTED: "corrected by the officer",
}


def line_of(alert: "AlertRow") -> str:
    """The alert: when, which device, where, the outcome, the document, the record, and what is
    special about it."""
    data = alert.data
    document = data.document
    place = " / ".join(part for part in (data.place.site, data.place.lane) if part)
    parts = (
        in_iso(alert.received_at),
        alert.device,
        place,
        data.outcome.value,
        f"{document.issuer} {document.number} {document.kind.value}",
        "; ".join(_record(match) for match in data.matches) or "no record",
        *_notes(alert),
        alert.id,
    )
    return "  ".join(parts)


def print_alert(alert: "AlertRow") -> None:
    """The same on standard output, at once."""
    print(line_of(alert), flush=True)


def object_of(alert: "AlertRow", answers: list[dict[str, Any]]) -> dict[str, Any]:
    """The alert with its answers, for other programs."""
    return {
        "id": alert.id,
        "device": alert.device,
        "received_at": in_iso(alert.received_at),
        "late": alert.late,
        **alert.data.model_dump(mode="json"),
        "answers": answers,
    }


def device_line(row: dict[str, Any]) -> str:
    """A device: whether it is there, what waits on it, its lists, its faults."""
    said = {True: "online", False: "OFFLINE", None: "never heard"}
    parts = [row["device"], said[row["online"]]]
    if status := row["status"]:
        parts.append(f"queued {status['queued']}")
        parts += [f"{each['name']} {each['version']} {each['health']}" for each in status["lists"]]
        parts += [f"fault: {each['part']}: {each['message']}" for each in status["faults"]]
    if row["heard_at"]:
        parts.append(f"heard {row['heard_at']}")
    if row["missing"]:
        parts.append(f"missing {row['missing']}")
    return "  ".join(parts)


def _record(match: AlertMatch) -> str:
    status = match.status.value.replace("_", " ")
    recorded = f" {match.recorded.isoformat()}" if match.recorded else ""
    return f"{match.certainty.value} {status} {match.kind.value} ({match.list}{recorded})"


def _notes(alert: "AlertRow") -> Iterator[str]:
    if by_hand := _BY_HAND.get(alert.data.entered):
        yield by_hand
    until = alert.data.request_answer_until
    if alert.late:
        yield f"LATE, captured {in_iso(alert.data.captured_at)}"
    elif until is not None:
        yield f"answer by {in_iso(until)}"
