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
from datetime import datetime, timedelta
from pathlib import Path
from threading import Condition, Event
from typing import Protocol

from firmware.drill.course import Course
from firmware.drill.lists import DrillLists
from firmware.drill.programme import Act, is_specimen
from firmware.drill.running import Rehearsed, RehearsedAnswer, Running
from firmware.drill.specimens import SpecimenCapture, capture_of
from firmware.drill.telling import Kept, Marks, Record
from firmware.drill.view import DrillView, view_of
from firmware.officers.roles import Officer, Right
from firmware.record.journal import ALERTING
from firmware.record.referrals import Referral
from scanner.alert import Action, CommandData, DrillEnd, Order, Place, new_id
from scanner.examine import Examination
from scanner.said import Said, said
from scanner.sources.capture import Capture, Fault, Health
from scanner.watchlist.build import BuildRefused

log = logging.getLogger(__name__)

RESULTS_STAND_S = 600.0
"""How long results wait for somebody to say whether to keep them."""
NOTICE_STANDS_S = 600.0
PURGED_EVERY_S = 3600.0
_LOOK_EVERY_S = 0.2


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


class Drill:
    """There is one at each desk, whether a drill runs or not. For any thread; its own runs
    `captures`. `sees` says that the desk reads pictures, `signing_in` that officers sign in."""

    name = "drill"
    health = Health(True)

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
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules
        self._record = record
        self._now = now
        self._place = place
        self._sees = sees
        self._signing_in = signing_in
        self._ticks = ticks
        self._marks = Marks(folder)
        self._kept = Kept(folder)
        self._cut = self._marks.found()
        self._notice_until = ticks() + NOTICE_STANDS_S if self._cut else 0.0
        self._changed = Condition()
        self._running: Running | None = None
        self._over: Course | None = None
        """The drill that ended last, while its results stand, until `_over_until`."""
        self._over_until = 0.0
        self._purge_at = 0.0
        self._wish: CommandData | None = None
        self._alerts: set[str] = set()
        """Every hit of a drill since the start of this process."""
        self._listeners: list[Callable[[], None]] = []
        self.on_answer: Callable[[RehearsedAnswer], None] = lambda answer: None

    @property
    def notice(self) -> Said | None:
        """What is to be said after the desk was cut off in the middle of a drill."""
        if self._ticks() >= self._notice_until:
            return None
        return said("A drill was cut short here. It is over, and this desk is in ordinary mode.")

    @property
    def running(self) -> bool:
        """Whether a drill is under way."""
        return self._running is not None

    @property
    def referrals(self) -> tuple[Referral, ...]:
        """The referrals of the drill's hits, as the desk has them of alerts."""
        with self._changed:
            return self._running.referrals if self._running else ()

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
            self._running = self._begun(by_central)
            self._over = None
            self._notice_until = 0.0
            self._record.began(self._running.course, by)
        log.info("drill: a drill began")
        self._tell()

    def commanded(self, command: CommandData) -> bool:
        """Central asks for something; whether that is a drill, which its own thread begins."""
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
            if self._over is None:
                raise DrillRefused("no_results", said("There are no results to keep."))
            if kept:
                self._keep(self._over, officer)
            self._over = None
        self._tell()

    def acted(self, alert_id: str, action: Action, officer: str | None = None) -> bool:
        """The officer has given the outcome of a hit. True where it was a drill's: then nothing
        else is to be done of it."""
        with self._changed:
            if alert_id not in self._alerts:
                return False
            if self._running and self._running.refer(alert_id, action, self._ticks()):
                self._record.acted(alert_id, action, officer, self._now())
        self._tell()
        return True

    def passed_on(self) -> None:
        """The officer has cleared the screen of what was shown: what was there was let pass."""
        with self._changed:
            if self._running is None:
                return
            self._running.course.act(Act.LET_PASS, self._ticks())
        self._tell()

    def rehearsed(self, capture: Capture, real: Examination) -> Rehearsed | None:
        """What to show of a specimen; None for a document, which is to be treated as ever. `real`
        is what the desk says of the capture by its own lists. For the desk's thread."""
        of = capture.session if isinstance(capture, SpecimenCapture) else None
        if of is None and (not self.running or _is_listed(real) or not _is_a_specimen(real)):
            return None
        with self._changed:
            running = self._running
            if running is None or of not in (None, running.course.session):
                return None if of is None else Rehearsed(_nothing(real), None)
            rehearsed = running.judged(capture, real, self._ticks())
            if rehearsed.alert_id is not None:
                self._alerts.add(rehearsed.alert_id)
        self._tell()
        return rehearsed

    def captures(self, stop: Event) -> Iterator[Capture]:
        """Gives the specimens that were asked for, and looks after what only time brings."""
        while not stop.is_set():
            with self._changed:
                self._changed.wait(_LOOK_EVERY_S)
            capture = self.turn()
            if capture is not None:
                yield capture

    def turn(self) -> SpecimenCapture | None:
        """Whatever is due. The desk is never waited for with the lock held."""
        self._say_what_was_cut()
        self._let_old_results_go()
        self._do_as_central_wishes()
        self._end_in_time()
        with self._changed:
            answers = self._running.answers(self._ticks()) if self._running else []
        for answer in answers:
            self.on_answer(answer)
        if answers:
            self._tell()
        return self._wanted()

    def _begun(self, by_central: bool) -> Running:
        began, minutes = self._now(), self._rules.minutes
        course = Course(new_id(), began, began + timedelta(minutes=minutes), by_central)
        try:
            lists = DrillLists(self._now)
            self._marks.set(course)
        except (OSError, BuildRefused) as error:
            log.error("drill: it cannot begin: %s", type(error).__name__)
            refusal = said("The disk does not let a drill begin; look after it first.")
            raise DrillRefused("disk", refusal) from None
        until = self._ticks() + minutes * 60
        return Running(course, lists, self._place, self._now, until, self._rules.answer_seconds)

    def _say_what_was_cut(self) -> None:
        cut, self._cut = self._cut, None
        if cut is not None:
            log.warning("drill: a drill was cut short; this desk is in ordinary mode")
            self._record.cut(cut, self._now())
            self._marks.clear()
            self._tell()

    def _let_old_results_go(self) -> None:
        if self._ticks() < self._purge_at:
            return
        self._purge_at = self._ticks() + PURGED_EVERY_S
        try:
            self._kept.purge(self._now(), timedelta(days=self._rules.keep_days))
        except OSError as error:
            log.error("drill: old results cannot be removed: %s", error.strerror)

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
            at = self._ticks()
            if self._running is not None and at >= self._running.until:
                self._end(DrillEnd.TIME)
            elif self._over is not None and at >= self._over_until:
                self._over = None
            else:
                return
        self._tell()

    def _wanted(self) -> SpecimenCapture | None:
        with self._changed:
            running = self._running
            if running is None or running.wanted is None:
                return None
            place, running.wanted = running.wanted, None
            course = running.course
        return capture_of(course.exercises[place], course.session, place, sees=self._sees)

    def _go_on(self, act: Act) -> None:
        with self._changed:
            running = self._running
            if running is None:
                raise DrillRefused("not_running", said("There is no drill under way."))
            if running.course.open_alerts:
                raise DrillRefused("hit_open", said("Give the outcome of the hit first."))
            running.course.act(act, self._ticks())
            running.wanted = running.course.following
            self._changed.notify_all()
        self._tell()

    def _end(self, why: DrillEnd) -> None:
        running, self._running = self._running, None
        if running is None:
            return
        running.lists.close()
        running.course.end, running.course.ended_at = why, self._now()
        self._over, self._over_until = running.course, self._ticks() + RESULTS_STAND_S
        self._marks.clear()
        self._record.over(running.course)
        log.info("drill: the drill is over (%s)", why.value)

    def _keep(self, over: Course, officer: str | None) -> None:
        try:
            self._kept.keep(over, officer)
        except OSError as error:
            log.error("drill: results are not kept: %s", error.strerror)
            refusal = said("The disk does not take the results; look after it first.")
            raise DrillRefused("disk", refusal) from None
        self._record.kept(over, officer)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()


def _is_a_specimen(real: Examination) -> bool:
    document = real.parsed.document if real.parsed else None
    return document is not None and is_specimen(document)


def _is_listed(real: Examination) -> bool:
    return real.verdict is not None and real.verdict.outcome in ALERTING


def _nothing(real: Examination) -> Examination:
    """A specimen that came when its drill was over: nothing is said of it."""
    fault = Fault("drill_over", said("The drill is over: this was one of its specimens."))
    return Examination(real.source, fault=fault, ms=real.ms)
