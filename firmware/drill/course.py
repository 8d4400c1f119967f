"""How one drill goes: which specimen is before the trainee, what they did of each, how fast.

No threads, no disk and no screen: whoever runs the drill says what happened and when.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from firmware.drill.programme import PROGRAMME, Act, Exercise, Setting, exercise_about
from scanner.alert import DrillEnd, DrillStep
from scanner.mrz.document import Document
from scanner.verdict import Outcome


@dataclass
class Step:
    """One exercise as it went; times are monotonic seconds."""

    exercise: Exercise
    shown: Outcome | None = None
    shown_at: float | None = None
    alert: str | None = None
    answered: bool = False
    typed: bool = False
    act: Act | None = None
    acted_at: float | None = None
    right: bool = False

    @property
    def took_s(self) -> float | None:
        """From the verdict on the screen to the act."""
        if self.shown_at is None or self.acted_at is None:
            return None
        return self.acted_at - self.shown_at

    @property
    def hit_is_open(self) -> bool:
        """A hit whose referral has no outcome yet."""
        return self.alert is not None and self.act is None

    def told(self) -> DrillStep:
        """As central is told of it."""
        took_s = self.took_s
        return DrillStep(
            exercise=self.exercise.name,
            expected=self.exercise.outcome.value,
            shown=self.shown.value if self.shown else None,
            act=self.act.value if self.act else None,
            right=self.right,
            took_ms=None if took_s is None else round(took_s * 1000),
        )


@dataclass
class Course:
    """One drill, from its start until it ended; `ends_at` is when it does by itself."""

    session: str
    began_at: datetime
    ends_at: datetime
    by_central: bool = False
    exercises: Sequence[Exercise] = PROGRAMME
    steps: dict[int, Step] = field(default_factory=dict)
    """By the place in the programme, in the order in which they were shown."""
    current: int | None = None
    end: DrillEnd | None = None
    ended_at: datetime | None = None

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.end is None

    @property
    def step(self) -> Step | None:
        """The one that is before the trainee."""
        return None if self.current is None else self.steps[self.current]

    @property
    def following(self) -> int | None:
        """The place of the first exercise that was not shown yet."""
        return next((n for n in range(len(self.exercises)) if n not in self.steps), None)

    @property
    def open_alerts(self) -> tuple[str, ...]:
        """The hits whose referral has no outcome yet."""
        return tuple(step.alert for step in self.steps.values() if step.alert and step.hit_is_open)

    @property
    def right(self) -> int:
        """How many were done right."""
        return sum(step.right for step in self.steps.values())

    def place_of(self, document: Document) -> int | None:
        """The place of the exercise that a printed specimen belongs to."""
        return exercise_about(self.exercises, document)

    def seen(
        self, place: int, outcome: Outcome | None, alert: str | None, at: float, *, typed: bool
    ) -> None:
        """The desk has shown what it says of the specimen at `place`. Whatever lay there before is
        gone: unless it was a hit, it was let pass."""
        if place != self.current:
            self.act(Act.LET_PASS, at)
            self.steps.setdefault(place, Step(self.exercises[place]))
            self.current = place
        step = self.steps[place]
        if step.act is not None:
            return
        step.shown, step.alert = step.shown or outcome, step.alert or alert
        step.typed = step.typed or typed
        if step.shown_at is None:
            step.shown_at = at

    def act(self, act: Act, at: float) -> None:
        """The trainee has done something of what is before them; a hit takes its outcome alone."""
        if self.step is not None and self.step.alert is None:
            self._done(self.step, act, at)

    def refer(self, alert: str, act: Act, at: float) -> None:
        """The trainee has given the outcome of a hit's referral."""
        for step in self.steps.values():
            if step.alert == alert:
                self._done(step, act, at)

    def answered(self, alert: str) -> Step | None:
        """Central's answer has come, as far as the trainee can tell."""
        found = next((step for step in self.steps.values() if step.alert == alert), None)
        if found is not None:
            found.answered = True
        return found

    def waits_for_typing(self) -> bool:
        """Whether the specimen has to be typed now."""
        step = self.step
        return (
            step is not None
            and step.exercise.setting is Setting.UNREADABLE
            and not step.typed
            and step.act is None
        )

    def _done(self, step: Step, act: Act, at: float) -> None:
        if step.act is not None:
            return
        step.act, step.acted_at = act, at
        said_right = step.shown is step.exercise.outcome
        step.right = said_right and step.exercise.is_right(
            act, answered=step.answered, typed=step.typed
        )
