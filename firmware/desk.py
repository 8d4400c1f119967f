"""One document, end to end: the story of the product on one page.

A capture comes in; it is examined (read, parsed, looked up, judged); what must last is written to
disk; only then is it shown. The order is the point: a lamp that says *refer* stands for an alert
that a power cut can no longer take away. And the reverse never holds up an officer: where the disk
refuses, the hit is shown all the same, with the fault beside it, and the desk keeps trying to write
the alert down for as long as it runs.

A scan that hit nothing leaves one line in the journal, with nothing of the document in it.

A specimen of a drill takes the same way up to what is written: its hit is no alert, and its line
in the journal says that it was a drill's. Whether something is a specimen is asked of the drill,
behind what the desk's own lists say of it.

What comes back from central while the document still lies there is shown at once, by whichever
thread brings it.
"""

import logging
import queue
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Protocol

from firmware.delivery.answers import Answers
from firmware.delivery.outbox import Outbox, OutboxFault
from firmware.delivery.unwritten import Unwritten
from firmware.drill import Drill, RehearsedAnswer
from firmware.panel import DARK, FAULT, PATTERNS, READY, Panel, Pattern
from firmware.record.journal import ALERTING, Journal, JournalFault
from firmware.record.referrals import Referrals
from firmware.screen import Reply, Screen, Shown, on_screens
from scanner.alert import Action, AlertData, AnswerData, Place, alert_of
from scanner.examine import Examination, Examiner
from scanner.said import said
from scanner.sources.capture import Capture
from scanner.watchlist.age import ClockReading

log = logging.getLogger(__name__)

_BEAT_S = 0.5


class OnDuty(Protocol):
    """Who is at the desk."""

    @property
    def name(self) -> str | None: ...

    def active(self) -> None:
        """Something was done at the desk."""
        ...


@dataclass(frozen=True)
class Rules:
    """What the configuration says of alerts and of showing."""

    place: Place
    answer_within: timedelta
    hold: timedelta


