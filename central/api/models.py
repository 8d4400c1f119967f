"""What the interface answers: the models that its OpenAPI document is made from.

Moments are RFC 3339 in UTC with milliseconds. What is not known is null.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Seconds = int


class Told(BaseModel):
    """What every answer's model shares."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Fault(Told):
    """Why a request was not done."""

    code: str = Field(description="A word that stays the same.")
    message: str = Field(description="One line for a person.")
    field: str | None = Field(default=None, description="Which parameter it is about.")


class Error(Told):
    """What every request is told that is not done."""

    error: Fault


class Document(Told):
    """The document that was read."""

    format: str
    code: str
    kind: str
    issuer: str
    issuer_name: str | None
    number: str
    surname: str
    given_names: str
    name_truncated: bool
    nationality: str
    nationality_name: str | None
    birth_date: str | None
    sex: str | None
    expiry_date: str | None


class Match(Told):
    """A record that it matched."""

    list: str
    certainty: str
    status: str
    kind: str
    recorded: str | None
    asked_as: str
    why: str


class ListAt(Told):
    """A list as a device had it."""

    name: str
    version: int | None
    as_of: Moment | None
    health: str
    age_s: Seconds | None


class Answer(Told):
    """What central answered; `held_at` is when the device had it."""

    id: str
    outcome: str
    instruction: str
    reason: str
    at: Moment
    until: Moment
    by: str | None
    held_at: Moment | None


class Outcome(Told):
    """What the officer did of it."""

    action: str
    officer: str | None
    at: Moment
    note: str


class Earlier(Told):
    """Another alert about the same document."""

    id: str
    device: str
    received_at: Moment
    answer: str | None


class Alert(Told):
    """An alert with everything that belongs to it."""

    id: str
    device: str
    site: str
    lane: str
    outcome: str
    entered: str
    captured_at: Moment
    received_at: Moment
    late: bool
    answer_until: Moment | None
    overdue: bool
    answer: str | None
    answered_at: Moment | None
    escalated_at: Moment | None
    seen_at: Moment | None
    document: Document
    matches: list[Match]
    matches_left_out: int
    lists: list[ListAt]
    answers: list[Answer]
    outcomes: list[Outcome]
    earlier: list[Earlier]


class Alerts(Told):
    """A page of alerts, the latest first; `next` leads to the page after it."""

    alerts: list[Alert]
    next: str | None
    now: Moment


class DeviceFault(Told):
    """Something about a device that is not in order."""

    part: str
    message: str


class Update(Told):
    """What last became of what was published of a list: `updated` or `current`, or `refused` or
    `failed` with the reason."""

    list: str
    outcome: str
    from_version: int | None
    version: int | None
    publication: int | None
    bytes: int
    took_s: float
    code: str
    reason: str
    at: Moment


class Updating(Told):
    """How far a list that is being fetched has come, in bytes."""

    list: str
    done: int
    total: int


class Device(Told):
    """A device and how it is; `blind` where a hit there would reach nobody or not be found."""

    device: str
    site: str
    lane: str
    online: bool | None
    blind: bool
    why: str
    heard_at: Moment
    status_at: Moment | None
    queued: int
    missing: list[list[int]]
    software: str
    certificate_until: Moment | None
    refused: int
    lists: list[ListAt]
    ring: str | None = Field(description="The ring that its lists are published for.")
    updating: Updating | None
    updates: list[Update]
    faults: list[DeviceFault]


class Devices(Told):
    """Every device that was ever heard."""

    devices: list[Device]
    now: Moment


class Version(Told):
    """A version of a list, and which devices have it."""

    version: int | None
    as_of: Moment | None
    devices: list[str]
    not_ok: list[str] = Field(description="Those of them where the list is not in order.")


class FieldedList(Told):
    """A list in the field, its newest version first."""

    name: str
    versions: list[Version]


class Lists(Told):
    """The lists in the field."""

    lists: list[FieldedList]
    now: Moment


class JournalHead(Told):
    """The last row of a device's journal, by its number and hash."""

    n: int
    hash: str


class Hour(Told):
    """What a device counted in an hour; null where a count is too small to be told."""

    device: str
    since: Moment
    until: Moment
    counts: dict[str, int | None]
    suppressed_below: int
    issuers: dict[str, int | None] = Field(
        description="Documents by issuing State; few ones together as `other`."
    )
    journal: JournalHead | None = Field(description="How far the device's own record went.")


class Stats(Told):
    """A page of hours, the latest first."""

    hours: list[Hour]
    next: str | None
    now: Moment


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Error, "description": "There is no token, or it does not count."},
    403: {"model": Error, "description": "The token is not for this."},
    422: {"model": Error, "description": "A parameter cannot be used."},
    503: {"model": Error, "description": "The store does not answer."},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Error, "description": "There is no such thing."}
}
