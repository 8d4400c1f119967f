"""Watches the store for every open page, and for the clock: one thread, one reading a change.

Whatever is committed wakes it, by whichever process; it reads what changed once, writes each event
once, and the pages' queues share it. Between wakes it looks at what only time changes: answers that
are overdue, devices that have fallen silent, sessions that are over.
"""

import json
import logging
import time
from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import Any

import sqlalchemy as sa

from central.answering import escalation
from central.console import devices, sessions
from central.console.alert_view import Name, shown
from central.console.devices import Known
from central.console.roles import May
from central.console.subscribers import Subscribers
from central.console.visit import utc_now
from central.settings import ConsoleSettings
from central.store.changes import Reader
from central.store.database import StoreFault
from central.store.store import Store
from scanner.web.guard import name_of

log = logging.getLogger(__name__)

TURN_S = 0.5
AGAIN_S = 1.0
SLOW_EVERY_S = 5.0


class Feed:
    """Run `run(stop)` in a thread of its own; pages join `pages`. What only time changes is looked
    at every `slow_every_s`."""

    def __init__(self, store: Store, settings: ConsoleSettings, limits: sessions.Limits) -> None:
        self._store = store
        self._settings = settings
        self._limits = limits
        self._watch = store.watch()
        self._reader = Reader()
        self._known: dict[str, Known] = {}
        self._said: dict[str, str] = {}
        self.slow_every_s = SLOW_EVERY_S
        self._slow_at = 0.0
        self._fault: str | None = None
        self.pages = Subscribers()

    def run(self, stop: Event) -> None:
        """Tells until `stop`. While the store refuses, it is tried again."""
        try:
            while not stop.is_set():
                try:
                    self._turn(utc_now())
                except StoreFault as fault:
                    self._say(str(fault))
                    stop.wait(AGAIN_S)
                except Exception as bug:
                    log.error("what happened is not told: an error of our own: %s", name_of(bug))
                    self._reader.done()
                    self.pages.look_anew()
                    stop.wait(AGAIN_S)
                else:
                    self._say(None)
                    self._watch.wait(TURN_S)
        finally:
            self._watch.close()

    def close(self) -> None:
        """Ends every page's stream, and the waiting."""
        self.pages.close()
        self._watch.wake()

    def _turn(self, now: datetime) -> None:
        self._tell_changes(now)
        with self._store.reading() as db:
            due = escalation.is_any_due(db, now)
        if due:
            with self._store.changing() as tx:
                escalation.escalate(tx, now)
        if time.monotonic() >= self._slow_at:
            self._slow_at = time.monotonic() + self.slow_every_s
            self._look_at_devices(now)
            self._look_at_sessions(now)

    def _tell_changes(self, now: datetime) -> None:
        with self._store.reading() as db:
            changes = self._reader.read(db)
            if not changes:
                return
            alerts = _shown(db, [(c.device, c.alert) for c in changes if c.alert], now)
            changed = {change.device for change in changes if change.alert is None}
            known = devices.known(db, changed) if changed else []
        told = [(May.ALERTS, _name_of(alert), _line(alert)) for alert in alerts]
        self.pages.tell([*told, *self._of_devices(known, now)])
        self._reader.done()

    def _look_at_devices(self, now: datetime) -> None:
        """Tells of the devices that time alone has made blind. What they have said is known from
        when it changed; only when each was heard is read again."""
        with self._store.reading() as db:
            heard = devices.heard(db)
            if heard.keys() != self._known.keys():
                self._known = {one.device: one for one in devices.known(db)}
        changed = []
        for name, one in self._known.items():
            at = heard.get(name, one.heard_at)
            known = one if at == one.heard_at else replace(one, heard_at=at)
            self._known[name] = known
            why = devices.why_blind(known, self._settings, now)
            if _kind(why) != _kind(self._said.get(name, "")):
                changed.append(known)
            self._said[name] = why
        self.pages.tell(self._of_devices(changed, now))

    def _of_devices(self, known: list[Known], now: datetime) -> list[tuple[May, str, str]]:
        """The events that tell of these devices."""
        views = [devices.view(one, self._settings, now) for one in known]
        self._known |= {one.device: one for one in known}
        self._said |= {view["device"]: view["why"] for view in views}
        return [(May.DEVICES, "device", _line(view)) for view in views]

    def _look_at_sessions(self, now: datetime) -> None:
        """An open page is somebody there; a session that is over loses its pages."""
        open_pages = self.pages.sessions()
        if not open_pages:
            return
        with self._store.reading() as db:
            lasting = sessions.still(db, open_pages, self._limits, now)
        self.pages.let_go_of(open_pages - lasting.keys())
        noted = now.timestamp() * 1000 - sessions.NOTED_EVERY_MS
        stale = [session for session, who in lasting.items() if who.used_at < noted]
        if stale:
            with self._store.changing(quietly=True) as tx:
                sessions.note_use(tx, stale, now)

    def _say(self, fault: str | None) -> None:
        """Logs the store's fault when it changes."""
        if fault is not None and fault != self._fault:
            log.warning("%s; pages are told of nothing until it answers", fault)
        self._fault = fault


def _shown(db: sa.Connection, names: list[Name], now: datetime) -> list[dict[str, Any]]:
    """The alerts; one that cannot be shown does not keep the others from being told."""
    try:
        return shown(db, names, now)
    except (LookupError, TypeError, ValueError):
        found = []
        for name in names:
            try:
                found += shown(db, [name], now)
            except (LookupError, TypeError, ValueError) as bug:
                log.error("an alert of %s cannot be shown: %s", name[0], name_of(bug))
        return found


def _name_of(alert: dict[str, Any]) -> str:
    """What an alert's state is called."""
    if alert["answered_at"] is not None:
        return "answer"
    return "alert" if alert["escalated_at"] is None else "escalated"


def _kind(why: str) -> str:
    """The reasons without their numbers, which grow all the time."""
    return "".join(character for character in why if not character.isdigit())


def _line(data: dict[str, Any]) -> str:
    return json.dumps(data, separators=(",", ":"))
