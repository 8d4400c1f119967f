"""What a check found: a state, one line that says what was looked at, and what to do about it.

`skipped` is not `ok`: it stands for what could not be looked at, and its line says why. Nothing in
a finding is about a document or a person, and nothing in it is secret: it is printed, kept, shown
on the officer's page and sent to headquarters.
"""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, and will not for long, or not as well as it should."""
    FAIL = "fail"
    SKIPPED = "skipped"
    """Nothing was looked at; the line says why."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `check` is the name of the check that found it."""

    state: State
    line: str
    fix: str = ""
    check: str = ""

    def as_object(self) -> dict[str, str | None]:
        """The finding for other programs."""
        return {
            "check": self.check,
            "state": self.state.value,
            "line": self.line,
            "fix": self.fix or None,
        }


class CannotLook(Exception):
    """Raised by a check that has nothing to look at; the message says why."""


def ok(line: str) -> Finding:
    return Finding(State.OK, line)


def warn(line: str, fix: str) -> Finding:
    return Finding(State.WARN, line, fix)


def fail(line: str, fix: str) -> Finding:
    return Finding(State.FAIL, line, fix)


def skipped(why: str) -> Finding:
    return Finding(State.SKIPPED, why)


def of_message(state: State, message: str, otherwise: str) -> Finding:
    """A finding out of an error's one line, which commonly ends with what to do after a semicolon;
    `otherwise` is what to do where it does not."""
    what, semicolon, fix = message.rpartition("; ")
    return Finding(state, what, fix) if semicolon else Finding(state, message, otherwise)
