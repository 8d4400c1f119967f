"""Referrals: what a hit leaves for the officer to do.

Every alert of this desk opens a referral, and it stays open until the officer says what was done
of it. It outlasts the document's time on the screen, the next documents, and a restart: the journal
knows which alerts have no outcome yet, the outbox what they were about. The outcome goes to the
outbox first, for central, and to the journal then.

Central's answer belongs to the referral. One whose outcome was given before the answer came is
followed until that comes or is overdue, so that an instruction reaches the officer all the same.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import RLock

from firmware.delivery.answers import Answers, AnswersFault
from firmware.delivery.outbox import Outbox, OutboxFault
from firmware.record.journal import Journal, JournalFault
from scanner.alert import Action, AlertData, AnswerData, Message, OutcomeData
from scanner.verdict import Answered

log = logging.getLogger(__name__)

MOST = 200
"""More than any desk has open; the oldest of more are left to the journal."""


@dataclass(frozen=True)
class Referral:
    """One referral: the alert's id and what it says, what central answered, what the officer did
    (None while that is open), whether central has the alert, and whether all of it is a drill's."""

    alert_id: str
    alert: AlertData
    answer: Answered | None = None
    action: Action | None = None
    sent: bool = False
    drill: bool = False

    @property
    def open(self) -> bool:
        """Whether the officer still has to say what was done."""
        return self.action is None

    def waiting(self, now: datetime) -> bool:
        """Whether central's answer may still come."""
        until = self.alert.request_answer_until
        return self.answer is None and (until is None or now < until)


class NotOpen(Exception):
    """There is no open referral of that alert: it never was there, or has its outcome."""


class Referrals:
    """The referrals of this desk, for any thread. Outcomes are told as of `clock`."""

    def __init__(
        self, outbox: Outbox, answers: Answers, journal: Journal, clock: Callable[[], datetime]
    ) -> None:
        self._outbox = outbox
        self._answers = answers
        self._journal = journal
        self._clock = clock
        self._lock = RLock()
        self._known: dict[str, Referral] = {}
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Calls `listener` after every change, in the thread that made it."""
        self._listeners.append(listener)

    @property
    def known(self) -> tuple[Referral, ...]:
        """Those that are open, and those that are followed, the newest first."""
        with self._lock:
            return tuple(reversed(self._known.values()))

    def is_open(self, alert_id: str) -> bool:
        """Whether this referral has no outcome yet."""
        with self._lock:
            return alert_id in self._known and self._known[alert_id].open

    def restore(self, keep: timedelta) -> None:
        """Takes up what an earlier run left open, of alerts that are `keep` old at most."""
        try:
            for one in self._journal.pending(self._clock() - keep)[-MOST:]:
                alert = None if one.drill else self._outbox.alert(one.alert)
                if alert is not None:
                    answer = self._answers.about(one.alert)
                    sent = self._outbox.is_done(one.alert)
                    self._known[one.alert] = Referral(one.alert, alert, answer, None, sent)
        except (JournalFault, OutboxFault, AnswersFault) as fault:
            log.error("desk: referrals without an outcome cannot be taken up: %s", fault)
        if self._known:
            log.info("desk: %d referrals have no outcome yet", len(self._known))

    def opened(self, alert_id: str, alert: AlertData) -> None:
        """There is a new alert."""
        with self._lock:
            self._known[alert_id] = Referral(alert_id, alert)
            while len(self._known) > MOST:
                del self._known[next(iter(self._known))]
        self._tell()

    def answered(self, answer: AnswerData) -> None:
        """Central has answered."""
        said = Answered(answer.outcome.value, answer.at, answer.until, answer.instruction)
        with self._lock:
            if answer.alert not in self._known:
                return
            self._known[answer.alert] = replace(self._known[answer.alert], answer=said, sent=True)
        self._tell()

    def act(self, alert_id: str, action: Action, note: str, officer: str | None) -> None:
        """The officer's outcome. Raises NotOpen, and OutboxFault where the disk refuses: the
        referral is then still open."""
        with self._lock:
            if not self.is_open(alert_id):
                raise NotOpen
            now = self._clock()
            done = OutcomeData(alert=alert_id, action=action, officer=officer, at=now, note=note)
            self._outbox.put(Message.OUTCOME, done, now)
            self._known[alert_id] = replace(self._known[alert_id], action=action)
        try:
            self._journal.referral(alert_id, action, now=now, officer=officer)
        except JournalFault as fault:
            log.error("desk: an outcome is not in the journal: %s", fault)
        self._tell()

    def seen(self, alert_id: str) -> None:
        """The officer has seen what there is of a referral that has its outcome. Raises NotOpen
        where there is none such."""
        with self._lock:
            if alert_id not in self._known or self._known[alert_id].open:
                raise NotOpen
            del self._known[alert_id]
        self._tell()

    def look(self) -> None:
        """Lets go of what is over, and notes what central has by now. To be called now and then."""
        changed = False
        now = self._clock()
        for one in self.known:
            over = not one.open and one.answer is None and not one.waiting(now)
            sent = one.sent or self._is_done(one.alert_id)
            if not over and sent == one.sent:
                continue
            with self._lock:
                changed = True
                if over:
                    self._known.pop(one.alert_id, None)
                elif one.alert_id in self._known:
                    self._known[one.alert_id] = replace(self._known[one.alert_id], sent=sent)
        if changed:
            self._tell()

    def _is_done(self, alert_id: str) -> bool:
        try:
            return self._outbox.is_done(alert_id)
        except OutboxFault:
            return False

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()
