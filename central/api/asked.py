"""What may be asked of the interface: every parameter with its type and its limits.

Nothing unknown, nothing twice, nothing empty: a filter that was misspelt and passed over would give
more than was asked for.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from central.console.history import Filter
from central.console.wire import written
from scanner.alert.messages import DeviceName, Line, Moment

LIMIT_MOST = 200
_SHORTEST_MOMENT = len("2026-11-23T12:00:00Z")


def _as_written(given: object) -> object:
    """A moment as RFC 3339 writes it; in a query's `+01:00` the `+` may have become a space."""
    if not isinstance(given, str):
        return given
    if len(given) < _SHORTEST_MOMENT or given[10] not in "Tt":
        raise ValueError("is no moment with its zone, such as 2026-11-23T12:00:00Z")
    try:
        return datetime.fromisoformat(given.replace(" ", "+"))
    except ValueError:
        raise ValueError("is no moment with its zone, such as 2026-11-23T12:00:00Z") from None


def _not_empty(given: str) -> str:
    if not given:
        raise ValueError("is empty; leave it out instead")
    return given


When = Annotated[Moment, BeforeValidator(_as_written)]
Text = Annotated[Line, AfterValidator(_not_empty)]
Limit = Annotated[
    int, Field(ge=1, le=LIMIT_MOST, description="How many at most; fewer come where there are.")
]
Before = Annotated[
    str, Field(min_length=1, max_length=400, description="The `next` of the page before.")
]
Since = Annotated[When, Field(description="Only from this moment on.")]
Until = Annotated[When, Field(description="Only before this moment.")]
Device = Annotated[DeviceName, Field(description="Only of this device.")]


class Asked(BaseModel):
    """What every query's model shares."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(Asked):
    """No parameters."""


class AlertsAsked(Asked):
    """Which alerts; `since` and `until` are about when central received them."""

    since: Since | None = None
    until: Until | None = None
    device: Device | None = None
    site: Annotated[Text | None, Field(max_length=80, description="Only of this checkpoint.")] = (
        None
    )
    outcome: Annotated[
        Literal["HIT", "POSSIBLE"] | None, Field(description="Only with this outcome.")
    ] = None
    answer: Annotated[
        Literal["confirmed", "not_confirmed", "need_more", "none"] | None,
        Field(description="Only with this answer; `none` for those that have none."),
    ] = None
    listed: Annotated[
        Text | None, Field(alias="list", max_length=64, description="Only matches of this list.")
    ] = None
    limit: Limit = 50
    before: Before | None = None

    def filter(self) -> Filter:
        """The same as the console's history takes it."""
        names = ("since", "until", "outcome", "answer", "site", "device", "listed")
        return Filter.model_construct(**{name: getattr(self, name) for name in names})

    def told(self) -> dict[str, Any]:
        """What was asked, for the audit trail."""
        asked = self.model_dump(exclude_none=True, by_alias=True)
        return {
            name: written(value) if isinstance(value, datetime) else value
            for name, value in asked.items()
        }


class StatsAsked(Asked):
    """Which hours; `since` and `until` are about their start."""

    since: Since | None = None
    until: Until | None = None
    device: Device | None = None
    limit: Limit = 100
    before: Before | None = None
