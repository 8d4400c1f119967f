"""What a list keeps of a record beside its key: class, day and tag, as small numbers.

The class is one byte: the kind of document in its lowest three bits, the status in the next three.
The day is counted from 1950. The tag is what tells the exact number from its look-alikes
(`listkey`). The three together, `rest`, order records of equal keys: a list has one total order, by
(key, class, tag, day), so that a record's rank means the same everywhere.

The orders of `KINDS` and `STATUSES` are part of the format (docs/lists.md): they only grow.
"""

from datetime import date, timedelta
from typing import NamedTuple

from scanner.mrz.document import Kind
from scanner.said import said
from scanner.watchlist.contract import ListStatus

KINDS = (Kind.PASSPORT, Kind.IDENTITY, Kind.VISA, Kind.RESIDENCE, Kind.CREW, Kind.OTHER)
STATUSES = (
    ListStatus.STOLEN,
    ListStatus.LOST,
    ListStatus.REVOKED,
    ListStatus.INVALID,
    ListStatus.STOLEN_BLANK,
)
FIRST_DAY = date(1950, 1, 1)
LAST_DAY = FIRST_DAY + timedelta(days=0xFFFF)

TAG_BITS = 16
_STATUS_SHIFT = 3
_LOW_BITS = (1 << _STATUS_SHIFT) - 1


class Record(NamedTuple):
    """One record of a list. `key` has 64 bits, `tag` 16, `day` counts from FIRST_DAY."""

    key: int
    class_byte: int
    tag: int
    day: int

    @property
    def rest(self) -> int:
        """Class, tag and day in one number of 40 bits, which orders equal keys."""
        return rest_of(self.class_byte, self.tag, self.day)


def rest_of(class_byte: int, tag: int, day: int) -> int:
    """Class, tag and day in one number of 40 bits."""
    return class_byte << 32 | tag << 16 | day


def class_of(kind: Kind, status: ListStatus) -> int:
    """The byte that says a record's kind and status."""
    return KINDS.index(kind) | STATUSES.index(status) << _STATUS_SHIFT


def kind_of(class_byte: int) -> Kind:
    """The kind of document. Raises ValueError for a byte that no list has."""
    number = class_byte & _LOW_BITS
    if number >= len(KINDS):
        raise ValueError(said("no kind of document has the number {number}", number=number))
    return KINDS[number]


def status_of(class_byte: int) -> ListStatus:
    """Why it is listed. Raises ValueError for a byte that no list has."""
    number = class_byte >> _STATUS_SHIFT
    if number >= len(STATUSES):
        raise ValueError(said("no status has the number {number}", number=number))
    return STATUSES[number]


def day_of(recorded: date) -> int:
    """The day's number. Raises ValueError before FIRST_DAY and after LAST_DAY."""
    if not FIRST_DAY <= recorded <= LAST_DAY:
        raise ValueError(f"a list holds days from {FIRST_DAY} to {LAST_DAY}")
    return (recorded - FIRST_DAY).days


def date_of(day: int) -> date:
    """The date of a day's number."""
    return FIRST_DAY + timedelta(days=day)
