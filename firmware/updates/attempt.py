"""One attempt to update a list: what it works with, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from firmware.updates.repository import Repository
from firmware.updates.trust import Trusted
from scanner.alert import UpdateOutcome
from scanner.watchlist.keyring import KeySource

Outcome = UpdateOutcome

Progress = Callable[[str, int, int], None]
"""Told of a list how many bytes have come, and of how many."""


@dataclass
class Result:
    """One attempt with one list. `code` and `reason` say why it did not come to the version that
    was published, or why the whole version had to be fetched; neither holds personal data."""

    list: str
    outcome: Outcome = Outcome.FAILED
    from_version: int | None = None
    version: int | None = None
    publication: int | None = None
    bytes: int = 0
    seconds: float = 0.0
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What an attempt works with: the device's lists and their keys, its ring, the repository and
    what is trusted of it. The lists in `damaged` are fetched whole, whatever version they are."""

    lists: Path
    keys: KeySource
    ring: str
    repository: Repository
    trusted: Trusted
    stop: Event
    progress: Progress = lambda name, done, total: None
    damaged: frozenset[str] = frozenset()
