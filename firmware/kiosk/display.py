"""What the desk last showed, kept for the pages: a screen that remembers.

Everything is one immutable `Seen`, exchanged whole and numbered, so that any thread may look at it
at any time, and a page that missed some has missed nothing once it has the latest.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock

from firmware.desk import Reply, Screen, Shown
from firmware.link import LinkState
from scanner.sources.capture import Health
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import ListState


@dataclass(frozen=True)
class Upkeep:
    """How the desk itself is: its lists, its clock, its sources by name, and what is at fault."""

    lists: tuple[ListState, ...]
    clock: ClockReading
    sources: Mapping[str, Health]
    faults: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """All that the page may show. `n` grows with each change; `boot` names this start."""

    boot: str
    n: int
    busy: bool = False
    shown: Shown | None = None
    replies: Mapping[str, Reply] = field(default_factory=dict)
    link: LinkState | None = None
    upkeep: Upkeep | None = None


class Display(Screen):
    """Remembers what the desk shows. For any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen = Seen(secrets.token_hex(6), 0)
        self._listeners: list[Callable[[], None]] = []

    @property
    def seen(self) -> Seen:
        """What there is to show now."""
        return self._seen

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every change, in the thread that made it."""
        self._listeners.append(listener)

    def busy(self) -> None:
        self._change(lambda seen: replace(seen, busy=True, shown=None))

    def ready(self) -> None:
        return

    def show(self, shown: Shown) -> None:
        self._change(lambda seen: replace(seen, busy=False, shown=shown))

    def answered(self, reply: Reply) -> None:
        self._change(lambda seen: replace(seen, replies={**seen.replies, reply.alert_id: reply}))

    def link(self, state: LinkState) -> None:
        self._change(lambda seen: replace(seen, link=state))

    def keep_up(self, upkeep: Upkeep) -> None:
        """How the desk itself is now."""
        self._change(lambda seen: replace(seen, upkeep=upkeep))

    def dismiss(self, capture_id: str) -> None:
        """The officer is done with this document."""
        self._change(
            lambda seen: (
                replace(seen, shown=None)
                if seen.shown and seen.shown.capture_id == capture_id
                else seen
            )
        )

    def _change(self, change: Callable[[Seen], Seen]) -> None:
        with self._lock:
            changed = change(self._seen)
            if changed is self._seen:
                return
            self._seen = replace(changed, n=self._seen.n + 1)
        for listener in self._listeners:
            listener()
