"""The history as CSV (RFC 4180), written as it is read, for however many alerts.

A spreadsheet runs a cell that begins like a formula, and an officer's note can begin like anything;
such a cell gets an apostrophe in front, which spreadsheets show as text.
"""

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from central.console.history import Filter, page
from central.store.store import Store

AT_ONCE = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
COLUMNS = (
    "id",
    "device",
    "site",
    "lane",
    "outcome",
    "captured_at",
    "received_at",
    "late",
    "answer_until",
    "escalated_at",
    "answer",
    "answered_at",
    "answered_by",
    "reason",
    "instruction",
    "kind",
    "issuer",
    "number",
    "surname",
    "given_names",
    "nationality",
    "birth_date",
    "sex",
    "expiry_date",
    "records",
    "done",
    "entered",
)
_OF_DOCUMENT = frozenset(COLUMNS[15:24])


def written(store: Store, asked: Filter, now: datetime) -> Iterator[bytes]:
    """The lines, some at a time. Raises StoreFault."""
    yield _lines([COLUMNS])
    before: str | None = None
    while True:
        with store.reading() as db:
            found = page(db, asked, AT_ONCE, before, now)
        yield _lines([_row(alert) for alert in found["alerts"]])
        before = found["next"]
        if before is None:
            return


def _lines(rows: list[Any]) -> bytes:
    told = io.StringIO()
    csv.writer(told).writerows(rows)
    return told.getvalue().encode()


def _row(alert: dict[str, Any]) -> list[str]:
    latest: dict[str, Any] = max(
        alert["answers"], key=lambda one: (one["at"], one["id"]), default={}
    )
    values = {
        **alert,
        **{name: alert["document"][name] for name in _OF_DOCUMENT},
        "answered_by": latest.get("by"),
        "reason": latest.get("reason"),
        "instruction": latest.get("instruction"),
        "records": "; ".join(
            f"{one['certainty']} {one['status']} {one['kind']} ({one['list']})"
            for one in alert["matches"]
        ),
        "done": "; ".join(
            " ".join(filter(None, (one["action"], one["officer"], one["note"])))
            for one in alert["outcomes"]
        ),
    }
    return [_cell(values[name]) for name in COLUMNS]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