class Desk:
    """Takes captures one at a time; one thread calls `run`, sources call `offer`."""

    def __init__(
        self,
        examiner: Examiner,
        outbox: Outbox,
        answers: Answers,
        journal: Journal,
        referrals: Referrals,
        duty: OnDuty,
        panel: Panel,
        screens: Sequence[Screen],
        rules: Rules,
        clock: Callable[[], ClockReading],
        drill: Drill | None = None,
    ) -> None:
        self._examiner = examiner
        self._outbox = outbox
        self._answers = answers
        self._journal = journal
        self._referrals = referrals
        self._duty = duty
        self._panel = panel
        self._screens = screens
        self._rules = rules
        self._clock = clock
        self._drill = drill
        self._captures: queue.Queue[Capture] = queue.Queue(maxsize=2)
        self._unwritten = Unwritten()
        self._alert_shown: str | None = None
        """The alert about the document that is on the screens."""
        self._shown_at: float | None = None
        """Since when something else than READY is shown; it outlasts a death of `run`."""
        self.last_beat = time.monotonic()
        """When the desk last made progress, in monotonic seconds: what the watchdog looks at."""

    def offer(self, capture: Capture, stop: Event) -> None:
        """Hands a capture over, waiting while the desk is busy."""
        while not stop.is_set():
            try:
                self._captures.put(capture, timeout=_BEAT_S)
                return
            except queue.Full:
                continue

    def take(self, capture: Capture) -> bool:
        """Takes what an officer entered by hand; False where the desk is too busy for it."""
        try:
            self._captures.put(capture, timeout=_BEAT_S)
        except queue.Full:
            return False
        return True

    @property
    def idle(self) -> bool:
        """Nothing waits and nothing is being examined."""
        return self._captures.unfinished_tasks == 0

    @property
    def unwritten(self) -> int:
        """Alerts that the disk has refused so far."""
        return len(self._unwritten)

    def run(self, stop: Event) -> None:
        """Handles captures until `stop`; what was already taken in is finished first."""
        if self._shown_at is None:
            self._light(READY)
        while not (stop.is_set() and self._captures.empty()):
            self.last_beat = time.monotonic()
            self._write_what_was_refused()
            try:
                capture = self._captures.get(timeout=_BEAT_S)
            except queue.Empty:
                self._return_to_ready()
                continue
            # The last document's verdict must not stand beside the next one while that is examined.
            self._light(DARK)
            self._alert_shown = None
            on_screens(self._screens, lambda screen: screen.busy())
            try:
                self.handle(capture)
            except Exception:
                self._light(FAULT)
                raise
            finally:
                self._shown_at = time.monotonic()
                self._captures.task_done()
        self._write_what_was_refused()
        if self._unwritten:
            log.error(
                "desk: %d alerts end with this process: the disk refused them to the last; tell "
                "central by other means",
                len(self._unwritten),
            )

    def _return_to_ready(self) -> None:
        """Once what is shown has stood for long enough."""
        held = self._rules.hold.total_seconds()
        if self._shown_at is not None and time.monotonic() - self._shown_at > held:
            self._light(READY)
            self._shown_at = None
            on_screens(self._screens, lambda screen: screen.ready())

    def handle(self, capture: Capture) -> Shown:
        """One document, from what the source saw to what the officer sees."""
        self._duty.active()
        examination = self._examiner.examine(capture)
        specimen = self._drill.rehearsed(capture, examination) if self._drill else None
        if specimen is None:
            alert_id, faults = self._write(examination)
        else:
            examination, alert_id = specimen.examination, specimen.alert_id
            faults = tuple(self._write_down(examination, alert_id, drill=True))
        shown = Shown(
            examination,
            alert_id,
            faults,
            capture_id=secrets.token_urlsafe(9),
            at=self._clock().now,
            drill=specimen is not None,
        )
        self._alert_shown = alert_id
        self._show(shown)
        return shown

    def answered(self, answer: AnswerData) -> None:
        """Shows an answer of central's; for the thread that brings it."""
        log.info("central answered an alert: %s", answer.outcome.value.replace("_", " "))
        self._show_answer(answer.alert, answer)
        self._referrals.answered(answer)
        try:
            self._journal.answered(
                answer.alert, answer.outcome, now=self._clock().now, officer=self._duty.name
            )
        except JournalFault as fault:
            log.error("desk: an answer is not in the journal: %s", fault)

    def rehearse_answer(self, answer: RehearsedAnswer) -> None:
        """Shows what a drill says in central's place; for the drill's thread."""
        self._show_answer(answer.alert_id, answer, drill=True)

    def _show_answer(
        self, alert_id: str, answer: AnswerData | RehearsedAnswer, *, drill: bool = False
    ) -> None:
        reply = Reply(
            alert_id=alert_id,
            outcome=answer.outcome,
            instruction=answer.instruction,
            at=answer.at,
            until=answer.until,
            still_shown=alert_id == self._alert_shown,
            drill=drill,
        )
        on_screens(self._screens, lambda screen: screen.answered(reply))

    def refer(self, alert_id: str, action: Action, note: str = "") -> None:
        """What the officer did of a referral. Raises NotOpen and OutboxFault."""
        self._duty.active()
        if self._drill is not None and self._drill.acted(alert_id, action, self._duty.name):
            return
        self._referrals.act(alert_id, action, note, self._duty.name)

    def _write(self, examination: Examination) -> tuple[str | None, tuple[str, ...]]:
        """Disk first. Gives the alert's id and what the disk refused, in words."""
        faults: list[str] = []
        alert_id = None
        verdict = examination.verdict
        if verdict is not None and verdict.outcome in ALERTING:
            alert = self._alert(examination)
            try:
                alert_id = self._put(alert)
            except OutboxFault as fault:
                faults.append(said("the alert is not yet on disk: {fault}", fault=fault))
                if not self._unwritten.keep(alert):
                    faults.append(said("nor is there room for it in memory: tell central yourself"))
        faults += self._write_down(examination, alert_id)
        if self._answers.fault:
            faults.append(
                said("central's answers cannot be read: {fault}", fault=self._answers.fault)
            )
        for fault_line in faults:
            log.error("desk: %s", fault_line)
        return alert_id, tuple(faults)

    def _write_down(
        self, examination: Examination, alert_id: str | None, *, drill: bool = False
    ) -> list[str]:
        """The journal's line; gives what stood in its way, in words."""
        now, officer = self._clock().now, self._duty.name
        try:
            self._journal.write(
                examination, now=now, alert_id=alert_id, officer=officer, drill=drill
            )
        except JournalFault as fault:
            return [said("the journal is not written: {fault}", fault=fault)]
        return []

    def _show(self, shown: Shown) -> None:
        verdict = shown.examination.verdict
        # The first reason is a neutral sentence of ours without a name or a number, so it may be
        # logged; a later one may be central's instruction, where an operator may have named
        # somebody.
        log.info("desk: %s", f"{verdict.outcome}: {verdict.reasons[0]}" if verdict else "FAULT")
        self._light(PATTERNS[verdict.outcome] if verdict else FAULT)
        for screen in self._screens:
            screen.show(shown)

    def _light(self, pattern: Pattern) -> None:
        """Lamps that fail must not keep a verdict from the screen, nor a screen's hit from disk."""
        try:
            self._panel.show(pattern)
        except Exception as error:
            # gpiozero and lgpio raise many kinds; all mean that the lamps do not answer.
            log.error("desk: the lamps do not answer (%s); look at the screen", error)

    def _alert(self, examination: Examination) -> AlertData:
        now = self._clock().now
        return alert_of(
            examination,
            place=self._rules.place,
            captured_at=now,
            answer_until=now + self._rules.answer_within,
        )

    def _put(self, alert: AlertData) -> str:
        alert_id = self._outbox.put_alert(alert, now=self._clock().now)
        self._referrals.opened(alert_id, alert)
        return alert_id

    def _write_what_was_refused(self) -> None:
        if written := self._unwritten.write(self._put):
            log.info("desk: %d alerts that the disk had refused are now written", written)
