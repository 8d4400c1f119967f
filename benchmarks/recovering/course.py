"""The course of one recovery: its steps with their times, and what was found true at its end."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class NotRecovered(Exception):
    """Something is missing, or is not what it was."""


@dataclass
class Course:
    """What `benchmarks/recovery.py` tells of one loss."""

    steps: list[tuple[str, float]] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    load: float = 0.0
    """The machine's load average when it began."""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measures one step, a command or a wait."""
        began = time.perf_counter()
        yield
        self.steps.append((name, time.perf_counter() - began))

    def hold(self, what: str, holds: bool) -> None:
        """Notes what was found true. Raises NotRecovered where it is not."""
        if not holds:
            raise NotRecovered(what)
        self.held.append(what)

    @property
    def seconds(self) -> float:
        """All steps together."""
        return sum(seconds for _, seconds in self.steps)
