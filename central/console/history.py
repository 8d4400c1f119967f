"""The history: all alerts, newest first, by what is asked of them; a page at a time or as CSV.

However many alerts there are, a page costs a few short walks along an index: each way of reading
what was typed is asked for by itself, each for no more rows than the page holds, and the results
are put together here. Where a page ends is a row's place, not a count, so pages neither shift nor
grow slower as new alerts arrive.
"""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import Field, field_validator

from central.console.alerts import MOST, RECEIVED, paged
from central.console.search import Columns, meant
from central.moments import to_ms
from central.store.schema import alerts
from scanner.alert.messages import FIRST_YEAR, LAST_YEAR, Line
from scanner.web.asked import Asked

UNANSWERED = "none"


class Filter(Asked):
    """What is asked of the alerts. `from` and `to` are moments, or days, both whole."""

    q: Line = Field(default="", max_length=100)
    since: datetime | None = Field(default=None, alias="from")
    until: datetime | None = Field(default=None, alias="to")
    outcome: Literal["HIT", "POSSIBLE"] | None = None
    answer: Literal["confirmed", "not_confirmed", "need_more", "none"] | None = None
    site: Line | None = Field(default=None, max_length=80)
    device: Line | None = Field(default=None, max_length=63)
    listed: Line | None = Field(default=None, alias="list", max_length=64)

    @field_validator("since", mode="before")
    @classmethod
    def _from(cls, given: object) -> object:
        return _moment(given, timedelta())

    @field_validator("until", mode="before")
    @classmethod
    def _to(cls, given: object) -> object:
        return _moment(given, timedelta(days=1))

    def told(self) -> dict[str, Any]:
        """What was asked, for the audit trail."""
        return self.model_dump(
            mode="json", by_alias=True, exclude_none=True, include=set(Filter.model_fields)
        )


class HistoryAsked(Filter):
    """A page of it."""

    limit: int = Field(default=50, ge=1, le=MOST)
    before: str | None = Field(default=None, max_length=400)


def page(
    db: sa.Connection, asked: Filter, limit: int, before: str | None, now: datetime
) -> dict[str, Any]:
    """Some of the alerts that fit, and where they go on. Raises Problem for a bad cursor."""
    return paged(db, _rows(db, asked, limit + 1, before), limit, RECEIVED, now)


def _rows(db: sa.Connection, asked: Filter, most: int, before: str | None) -> list[Any]:
    """The first `most` behind the cursor."""
    behind = []
    if before is not None:
        behind = [RECEIVED.after(before), alerts.c.received_at <= RECEIVED.place(before)[0]]
    everything = [(sa.true(), Columns(db.dialect.name))]
    found: dict[tuple[Any, ...], Any] = {}
    for meaning, written in meant(asked.q, db) if asked.q else everything:
        wanted = sa.select(alerts, alerts.c.received_at.label("place_0"))
        fitting = wanted.where(meaning, *_fitting(asked, written), *behind)
        chosen = fitting.order_by(*RECEIVED.by()).limit(most)
        found |= {(row.received_at, row.device, row.id): row for row in db.execute(chosen)}
    return [found[key] for key in sorted(found, reverse=True)[:most]]


def _fitting(asked: Filter, written: Columns) -> Iterator[sa.ColumnElement[bool]]:
    if asked.since is not None:
        yield alerts.c.received_at >= to_ms(asked.since)
    if asked.until is not None:
        yield alerts.c.received_at < to_ms(asked.until)
    if asked.outcome is not None:
        yield alerts.c.outcome == asked.outcome
    if asked.answer == UNANSWERED:
        yield alerts.c.answer.is_(None)
    elif asked.answer is not None:
        yield alerts.c.answer == asked.answer
    if asked.site is not None:
        yield written.is_(alerts.c.site, asked.site)
    if asked.device is not None:
        yield written.is_(alerts.c.device, asked.device)
    if asked.listed is not None:
        told = f'"list": {json.dumps(asked.listed)}'
        yield sa.cast(alerts.c.data, sa.Text).contains(told, autoescape=True)


def _moment(given: object, whole: timedelta) -> object:
    """A moment, or a day: its start, and `whole` later."""
    if not isinstance(given, str):
        return given
    try:
        if len(given) == 10:
            day = date.fromisoformat(given)
            moment = datetime(day.year, day.month, day.day, tzinfo=UTC) + whole
        else:
            moment = datetime.fromisoformat(given.replace(" ", "+"))
        if not FIRST_YEAR < moment.year < LAST_YEAR or moment.tzinfo is None:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError("is neither a day (2026-11-30) nor a moment with its zone") from None
    return moment
