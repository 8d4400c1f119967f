"""What the officer's page shows of a drill, as data.

Every text is a sentence that the page can say in the officer's language.
"""

from dataclasses import dataclass

from firmware.drill.course import Course, Step
from firmware.drill.programme import Act
from scanner.alert import DrillEnd
from scanner.said import Said, said

_ACTS: dict[Act, Said] = {
    Act.LET_PASS: said("let pass"),
    Act.SET_ASIDE: said("set aside"),
    Act.REFERRED: said("referred"),
    Act.DOCUMENT_HELD: said("document held"),
    Act.HANDED_OVER: said("handed over"),
    Act.RELEASED: said("released"),
    Act.OTHER: said("other"),
}
_ENDS: dict[DrillEnd, Said] = {
    DrillEnd.OFFICER: said("The drill was ended."),
    DrillEnd.TIME: said("The drill ended because its time was over."),
    DrillEnd.CUT: said("The drill was cut short."),
}


@dataclass(frozen=True)
class ResultLine:
    """How one exercise went."""

    word: Said
    told: Said
    right: bool
    seconds: float | None


@dataclass(frozen=True)
class Results:
    """How the drill went."""

    right: int
    wrong: int
    why: Said
    lines: tuple[ResultLine, ...]


@dataclass(frozen=True)
class DrillView:
    """What the page shows: always the banner while `running`, and the results once it ended."""

    running: bool
    step: int
    of: int
    task: Said
    printed: tuple[str, ...]
    """What the specimen prints, where it has to be typed."""
    ends_at: str
    may: tuple[str, ...]
    real: Said
    """What stands beside a document that is no specimen."""
    results: Results | None


def view_of(course: Course) -> DrillView:
    """The drill as it stands."""
    done, of = len(course.steps), len(course.exercises)
    typing = course.step if course.waits_for_typing() else None
    return DrillView(
        running=course.running,
        step=done,
        of=of,
        task=_task(course),
        printed=typing.exercise.specimen.lines if typing else (),
        ends_at=course.ends_at.isoformat(timespec="seconds"),
        may=_may(course),
        real=said("REAL DOCUMENT: it was checked against the lists in force."),
        results=None if course.running else _results(course),
    )


def _task(course: Course) -> Said:
    step, of = len(course.steps), len(course.exercises)
    if not course.running:
        return said("Drill over. This desk checks documents as always.")
    if course.current is None:
        return said("Drill. Show the first specimen.")
    if course.waits_for_typing():
        return said(
            "Specimen {step} of {of}: it cannot be read. Type the lines that it prints.",
            step=step,
            of=of,
        )
    if course.step is not None and course.step.hit_is_open:
        return said(
            "Specimen {step} of {of}: give the outcome of the referral, as you would.",
            step=step,
            of=of,
        )
    if course.following is None and course.step is not None and course.step.act is not None:
        return said("That was the last specimen. End the drill to see how it went.")
    return said("Specimen {step} of {of}: do with it as you would.", step=step, of=of)


def _may(course: Course) -> tuple[str, ...]:
    if not course.running:
        return ("keep", "discard")
    if course.open_alerts:
        return ("end",)
    step = course.step
    aside = ("set_aside",) if step is not None and step.act is None else ()
    following = ("next",) if course.following is not None or aside else ()
    return (*following, *aside, "end")


def _results(course: Course) -> Results:
    steps = course.steps.values()
    right = course.right
    lines = tuple(map(_line, steps))
    return Results(right, len(lines) - right, _ENDS[course.end or DrillEnd.CUT], lines)


def _line(step: Step) -> ResultLine:
    took_s = step.took_s
    expected = step.exercise.expected
    if step.act is None or took_s is None:
        told = said("Nothing was done. {expected}", expected=expected)
    else:
        told = said(
            "Done after {seconds} s: {act}. {expected}",
            seconds=round(took_s),
            act=_ACTS[step.act],
            expected=expected,
        )
    return ResultLine(
        step.exercise.title, told, step.right, None if took_s is None else round(took_s, 1)
    )
