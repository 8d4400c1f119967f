"""What a drill leaves behind: a mark while it is under way, what was kept, what central hears.

The mark is on disk before the first specimen is shown and goes when the drill is over. A device
that starts and finds it was cut off in the middle of a drill: it is in ordinary mode, for nothing
else of a drill outlasts its process, and can say so.

Results stay at the device and go to central only where the trainee chose to keep them. A drill
never stands in the way of an alert: where central does not take what drills say, as one that is too
old to know them, only so much of it waits.
"""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firmware.database import DiskFault
from firmware.delivery.outbox import Outbox
from firmware.drill.course import Course
from firmware.record.journal import Journal, What
from scanner.alert import Action, DrillData, DrillEnd, DrillPhase, Message
from scanner.durable import replace_durably

log = logging.getLogger(__name__)

MOST_WAITING = 20
"""Messages of drills that may wait for central at a time; it takes a hundred of all at once."""
MARK = "drill.json"
KEPT = "drills"


class Marks:
    """The mark in the device's `folder`."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MARK

    def set(self, course: Course) -> None:
        """There is a drill under way. Raises OSError."""
        replace_durably(self._path, _data(course, DrillPhase.BEGAN).model_dump_json().encode())

    def clear(self) -> None:
        """It is over."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError as error:
            log.error("drill: %s cannot be removed: %s", self._path, error.strerror)

    def found(self) -> DrillData | None:
        """How the drill began that the last process was in the middle of, if it was in one."""
        try:
            return DrillData.model_validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError):
            log.warning("drill: %s cannot be read", self._path)
            self.clear()
            return None


class Record:
    """Says to the journal and to central what becomes of drills. A disk that refuses is logged; it
    ends no drill."""

    def __init__(self, journal: Journal, outbox: Outbox) -> None:
        self._journal = journal
        self._outbox = outbox

    def began(self, course: Course, by: str | None) -> None:
        """A drill has begun; `by` is the officer who started it."""
        self._note(What.DRILL_BEGUN, course.began_at, by, _starter(course.by_central))
        self._tell(_data(course, DrillPhase.BEGAN))

    def acted(self, alert: str, action: Action, officer: str | None, now: datetime) -> None:
        """The outcome of a drill's hit was given."""
        try:
            self._journal.referral(alert, action, now=now, officer=officer, drill=True)
        except DiskFault as fault:
            log.error("drill: the journal is not written: %s", fault)

    def over(self, course: Course) -> None:
        """It has ended."""
        if course.end is not None and course.ended_at is not None:
            self._note(What.DRILL_ENDED, course.ended_at, None, course.end)
            self._tell(_data(course, DrillPhase.ENDED))

    def kept(self, course: Course, officer: str | None) -> None:
        """The officer has chosen to keep how it went: central hears of its end once more."""
        self._tell(_with_results(course, officer))

    def cut(self, begun: DrillData, now: datetime) -> None:
        """A drill ended with the process that it ran in."""
        self._note(What.DRILL_ENDED, now, None, DrillEnd.CUT)
        ended = {"phase": DrillPhase.ENDED, "at": now, "end": DrillEnd.CUT}
        self._tell(begun.model_copy(update=ended))

    def _note(self, what: What, now: datetime, officer: str | None, outcome: str) -> None:
        try:
            self._journal.note(what, now=now, officer=officer, outcome=outcome, drill=True)
        except DiskFault as fault:
            log.error("drill: the journal is not written: %s", fault)

    def _tell(self, data: DrillData) -> None:
        try:
            if self._outbox.queued_of(Message.DRILL) >= MOST_WAITING:
                log.warning("drill: central is not told of this one: too many wait already")
                return
            self._outbox.put(Message.DRILL, data, data.at)
        except DiskFault as fault:
            log.error("drill: central is not told: %s", fault)


class Kept:
    """The results that trainees chose to keep, a file each in the device's `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / KEPT

    def keep(self, course: Course, officer: str | None) -> None:
        """Raises OSError."""
        self._folder.mkdir(exist_ok=True)
        whole = _with_results(course, officer)
        name = f"{course.began_at:%Y%m%dT%H%M%SZ}-{course.session[-6:]}.json"
        replace_durably(self._folder / name, whole.model_dump_json(indent=1).encode())

    def all(self) -> Iterator[dict[str, Any]]:
        """What was kept, oldest first. Raises OSError."""
        for path in self._files():
            yield DrillData.model_validate_json(path.read_bytes()).model_dump(mode="json")

    def purge(self, now: datetime, keep: timedelta) -> int:
        """Removes what is older than `keep`; how many drills that was. Raises OSError."""
        oldest = f"{now - keep:%Y%m%dT%H%M%SZ}"
        old = [path for path in self._files() if path.name < oldest]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []


def _starter(by_central: bool) -> str:
    return "central" if by_central else "officer"


def _data(course: Course, phase: DrillPhase) -> DrillData:
    ended = phase is DrillPhase.ENDED
    return DrillData(
        session=course.session,
        phase=phase,
        began_at=course.began_at,
        at=(course.ended_at if ended else None) or course.began_at,
        by_central=course.by_central,
        end=course.end if ended else None,
    )


def _with_results(course: Course, officer: str | None) -> DrillData:
    steps = tuple(step.told() for step in course.steps.values())
    return _data(course, DrillPhase.ENDED).model_copy(update={"officer": officer, "steps": steps})
