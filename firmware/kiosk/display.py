"""What the desk last showed, kept for the pages: a screen that remembers.

Everything is one immutable `Seen`, exchanged whole and numbered, so that any thread may look at it
at any time, and a page that missed some has missed nothing once it has the latest.

What is on the page is the last document, until the next comes, until the officer is done with it,
or until its time is over; but a hit stays for as long as its referral is open. Documents of open
referrals are remembered, so that the officer can look at them again after the next one.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock

from firmware.delivery.link import LinkState
from firmware.drill.view import DrillView
from firmware.record.journal import ALERTING
from firmware.record.referrals import Referral
from firmware.screen import Reply, Screen, Shown
from scanner.alert import Updating
from scanner.sources.capture import Health
from scanner.watchlist.age import ClockReading, span
from scanner.watchlist.contract import ListState

_REMEMBERED = 12
"""So many documents of referrals can be looked at again whole; of earlier ones the alert tells."""


@dataclass(frozen=True)
class Upkeep:
    """How the desk itself is: its lists, the update that runs, its clock, its sources by name, and
    what is at fault."""

    lists: tuple[ListState, ...]
    clock: ClockReading
    sources: Mapping[str, Health]
    faults: tuple[str, ...]
    updating: Updating | None = None

    @property
    def as_told(self) -> object:
        """What of it a page tells: equal where there is nothing new to tell."""
        lists = [
            (one.name, one.version, one.health, one.reason, one.age_s and span(one.age_s))
            for one in self.lists
        ]
        clock = self.clock.trusted, self.clock.synchronised
        return lists, clock, dict(self.sources), self.faults, self.updating


@dataclass(frozen=True)
class Seen:
    """All that the page may show. `n` grows with each change; `boot` names this start."""

    boot: str
    n: int
    busy: bool = False
    """A document is being examined."""
    coming: bool = False
    """Something new lies or moves under a camera."""
    settling: bool = False
    """It is another document than the one that is shown, and does not lie still yet."""
    shown: Shown | None = None
    """The document on the page."""
    again: Referral | None = None
    """The referral that is looked at again; `shown` is its document, where that is remembered."""
    referrals: tuple[Referral, ...] = ()
    drill: DrillView | None = None
    link: LinkState | None = None
    upkeep: Upkeep | None = None
    blank: bool = False
    """The officer, or a button, wants nothing to be seen."""

    @property
    def capture_id(self) -> str | None:
        """What the page calls what it shows."""
        if self.shown is not None:
            return self.shown.capture_id
        return self.again.alert_id if self.again else None


def is_open(seen: Seen) -> bool:
    """Whether the document on the page is a hit that the officer has still to deal with. One whose
    alert the disk refuses is, too: it cannot have an outcome yet."""
    verdict = seen.shown.examination.verdict if seen.shown else None
    if seen.shown is None or verdict is None or verdict.outcome not in ALERTING:
        return False
    alert = seen.shown.alert_id
    return alert is None or any(one.open for one in seen.referrals if one.alert_id == alert)


class Display(Screen):
    """Remembers what the desk shows. For any thread."""

    def __init__(self, hold: timedelta = timedelta(minutes=1)) -> None:
        self._hold_s = hold.total_seconds()
        self._lock = Lock()
        self._seen = Seen(secrets.token_hex(6), 0)
        self._since = 0.0
        """Since when the document is on the page."""
        self._remembered: dict[str, Shown] = {}
        self._listeners: list[Callable[[], None]] = []

    @property
    def seen(self) -> Seen:
        """What there is to show now."""
        return self._seen

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every change, in the thread that made it."""
        self._listeners.append(listener)

    def busy(self) -> None:
        self._change(lambda seen: replace(seen, busy=True, shown=None, again=None))

    def show(self, shown: Shown) -> None:
        self._since = time.monotonic()
        if shown.alert_id is not None:
            self._remembered[shown.alert_id] = shown
        self._change(
            lambda seen: replace(seen, busy=False, settling=False, shown=shown, again=None)
        )

    def answered(self, reply: Reply) -> None:
        """The referral of the alert holds the answer."""

    def link(self, state: LinkState) -> None:
        self._change(lambda seen: replace(seen, link=state))

    def refer(self, referrals: tuple[Referral, ...], drill: DrillView | None) -> None:
        """These are the referrals now, and the drill."""
        still = {one.alert_id for one in referrals}
        kept = [alert for alert in self._remembered if alert in still][-_REMEMBERED:]
        self._remembered = {alert: self._remembered[alert] for alert in kept}
        self._change(lambda seen: replace(seen, referrals=referrals, drill=drill))

    def watch(self, *, coming: bool, settling: bool) -> None:
        """What the cameras see."""
        self._change(lambda seen: replace(seen, coming=coming, settling=settling))

    def keep_up(self, upkeep: Upkeep) -> None:
        """How the desk itself is now; and what has been shown for long enough goes."""
        before, shown = self._seen.upkeep, self._seen.shown
        if before is None or before.as_told != upkeep.as_told:
            self._change(lambda seen: replace(seen, upkeep=upkeep))
        if shown is not None and time.monotonic() - self._since > self._hold_s:
            self.dismiss(shown.capture_id)

    def blank(self, on: bool | None = None) -> None:
        """Shows nothing, or something again; the other of the two where neither is said."""
        self._change(lambda seen: replace(seen, blank=not seen.blank if on is None else on))

    def look_again(self, alert_id: str) -> bool:
        """Shows the document of a referral again; False where there is no such referral."""
        known = {one.alert_id: one for one in self._seen.referrals}
        if alert_id not in known:
            return False
        self._since = time.monotonic()
        shown = self._remembered.get(alert_id)
        self._change(lambda seen: replace(seen, shown=shown, again=known[alert_id]))
        return True

    def dismiss(self, capture_id: str) -> bool:
        """Takes a document from the page that the officer is done with, unless it is a hit whose
        referral is open: that goes only where it was looked at again, for it stands among the open
        ones. False where it stays; what is no longer shown is dismissed already."""
        refused = False

        def change(seen: Seen) -> Seen:
            nonlocal refused
            if capture_id != seen.capture_id:
                return seen
            refused = seen.again is None and is_open(seen)
            return seen if refused else replace(seen, shown=None, again=None)

        self._change(change)
        return not refused

    def _change(self, change: Callable[[Seen], Seen]) -> None:
        with self._lock:
            changed = change(self._seen)
            if changed == self._seen:
                return
            self._seen = replace(changed, n=self._seen.n + 1)
        for listener in self._listeners:
            listener()
