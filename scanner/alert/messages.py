"""What each message says: one model for each kind, for both ends.

The models are strict: unknown fields, wrong types, control characters and anything over its limit
are refused, so whatever has passed can be stored, shown and compared as it stands. Times carry a
time zone and are held in UTC; a device's clock may be years off, and a message says so by its time
without being refused for it.
"""

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from scanner import device_names
from scanner.mrz.document import Format, Kind
from scanner.mrz.reading import Entered
from scanner.watchlist.contract import AskedAs, Certainty, ListHealth, ListStatus

MAX_MATCHES = 32
MAX_LISTS = 32
MAX_ACKS = 100
MAX_HELD = 100
MAX_FAULTS = 32
MAX_MISSING = 100
MAX_KEYS = 4
MAX_STEPS = 32

_PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$"
_UUID7 = r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
_NAME = f"^{device_names.PATTERN}$"
FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Between which a moment may fall."""


def _in_utc(value: datetime) -> datetime:
    """In UTC, and still within the years there: what was stored in UTC must be read again."""
    if FIRST_YEAR <= value.year <= LAST_YEAR:
        moment = value.astimezone(UTC)
        if FIRST_YEAR <= moment.year <= LAST_YEAR:
            return moment
    raise ValueError(f"the year is not within {FIRST_YEAR} and {LAST_YEAR}")


def _not_reserved(value: str) -> str:
    if value == device_names.RESERVED:
        raise ValueError("the name ring is taken by the topics of the rings")
    return value


Thumbprint = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]
"""A key's SHA-256 thumbprint (RFC 7638)."""
Line = Annotated[str, StringConstraints(pattern=_PRINTABLE)]
"""One line of text without control characters, bidirectional overrides or line separators."""
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]
Id = Annotated[str, StringConstraints(pattern=_UUID7)]
"""A UUIDv7 (RFC 9562) in lower case."""
DeviceName = Annotated[str, StringConstraints(pattern=_NAME), AfterValidator(_not_reserved)]
RingName = Annotated[str, StringConstraints(pattern=_NAME)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""JSON carries no greater integer safely (RFC 8259 §6)."""
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
"""A place in a device's sequence: a CloudEvents Integer, which has 32 bits."""


class Said(BaseModel):
    """What every model shares."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Alerting(StrEnum):
    """The outcomes that raise an alert."""

    HIT = "HIT"
    POSSIBLE = "POSSIBLE"


class AnswerOutcome(StrEnum):
    """What central found about a hit."""

    CONFIRMED = "confirmed"
    NOT_CONFIRMED = "not_confirmed"
    NEED_MORE = "need_more"


class Action(StrEnum):
    """What the officer did of a referral."""

    REFERRED = "referred"
    DOCUMENT_HELD = "document_held"
    HANDED_OVER = "handed_over"
    RELEASED = "released"
    OTHER = "other"


class Order(StrEnum):
    """What central may ask of a device."""

    DRILL = "drill"
    BLANK = "blank"
    COLLECT_DIAGNOSTICS = "collect_diagnostics"


class DrillPhase(StrEnum):
    """Which end of a drill a device tells of."""

    BEGAN = "began"
    ENDED = "ended"


class DrillEnd(StrEnum):
    """What ended a drill: the officer, its time, or that the device lost its power or was started
    anew."""

    OFFICER = "officer"
    TIME = "time"
    CUT = "cut"


class UpdateOutcome(StrEnum):
    """What became of a device's attempt to have what is published of a list. Nothing but `updated`
    says that a newer version is in force."""

    UPDATED = "updated"
    CURRENT = "current"
    REFUSED = "refused"
    FAILED = "failed"


class Place(Said):
    """Where the document was read."""

    site: Line = Field(max_length=80)
    lane: Line = Field(default="", max_length=40)


class AlertDocument(Said):
    """What central needs of a document to ask the country that owns the record. Dates are ISO and
    partial where the document is."""

    format: Format
    code: Line = Field(max_length=4)
    kind: Kind
    issuer: Line = Field(max_length=8)
    number: Line = Field(max_length=64)
    surname: Line = Field(max_length=64)
    given_names: Line = Field(max_length=64)
    name_truncated: bool
    nationality: Line = Field(max_length=8)
    birth_date: Line | None = Field(default=None, max_length=10)
    sex: Line | None = Field(default=None, max_length=1)
    expiry_date: Line | None = Field(default=None, max_length=10)


class AlertMatch(Said):
    """One record that the document matched."""

    list: Line = Field(max_length=64)
    certainty: Certainty
    status: ListStatus
    kind: Kind
    recorded: date | None = None
    asked_as: AskedAs
    why: Line = Field(default="", max_length=200)


class ListVersion(Said):
    """A list as it stood: its version and date are absent where it could not be opened."""

    name: Line = Field(max_length=64)
    version: Count | None = None
    as_of: Moment | None = None
    health: ListHealth = ListHealth.OK


class AlertData(Said):
    """A hit or a possible hit. The alert never expires; only the request for an answer does."""

    outcome: Alerting
    entered: Entered = Entered.READ
    """How the document came to the desk: what was typed by an officer may have been mistyped."""
    document: AlertDocument
    matches: tuple[AlertMatch, ...] = Field(max_length=MAX_MATCHES)
    matches_left_out: Count = 0
    """How many more there were than a message carries."""
    place: Place
    lists: tuple[ListVersion, ...] = Field(max_length=MAX_LISTS)
    captured_at: Moment
    request_answer_until: Moment | None = None


class OutcomeData(Said):
    """What the officer did of a referral."""

    alert: Id
    action: Action
    officer: Line | None = Field(default=None, max_length=64)
    at: Moment
    note: Line = Field(default="", max_length=280)


class JournalHead(Said):
    """How far a device's journal goes: its last row, and the hash that binds it to all before."""

    n: Count
    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class StatsData(Said):
    """Counts of an hour, by outcome and by issuing State; a count is null where it is so small that
    it could point at a person."""

    since: Moment
    until: Moment
    counts: dict[Annotated[Line, Field(max_length=32)], Count | None] = Field(max_length=16)
    suppressed_below: Count
    issuers: dict[Annotated[Line, Field(max_length=8)], Count | None] = Field(
        default_factory=dict, max_length=400
    )
    """Documents by issuing State, each once; States with too few of them together as `other`."""
    issuers_since: Moment | None = None
    """From when on they were counted, where that is not the whole hour."""
    journal: JournalHead | None = None
    """The journal's head, so that central can tell whether the device's record was written anew."""


class RolloutData(Said):
    """What became of a list's publication at a device: said whenever it is another outcome, or one
    of another publication, than the device said last."""

    list: Line = Field(max_length=64)
    ring: RingName
    outcome: UpdateOutcome
    from_version: Count | None = None
    """The version in force before."""
    version: Count | None = None
    """The one that is in force now."""
    publication: Count | None = None
    """The number of the publication, where the device came to know it."""
    bytes: Count = 0
    took_ms: Count = 0
    code: Annotated[str, StringConstraints(pattern=r"^[a-z_]{0,32}$")] = ""
    reason: Line = Field(default="", max_length=200)
    at: Moment


class Updating(Said):
    """How far the update of a list has come, in bytes."""

    list: Line = Field(max_length=64)
    done: Count
    total: Count


class DrillStep(Said):
    """One specimen of a drill: what the desk was to say of it and did say, and what the trainee did
    of it. There is nothing of a document here, for no traveller was there."""

    exercise: Line = Field(max_length=40)
    expected: Line = Field(max_length=16)
    shown: Line | None = Field(default=None, max_length=16)
    act: Line | None = Field(default=None, max_length=24)
    right: bool
    took_ms: Count | None = None
    """From the verdict on the screen to the act."""


class DrillData(Said):
    """That a drill began or ended at a desk. Whatever happens in a drill stays within this message:
    none of its hits is an alert, and none of its scans is counted.

    Who was trained and what they did is there only where they chose to keep it.
    """

    drill: Literal[True] = True
    """What this is, also for whoever knows nothing else of it."""
    session: Id
    """The drill."""
    phase: DrillPhase
    began_at: Moment
    at: Moment
    by_central: bool = False
    """Whether central had asked for it."""
    end: DrillEnd | None = None
    officer: Line | None = Field(default=None, max_length=64)
    steps: tuple[DrillStep, ...] = Field(default=(), max_length=MAX_STEPS)


class DeviceFault(Said):
    """Something about the device that a technician should know, without personal data."""

    part: Line = Field(max_length=64)
    message: Line = Field(max_length=200)


class StatusData(Said):
    """How the device is. The birth and every change are published retained; the last will is the
    same message with `online` false, signed beforehand.

    (`boot`, `connection`, `revision`) orders them: `boot` counts the device's starts, `connection`
    its connections since, `revision` the statuses on that connection; the one that is offline is
    the last of its connection.
    """

    online: bool = True
    boot: Count = 0
    connection: Count = 0
    revision: Count = 0
    epoch: Id | None = None
    last_n: Count = 0
    """The highest place in that sequence so far."""
    queued: Count = 0
    """Messages that central has not yet acknowledged."""
    answers_held: tuple[Id, ...] = Field(default=(), max_length=MAX_HELD)
    """The ids of the answers that the device holds, the latest last."""
    central_keys: tuple[Thumbprint, ...] = Field(default=(), max_length=MAX_KEYS)
    """The keys that the device believes central by."""
    certificate_until: Moment | None = None
    """When the device's certificate for the broker ends."""
    refused: Count = 0
    """Messages that the device did not believe since its start."""
    place: Place | None = None
    software: Line = Field(default="", max_length=64)
    lists: tuple[ListVersion, ...] = Field(default=(), max_length=MAX_LISTS)
    ring: RingName | None = None
    """The ring that its lists are published for, where it fetches them by itself."""
    updating: Updating | None = None
    """The list that is being fetched."""
    faults: tuple[DeviceFault, ...] = Field(default=(), max_length=MAX_FAULTS)


class FromCentral(Said):
    """What binds a message of central's to its receiver and to its moment: the device, and a
    counter that only grows, so that nothing said before can be said again."""

    device: DeviceName
    counter: Count


class Acknowledged(Said):
    """One message that central has committed."""

    id: Id
    epoch: Id
    n: Number


class AckData(FromCentral):
    """The messages that central has committed to its store."""

    committed: tuple[Acknowledged, ...] = Field(min_length=1, max_length=MAX_ACKS)


class AnswerData(FromCentral):
    """What central found about an alert, what the officer is to do, and until when it holds."""

    alert: Id
    outcome: AnswerOutcome
    instruction: Line = Field(default="", max_length=500)
    at: Moment
    until: Moment


class CommandData(FromCentral):
    """Something that central asks of the device."""

    order: Order
    reason: Line = Field(default="", max_length=200)
    until: Moment | None = None
    """The moment from which on it is not carried out any more."""


class Missing(Said):
    """Places of a sequence that central has not, `first` to `last`, both included."""

    first: Number
    last: Number


class TallyData(FromCentral):
    """What central holds of a sequence of the device's, so that both ends notice what only one of
    them has: everything up to `high` but what is `missing`. `high_id` is the message at `high`: a
    device that remembers another one there, or never came so far, was set back to an older state.
    """

    epoch: Id
    high: Count
    high_id: Id | None = None
    missing: tuple[Missing, ...] = Field(default=(), max_length=MAX_MISSING)


class PublicKey(Said):
    """A public Ed25519 key (RFC 8037)."""

    kty: Literal["OKP"] = "OKP"
    crv: Literal["Ed25519"] = "Ed25519"
    x: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]


class KeysData(FromCentral):
    """The keys that central signs with from now on, in the place of those before. It counts where
    one of those before has signed it."""

    keys: tuple[PublicKey, ...] = Field(min_length=1, max_length=MAX_KEYS)


class UpdateData(Said):
    """A hint that there is a new publication for a ring: it wakes devices and decides nothing."""

    ring: RingName
    counter: Count
    publication: Line = Field(max_length=128)


Data = (
    AlertData
    | OutcomeData
    | StatsData
    | RolloutData
    | DrillData
    | StatusData
    | AckData
    | AnswerData
    | CommandData
    | TallyData
    | KeysData
    | UpdateData
)
