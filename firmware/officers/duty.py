"""Who is on duty at this desk.

One officer at a time, held by the daemon: no browser is trusted for it. Somebody signs in with name
and PIN, or with a badge alone; what is refused brings growing pauses, so that a PIN cannot be
guessed, and stands in the journal. Whoever comes takes the place of whoever was there. Without a
document, a touch or a key for some time the officer is signed out. While nobody is signed in the
page may be locked; documents are checked all the same, since a listed one must not pass because
somebody went for coffee.

Nothing here waits for the disk: a journal that refuses is said, and keeps nobody from signing in.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from threading import Event, Lock
from typing import Literal

from firmware.officers.officers import LONGEST_BADGE, Officers, OfficersUnusable
from firmware.officers.roles import Officer, Right
from firmware.record.journal import Journal, JournalFault, What
from firmware.settings import OfficerSettings
from scanner.pauses import Pauses
from scanner.said import said

log = logging.getLogger(__name__)

Mode = Literal["off", "pin", "badge"]

LONGEST_PAUSE_S = 60.0
_LOOK_EVERY_S = 1.0
_LONGEST_SECRET = 128
_ANY_BADGE = "a badge"
"""Whom wrong badges are counted against: they name nobody."""


@dataclass(frozen=True)
class DutyRules:
    """What the configuration says: how one signs in, after how long without anything done one is
    signed out (None: never), whether the page is locked while nobody is, and what a badge that
    comes over a scanner looks like."""

    mode: Mode = "off"
    idle: timedelta | None = None
    lock: bool = True
    badge: re.Pattern[str] | None = None


class Why(StrEnum):
    """Why a sign-in is refused. Stable: the page knows them."""

    WRONG = "wrong"
    WAIT = "wait"
    OFF = "off"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Refused:
    """A sign-in that was refused: how long to wait before the next, and one line for the officer,
    without what was typed."""

    code: Why
    message: str
    wait_s: float = 0.0


class Duty:
    """Who is signed in; for any thread. `run` signs out whom nothing was heard of."""

    def __init__(
        self,
        officers: Officers,
        rules: DutyRules,
        journal: Journal,
        now: Callable[[], datetime],
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._officers = officers
        self._rules = rules
        self._journal = journal
        self._now = now
        self._ticks = ticks
        self._pauses = Pauses(longest_s=LONGEST_PAUSE_S, clock=ticks)
        self._trying = Lock()
        """One secret is held against the file at a time: no pause is overtaken, and the memory that
        hashing takes is taken once."""
        self._changing = Lock()
        self._officer: Officer | None = None
        self._active_at = ticks()
        self._refused: Refused | None = None
        self._listeners: list[Callable[[], None]] = []

    @property
    def mode(self) -> Mode:
        return self._rules.mode

    @property
    def officer(self) -> Officer | None:
        """Who is signed in."""
        return self._officer

    @property
    def name(self) -> str | None:
        """The name of who is signed in, for records and messages."""
        officer = self._officer
        return officer.name if officer else None

    @property
    def locked(self) -> bool:
        """Whether the page shows nothing, since nobody is signed in."""
        return self.mode != "off" and self._rules.lock and self._officer is None

    @property
    def refused(self) -> Refused | None:
        """What became of the last try, where that was refused."""
        return self._refused

    def may(self, right: Right) -> bool:
        """Whether whoever is at the desk may do that: everything where nobody has to sign in."""
        if self.mode == "off":
            return True
        officer = self._officer
        return officer is not None and officer.may(right)

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after each change, in the thread that made it."""
        self._listeners.append(listener)

    def active(self) -> None:
        """Something was done at the desk: a document, a touch, a key."""
        self._active_at = self._ticks()

    def sign_in(self, name: str, secret: str) -> Refused | None:
        """Signs somebody in: by name and PIN, or by a badge's number without a name. None where
        that is done. It takes a moment of the CPU's time, on purpose."""
        with self._trying:
            refused = self._try(name.strip().lower(), secret.strip())
        self._refused = refused
        self._say()
        return refused

    def badge(self, text: str) -> bool:
        """Takes what a scanner read where it is a badge, and says whether it was one: it is then
        nobody's document."""
        number, form = text.strip(), self._rules.badge
        if self.mode != "badge" or form is None or len(number) > LONGEST_BADGE:
            return False
        if not form.fullmatch(number):
            return False
        self.sign_in("", number)
        return True

    def sign_out(self) -> None:
        """Signs out whoever is there."""
        self._leave("by hand")

    def run(self, stop: Event) -> None:
        """Looks after who is signed in, until `stop`."""
        while not stop.wait(_LOOK_EVERY_S):
            self.look()

    def look(self) -> None:
        """Signs out whom nothing was heard of for too long, and who is no officer any more, or one
        of another role."""
        idle, officer = self._rules.idle, self._officer
        if officer is None:
            return
        if idle is not None and self._ticks() - self._active_at > idle.total_seconds():
            self._leave("idle")
        elif not self._stands(officer):
            self._leave("changed by a technician")

    def _try(self, name: str, secret: str) -> Refused | None:
        if self.mode == "off":
            return Refused(Why.OFF, said("nobody signs in at this desk"))
        by_badge = self.mode == "badge"
        key = _ANY_BADGE if by_badge else name[:LONGEST_BADGE]
        if wait := self._pauses.left(key):
            return Refused(Why.WAIT, said("too many wrong tries; wait a moment"), wait)
        try:
            officer = self._found(by_badge, name, secret)
        except OfficersUnusable as unusable:
            log.error("sign-in: %s", unusable)
            return Refused(
                Why.UNUSABLE, said("nobody can sign in: the file of officers is unusable")
            )
        if officer is None:
            self._pauses.failed(key)
            # The name may be a PIN that was typed into the wrong field: it is not kept.
            self._note(What.SIGN_IN_REFUSED, None, self.mode)
            wrong = (
                said("this badge is nobody's")
                if by_badge
                else said("name and PIN do not belong together")
            )
            return Refused(Why.WRONG, wrong, self._pauses.left(key))
        self._pauses.forget(key)
        self._come(officer)
        return None

    def _found(self, by_badge: bool, name: str, secret: str) -> Officer | None:
        if not 0 < len(secret) <= _LONGEST_SECRET:
            return None
        if by_badge:
            return self._officers.by_badge(secret)
        return self._officers.by_pin(name, secret)

    def _stands(self, officer: Officer) -> bool:
        try:
            return self._officers.find(officer.name) == officer
        except OfficersUnusable:
            return True  # who is there stays; a sign-in will tell

    def _come(self, officer: Officer) -> None:
        self.active()
        if self._officer == officer:
            return
        self._leave("another came")
        with self._changing:
            self._officer = officer
        log.info("sign-in: somebody signed in as %s", officer.role.value)
        self._note(What.SIGNED_IN, officer.name, self.mode)

    def _leave(self, why: str) -> None:
        with self._changing:
            officer, self._officer = self._officer, None
        if officer is None:
            return
        log.info("sign-in: signed out: %s", why)
        self._note(What.SIGNED_OUT, officer.name, why)
        self._say()

    def _note(self, what: What, officer: str | None, outcome: str) -> None:
        try:
            self._journal.note(what, now=self._now(), officer=officer, outcome=outcome)
        except JournalFault as fault:
            log.error("sign-in: the journal is not written: %s", fault)

    def _say(self) -> None:
        for listener in self._listeners:
            listener()


def duty_of(settings: OfficerSettings, journal: Journal, now: Callable[[], datetime]) -> Duty:
    """The duty that the configuration asks for."""
    idle = timedelta(minutes=settings.idle_minutes)
    rules = DutyRules(
        mode=settings.sign_in,
        idle=idle or None,
        lock=settings.lock,
        badge=re.compile(settings.badge_pattern),
    )
    return Duty(Officers(settings.file), rules, journal, now)
