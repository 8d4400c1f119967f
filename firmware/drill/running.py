"""A drill while it runs: judges its specimens, keeps its referrals, answers in central's place.

Whoever calls this holds the drill's lock. Times are monotonic seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from firmware.drill.course import Course, Step
from firmware.drill.lists import DrillLists
from firmware.drill.programme import Act, Setting
from firmware.drill.specimens import SpecimenCapture
from firmware.record.journal import ALERTING
from firmware.record.referrals import Referral
from scanner.alert import Action, AnswerOutcome, Place, alert_of, new_id
from scanner.examine import Examination
from scanner.mrz.reading import Entered
from scanner.said import Said
from scanner.sources.capture import Capture
from scanner.verdict import Answered

_ANSWER_HOLDS = timedelta(hours=24)


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
class Running:
    """A drill under way at `place`, until `until`; its hits are answered after `answer_s`."""

    course: Course
    lists: DrillLists
    place: Place
    now: Callable[[], datetime]
    until: float
    answer_s: float
    wanted: int | None = None
    """The exercise that is to be shown next."""
    _referrals: dict[str, Referral] = field(default_factory=dict)
    """By the alert."""
    _due: dict[str, float] = field(default_factory=dict)
    """When to answer which alert."""

    @property
    def referrals(self) -> tuple[Referral, ...]:
        """Those that are open, and the one before the trainee; the newest first."""
        here = self.course.step.alert if self.course.step else None
        every = reversed(self._referrals.values())
        return tuple(one for one in every if one.open or one.alert_id == here)

    def judged(self, capture: Capture, real: Examination, at: float) -> Rehearsed:
        """What is to be shown of a specimen, of which the desk says `real` by its own lists."""
        if real.reading is None:
            return Rehearsed(real, None)
        exercise = self._exercise_of(capture, real)
        setting = None if exercise is None else self.course.exercises[exercise].setting
        old = setting is Setting.OLD_LISTS
        judged = self.lists.judge(real.source, real.reading, old=old)
        examination = replace(judged, ms=real.ms, reduced=real.reduced, cut=real.cut)
        if exercise is None or judged.verdict is None:
            return Rehearsed(examination, None)
        alert_id = self._hit(exercise, examination, at)
        by_hand = real.reading.entered is not Entered.READ
        self.course.seen(exercise, judged.verdict.outcome, alert_id, at, typed=by_hand)
        return Rehearsed(examination, alert_id)

    def refer(self, alert_id: str, action: Action, at: float) -> bool:
        """The trainee has given the outcome of a hit; False where it has one, or is none here."""
        if alert_id not in self._referrals or not self._referrals[alert_id].open:
            return False
        self.course.refer(alert_id, Act(action.value), at)
        self._referrals[alert_id] = replace(self._referrals[alert_id], action=action)
        return True

    def answers(self, at: float) -> list[RehearsedAnswer]:
        """What is to be said in central's place by now."""
        due = [alert for alert, when in self._due.items() if when <= at]
        said = []
        for alert in due:
            del self._due[alert]
            step = self.course.answered(alert)
            if step is not None and (answer := self._answer(step, alert)) is not None:
                self._referrals[alert] = replace(self._referrals[alert], answer=answer.held)
                said.append(answer)
        return said

    def _exercise_of(self, capture: Capture, real: Examination) -> int | None:
        if isinstance(capture, SpecimenCapture):
            return capture.exercise
        document = real.parsed.document if real.parsed else None
        return None if document is None else self.course.place_of(document)

    def _hit(self, exercise: int, examination: Examination, at: float) -> str | None:
        """The id of the hit: the same one however often the specimen is shown."""
        verdict = examination.verdict
        if verdict is None or verdict.outcome not in ALERTING:
            return None
        known = self.course.steps.get(exercise)
        if known is not None and known.alert is not None:
            return known.alert
        alert_id = new_id()
        alert = alert_of(
            examination,
            place=self.place,
            captured_at=self.now(),
            answer_until=self.course.ends_at,
        )
        self._referrals[alert_id] = Referral(alert_id, alert, sent=True, drill=True)
        self._due[alert_id] = at + self.answer_s
        return alert_id

    def _answer(self, step: Step, alert_id: str) -> RehearsedAnswer | None:
        answering, now = step.exercise.answering, self.now()
        if answering is None:
            return None
        until = now + _ANSWER_HOLDS
        return RehearsedAnswer(alert_id, answering.outcome, answering.instruction, now, until)
