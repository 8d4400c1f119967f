"""What the journal's rows say, each in its place in the chain.

A row's words are what its hash is made of, and just what `borderpost journal export` writes, so
that an exported journal is verified by any program.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from scanner.hash_chain import Head, hash_of


class What(StrEnum):
    """What a row tells of."""

    SCAN = "scan"
    """A document was examined; `outcome` is the verdict's, or FAULT."""
    REFERRAL = "referral"
    """An officer gave the outcome of a referral."""
    ANSWER = "answer"
    """Central's answer was shown."""
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"
    SIGN_IN_REFUSED = "sign_in_refused"
    OFFICER_ADDED = "officer_added"
    OFFICER_CHANGED = "officer_changed"
    OFFICER_REMOVED = "officer_removed"
    DRILL_BEGUN = "drill_begun"
    DRILL_ENDED = "drill_ended"
    PURGED = "purged"
    """Rows were removed by policy."""


@dataclass(frozen=True)
class Entry:
    """What one row tells. `what` is one of What, `entered` a reading's; `officer` is who was
    signed in, or whom the row is about; `lists` are (name, version); `ms` is the whole time of a
    scan; `alert` the alert that a hit raised; `detail` what only this kind of row has: what a hit
    showed, how far a purge went."""

    at: datetime
    what: str
    device: str
    outcome: str = ""
    officer: str | None = None
    lists: tuple[tuple[str, int | None], ...] = ()
    reader: str | None = None
    ms: float | None = None
    alert: str | None = None
    entered: str | None = None
    drill: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """An entry in its place in the chain."""

    entry: Entry
    words: Mapping[str, Any]
    """What the row says, and what its hash is made of."""
    hash: str

    @property
    def n(self) -> int:
        return int(self.words["n"])


def row_after(before: Head, entry: Entry) -> Row:
    """The row that says `entry` after the one at `before`."""
    words = words_of(before.n + 1, entry, before.hash)
    return Row(entry, words, hash_of(words))


def words_of(n: int, entry: Entry, previous: str) -> Mapping[str, Any]:
    """What the row of that number says, after the one with the hash `previous`."""
    return {
        "n": n,
        "at": _iso(entry.at),
        "what": entry.what,
        "device": entry.device,
        "outcome": entry.outcome,
        "officer": entry.officer,
        "lists": {name: version for name, version in entry.lists},
        "reader": entry.reader,
        "took_us": _took(entry),
        "alert": entry.alert,
        "entered": entry.entered,
        "drill": entry.drill,
        "detail": dict(entry.detail),
        "previous": previous,
    }


def _took(entry: Entry) -> int | None:
    return None if entry.ms is None else round(entry.ms * 1000)


def _iso(moment: datetime) -> str:
    in_utc = moment.astimezone(UTC).replace(tzinfo=None)
    return f"{in_utc.isoformat(timespec='microseconds')}Z"
