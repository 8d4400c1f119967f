"""What a build tells while it runs, and how long each of its stages took."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from scanner.watchlist.source import BadRow

_T = TypeVar("_T")

STAGES = ("read", "hash", "deal", "sort", "write", "ranges", "activate")
"""`read`: the source's rows; `deal`: the runs on disk; `write`: the table and its digests."""


@dataclass(frozen=True)
class Superseded:
    """One row that a later one replaced, by lines: both have the same issuer, number and kind."""

    line: int
    by_line: int

    @property
    def reason(self) -> str:
        return f"the same issuer, number and kind stand on line {self.by_line}, which holds"


Problem = BadRow | Superseded
"""What is reported of a row: `line` and `reason`."""


@dataclass(frozen=True)
class Progress:
    """How far a stage is: `share` from 0 to 1, `left_s` the seconds that it may still take, and
    `kept` the rows after which a build that is interrupted now goes on."""

    stage: str
    rows: int
    kept: int
    share: float
    left_s: float | None


@dataclass(frozen=True)
class Told:
    """Whom a build tells: of bad and replaced rows, of its progress, and once, before these, after
    how many rows it goes on."""

    report: Callable[[Problem], None]
    progress: Callable[[Progress], None]
    resumed: Callable[[int], None]


class Estimate:
    """The time that a stage may still take, from how far it came since it was begun or resumed."""

    def __init__(self, share: float = 0.0) -> None:
        self._began = time.monotonic()
        self._share = share

    def left_s(self, share: float) -> float | None:
        """Seconds; None where it is too early to tell."""
        done = share - self._share
        return (time.monotonic() - self._began) * (1 - share) / done if done > 0.01 else None


class Stages:
    """CPU seconds by stage."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(STAGES, 0.0)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Puts what is done meanwhile down to a stage."""
        begun = time.process_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.process_time() - begun

    def making(self, stage: str, parts: Iterator[_T]) -> Iterator[_T]:
        """The same parts; what making them takes is put down to a stage."""
        while True:
            with self.of(stage):
                part = next(parts, None)
            if part is None:
                return
            yield part
