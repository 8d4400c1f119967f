"""The drill of a desk: started by a supervisor or by central, ended by whoever is there or by time.

It is a source among the desk's sources: asked for the next specimen, it gives a picture to the desk
as a camera would. And the desk asks it of every document whether that is a specimen (`rehearsed`).
The answer is yes for what the drill has shown itself, and for a printed specimen of Utopia while a
drill runs, unless the desk's own lists match it. Everything else is real, so where this errs, a
specimen is checked as a document and no document as a specimen.

All that there is of a drill is in the memory of this process. What outlasts it is a mark on disk
that a drill was under way (`telling`): the desk that finds it starts in ordinary mode and says so.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Condition, Event
from typing import Protocol

from firmware.drill.course import Course, Step
from firmware.drill.lists import DrillLists
from firmware.drill.programme import Act, Setting, is_specimen
from firmware.drill.specimens import SpecimenCapture, capture_of
from firmware.drill.telling import Kept, Marks, Record
from firmware.drill.view import DrillView, view_of
from firmware.journal import ALERTING
from firmware.referrals import Referral
from firmware.roles import Officer, Right
from scanner.alert import (
    Action,
    AnswerOutcome,
    CommandData,
    DrillEnd,
    Order,
    Place,
    alert_of,
    new_id,
)
from scanner.examine import Examination
from scanner.said import Said, said
from scanner.sources.capture import Capture, Fault, Health
from scanner.verdict import Answered
from scanner.watchlist.build import BuildRefused

log = logging.getLogger(__name__)

RESULTS_STAND = timedelta(minutes=10)
"""How long results wait for somebody to say whether to keep them."""
NOTICE_STANDS_S = 600.0
_LOOK_EVERY_S = 0.2
_ANSWER_HOLDS = timedelta(hours=24)
_TYPED = frozenset({"typed", "corrected"})
"""What a reading is called that came by an officer's fingers."""


class DrillRefused(Exception):
    """It is not to be done now; `code` is stable, the message says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Rules(Protocol):
    """What the configuration says of drills."""

    @property
    def allowed(self) -> bool: ...
    @property
    def minutes(self) -> float: ...
    @property
    def answer_seconds(self) -> float: ...
    @property
    def keep_days(self) -> int: ...


@dataclass(frozen=True)
class Rehearsed:
    """What the desk shows of a specimen in the place of what it would have said."""

    examination: Examination
    alert_id: str | None


@dataclass(frozen=True)
class RehearsedAnswer:
    """What the drill says in central's place of one of its hits."""

    alert_id: str
    outcome: AnswerOutcome
    instruction: Said
    at: datetime
    until: datetime

    @property
    def held(self) -> Answered:
        """As the desk holds what central answers."""
        return Answered(self.outcome.value, self.at, self.until, self.instruction)


@dataclass
class _Running:
    """A drill, with what it needs while it runs."""

    course: Course
    lists: DrillLists
    due: list[tuple[float, str]] = field(default_factory=list)
    """When to answer which alert."""
    referrals: dict[str, Referral] = field(default_factory=dict)
    """By the alert."""
    wanted: int | None = None
    """The exercise that is to be shown next."""


