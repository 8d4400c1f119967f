"""An alert as one line for the operator, who needs the document to ask the country that owns the
record. It goes to standard output, which is the operator's; never to a log."""

from collections.abc import Iterator

from central.database import in_iso
from central.store import AlertRow
from scanner.alert import AlertMatch


def line_of(alert: AlertRow) -> str:
    """The alert: when, which device, where, the outcome, the document, the record, late or not."""
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
        *_timing(alert),
        alert.id,
    )
    return "  ".join(parts)


def _record(match: AlertMatch) -> str:
    status = match.status.value.replace("_", " ")
    recorded = f" {match.recorded.isoformat()}" if match.recorded else ""
    return f"{match.certainty.value} {status} {match.kind.value} ({match.list}{recorded})"


def _timing(alert: AlertRow) -> Iterator[str]:
    until = alert.data.request_answer_until
    if alert.late:
        yield f"LATE, captured {in_iso(alert.data.captured_at)}"
    elif until is not None:
        yield f"answer by {in_iso(until)}"