class Drill:
    """There is one at each desk, whether a drill runs or not. For any thread; its own runs
    `captures`. `sees` says that the desk reads pictures, `signing_in` that officers sign in."""

    name = "drill"

    def __init__(
        self,
        rules: Rules,
        folder: Path,
        record: Record,
        now: Callable[[], datetime],
        *,
        place: Place,
        sees: bool,
        signing_in: bool,
    ) -> None:
        self._rules = rules
        self._record = record
        self._now = now
        self._place = place
        self._sees = sees
        self._signing_in = signing_in
        self._marks = Marks(folder)
        self._kept = Kept(folder)
        self._cut = self._marks.found()
        self._notice_until = time.monotonic() + NOTICE_STANDS_S if self._cut else 0.0
        self._changed = Condition()
        self._running: _Running | None = None
        self._over: Course | None = None
        self._wish: CommandData | None = None
        self._alerts: set[str] = set()
        """Every hit of a drill since the start of this process."""
        self._listeners: list[Callable[[], None]] = []
        self.on_answer: Callable[[RehearsedAnswer], None] = lambda answer: None

    @property
    def health(self) -> Health:
        return Health(True)

    @property
    def notice(self) -> Said | None:
        """What is to be said after the desk was cut off in the middle of a drill."""
        if time.monotonic() >= self._notice_until:
            return None
        return said("A drill was cut short here. It is over, and this desk is in ordinary mode.")

    @property
    def running(self) -> bool:
        """Whether a drill is under way."""
        return self._running is not None

    @property
    def referrals(self) -> tuple[Referral, ...]:
        """The referrals of the drill's hits, as the desk has them of alerts: those that are open,
        and the one before the trainee."""
        with self._changed:
            if self._running is None:
                return ()
            step = self._running.course.step
            here = None if step is None else step.alert
            every = reversed(self._running.referrals.values())
            return tuple(one for one in every if one.open or one.alert_id == here)

    def is_open(self, alert_id: str) -> bool:
        """Whether this is a hit of the drill that has no outcome yet."""
        return any(one.open and one.alert_id == alert_id for one in self.referrals)

    def listen(self, changed: Callable[[], None]) -> None:
        """Calls `changed` after whatever `view` shows has changed, in the thread that did it."""
        self._listeners.append(changed)

    def view(self) -> DrillView | None:
        """What the officer's page shows of it; None where there is nothing to show."""
        with self._changed:
            course = self._running.course if self._running else self._over
            return None if course is None else view_of(course)

    def may_start(self, officer: Officer | None) -> bool:
        """Whether whoever is there may start one; where nobody signs in, whether anybody may."""
        if self._signing_in:
            return officer is not None and officer.may(Right.DRILL)
        return self._rules.allowed

    def start(self, by: str | None, *, by_central: bool = False) -> None:
        """Begins a drill; `by` is the officer who is signed in. Raises DrillRefused."""
        with self._changed:
            if self._running is not None:
                raise DrillRefused("running", said("A drill is under way already."))
            self._forget_results()
            began = self._now()
            ends = began + timedelta(minutes=self._rules.minutes)
            course = Course(new_id(), began, ends, by_central)
            try:
                lists = DrillLists(self._now)
                self._marks.set(course)
            except (OSError, BuildRefused) as error:
                log.error("drill: it cannot begin: %s", type(error).__name__)
                refusal = said("The disk does not let a drill begin; look after it first.")
                raise DrillRefused("disk", refusal) from None
            self._running = _Running(course, lists)
            self._notice_until = 0.0
            self._record.began(course, by)
        log.info("drill: a drill began")
        self._tell()

    def commanded(self, command: CommandData) -> bool:
        """Central asks for something; whether that was a drill, which this thread need not wait
        for."""
        if command.order is not Order.DRILL:
            return False
        with self._changed:
            self._wish = command
            self._changed.notify_all()
        return True

    def next(self) -> None:
        """Goes on to the next specimen: the present one is let pass. Raises DrillRefused."""
        self._go_on(Act.LET_PASS)

    def set_aside(self) -> None:
        """Sets the present specimen aside, to be looked at, and goes on. Raises DrillRefused."""
        self._go_on(Act.SET_ASIDE)

    def end(self) -> None:
        """Ends it; how it went stands until somebody says whether to keep it."""
        with self._changed:
            self._end(DrillEnd.OFFICER)
        self._tell()

    def keep(self, kept: bool, officer: str | None = None) -> None:
        """Keeps how it went under the officer's name, or forgets it. Raises DrillRefused."""
        with self._changed:
            over = self._over
            if over is None:
                raise DrillRefused("no_results", said("There are no results to keep."))
            if kept:
                try:
                    self._kept.keep(over, officer)
                    self._kept.purge(self._now(), timedelta(days=self._rules.keep_days))
                except OSError as error:
                    log.error("drill: results are not kept: %s", error.strerror)
                    refusal = said("The disk does not take the results; look after it first.")
                    raise DrillRefused("disk", refusal) from None
            self._forget_results(kept_by=officer, kept=kept)
        self._tell()

    def acted(self, alert_id: str, action: Action, officer: str | None = None) -> bool:
        """The officer has given the outcome of a hit. True where it was a drill's: then nothing
        else is to be done of it."""
        with self._changed:
            if alert_id not in self._alerts:
                return False
            running = self._running
            if running is not None and alert_id in running.referrals:
                running.course.refer(alert_id, Act(action.value), time.monotonic())
                running.referrals[alert_id] = replace(running.referrals[alert_id], action=action)
                self._record.acted(alert_id, action, officer, self._now())
        self._tell()
        return True

    def passed_on(self) -> None:
        """The officer has cleared the screen of what was shown: what was there was let pass."""
        with self._changed:
            if self._running is None:
                return
            self._running.course.act(Act.LET_PASS, time.monotonic())
        self._tell()

    def rehearsed(self, capture: Capture, real: Examination) -> Rehearsed | None:
        """What to show of a specimen; None for a document, which is to be treated as ever. `real`
        is what the desk says of the capture by its own lists. For the desk's thread."""
        of = capture.session if isinstance(capture, SpecimenCapture) else None
        if of is None and (not _is_a_specimen(real) or _is_listed(real)):
            return None
        with self._changed:
            running = self._running
            if running is None or of not in (None, running.course.session):
                return None if of is None else Rehearsed(_nothing(real), None)
            rehearsed = self._judged(running, capture, real)
        self._tell()
        return rehearsed

    def captures(self, stop: Event) -> Iterator[Capture]:
        """Gives the specimens that were asked for, and looks after what only time brings."""
        while not stop.is_set():
            with self._changed:
                self._changed.wait(_LOOK_EVERY_S)
            capture = self._turn()
            if capture is not None:
                yield capture

    def _turn(self) -> SpecimenCapture | None:
        """Whatever is due. The desk is never waited for with the lock held."""
        self._say_what_was_cut()
        self._do_as_central_wishes()
        self._end_in_time()
        for answer in self._due_answers():
            self.on_answer(answer)
        return self._wanted()

    def _say_what_was_cut(self) -> None:
        cut, self._cut = self._cut, None
        if cut is not None:
            log.warning("drill: a drill was cut short; this desk is in ordinary mode")
            self._record.cut(cut, self._now())
            self._marks.clear()
            self._tell()

    def _do_as_central_wishes(self) -> None:
        with self._changed:
            wish, self._wish = self._wish, None
        if wish is None:
            return
        if wish.until is not None and self._now() >= wish.until:
            log.warning("drill: central's wish for one came too late")
            return
        try:
            self.start(None, by_central=True)
        except DrillRefused as refused:
            log.warning("drill: central asked for one: %s", refused)

    def _end_in_time(self) -> None:
        with self._changed:
            now = self._now()
            if self._running is not None and now >= self._running.course.ends_at:
                self._end(DrillEnd.TIME)
            elif self._over is not None and now >= (self._over.ended_at or now) + RESULTS_STAND:
                self._forget_results()
            else:
                return
        self._tell()

    def _due_answers(self) -> list[RehearsedAnswer]:
        with self._changed:
            running = self._running
            if running is None:
                return []
            now = time.monotonic()
            due = [alert for at, alert in running.due if at <= now]
            running.due = [one for one in running.due if one[0] > now]
            steps = [running.course.answered(alert) for alert in due]
            answers = [self._answer(step) for step in steps if step is not None]
            for answer in filter(None, answers):
                of = running.referrals[answer.alert_id]
                running.referrals[answer.alert_id] = replace(of, answer=answer.held)
        return [answer for answer in answers if answer is not None]

    def _answer(self, step: Step) -> RehearsedAnswer | None:
        answering, at = step.exercise.answering, self._now()
        if answering is None or step.alert is None:
            return None
        return RehearsedAnswer(
            alert_id=step.alert,
            outcome=answering.outcome,
            instruction=answering.instruction,
            at=at,
            until=at + _ANSWER_HOLDS,
        )

    def _wanted(self) -> SpecimenCapture | None:
        with self._changed:
            running = self._running
            if running is None or running.wanted is None:
                return None
            place, running.wanted = running.wanted, None
            course = running.course
        exercise = course.exercises[place]
        return capture_of(exercise, course.session, place, sees=self._sees)

    def _go_on(self, act: Act) -> None:
        with self._changed:
            running = self._running
            if running is None:
                raise DrillRefused("not_running", said("There is no drill under way."))
            course = running.course
            if course.open_alerts:
                raise DrillRefused("hit_open", said("Give the outcome of the hit first."))
            course.act(act, time.monotonic())
            running.wanted = course.following
            self._changed.notify_all()
        self._tell()

    def _end(self, why: DrillEnd) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.lists.close()
        running.course.end, running.course.ended_at = why, self._now()
        self._over = running.course
        self._record.over(running.course)
        log.info("drill: the drill is over (%s)", why.value)

    def _forget_results(self, kept_by: str | None = None, *, kept: bool = False) -> None:
        over, self._over = self._over, None
        if over is not None:
            self._record.told(over, kept_by, kept=kept)
            self._marks.clear()

    def _judged(self, running: _Running, capture: Capture, real: Examination) -> Rehearsed:
        if real.reading is None:
            return Rehearsed(real, None)
        course = running.course
        place = capture.exercise if isinstance(capture, SpecimenCapture) else _place(course, real)
        exercise = None if place is None else course.exercises[place]
        old = exercise is not None and exercise.setting is Setting.OLD_LISTS
        judged = running.lists.judge(real.source, real.reading, old=old)
        examination = replace(judged, ms=real.ms, reduced=real.reduced)
        outcome = judged.verdict.outcome if judged.verdict else None
        alert = self._alert_of(running, place, examination)
        if place is not None:
            typed = real.reading.reader in _TYPED
            course.seen(place, outcome, alert, time.monotonic(), typed=typed)
        return Rehearsed(examination, alert)

    def _alert_of(
        self, running: _Running, place: int | None, examination: Examination
    ) -> str | None:
        """The id of the hit: the same one however often the specimen of an exercise is shown. A
        specimen that is in no exercise is shown, and raises none."""
        verdict = examination.verdict
        if place is None or verdict is None or verdict.outcome not in ALERTING:
            return None
        known = running.course.steps.get(place)
        if known is not None and known.alert is not None:
            return known.alert
        alert_id, now = new_id(), self._now()
        until = running.course.ends_at
        alert = alert_of(examination, place=self._place, captured_at=now, answer_until=until)
        running.referrals[alert_id] = Referral(alert_id, alert, sent=True)
        running.due.append((time.monotonic() + self._rules.answer_seconds, alert_id))
        self._alerts.add(alert_id)
        return alert_id

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _place(course: Course, real: Examination) -> int | None:
    document = real.parsed.document if real.parsed else None
    return None if document is None else course.place_of(document)


def _is_a_specimen(real: Examination) -> bool:
    document = real.parsed.document if real.parsed else None
    return document is not None and is_specimen(document)


def _is_listed(real: Examination) -> bool:
    return real.verdict is not None and real.verdict.outcome in ALERTING


def _nothing(real: Examination) -> Examination:
    """A specimen that came when its drill was over: nothing is said of it."""
    fault = Fault("drill_over", said("The drill is over: this was one of its specimens."))
    return Examination(real.source, fault=fault, ms=real.ms)
