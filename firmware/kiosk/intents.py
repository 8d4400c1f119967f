"""What an officer asks of the desk: each intent with what it needs, who may ask it, what is done.

An intent is checked here and carried out by the desk, which decides and writes. Nothing that the
browser holds counts: who is signed in, which document is on the page and which referrals are open
is known to the daemon alone. They are answered in worker threads, since some of them write.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from firmware.delivery.outbox import OutboxFault
from firmware.drill import DrillRefused
from firmware.kiosk import entry
from firmware.kiosk.written import Json, Speech
from firmware.officers.roles import Right
from firmware.record.referrals import NotOpen
from scanner.alert import Action
from scanner.mrz.document import Kind
from scanner.mrz.states import name_of
from scanner.mrz.typed import LONGEST_NUMBER, MOST_LINES, Typed, check_typed
from scanner.said import said
from scanner.sources.capture import Capture
from scanner.web.asked import Asked
from scanner.web.problem import Problem, bad_field, forbidden

if TYPE_CHECKING:
    from firmware.kiosk.server import Kiosk

_LONGEST_LINE = 64
"""Somewhat more than any line has, so that what is too long can be said to be."""
_Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_Line = Annotated[str, StringConstraints(max_length=_LONGEST_LINE)]


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must be one line")
    return value


class TypedLines(Asked):
    """The lines of an MRZ, as far as they are typed."""

    lines: tuple[_Line, ...] = Field(min_length=1, max_length=MOST_LINES)


class TypedDocument(Asked):
    """A document that was typed: its lines, or its number, its State and what it is."""

    lines: tuple[_Line, ...] | None = Field(default=None, min_length=1, max_length=MOST_LINES)
    number: str | None = Field(default=None, min_length=1, max_length=2 * LONGEST_NUMBER)
    issuer: str | None = Field(default=None, min_length=1, max_length=3)
    kind: Kind | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> "TypedDocument":
        given = [part is not None for part in (self.number, self.issuer, self.kind)]
        if any(given) if self.lines is not None else not all(given):
            raise ValueError("takes the lines, or number, issuer and kind together")
        return self


class Correction(Asked):
    """One character put right, in the reading of the document on the page."""

    capture: _Id
    line: int = Field(ge=0, le=2)
    position: int = Field(ge=0, le=63)
    character: str = Field(min_length=1, max_length=1)


class Outcome(Asked):
    """What the officer did of a referral."""

    alert: _Id
    action: Action
    note: Annotated[str, AfterValidator(_printable)] = Field(default="", max_length=280)


class OnPage(Asked):
    """The document on the page."""

    capture: _Id


class OfAlert(Asked):
    """A referral, by its alert."""

    alert: _Id


class SignIn(Asked):
    """A name and a PIN, or a badge's number alone."""

    name: str = Field(default="", max_length=64)
    secret: str = Field(min_length=1, max_length=128)


class Blank(Asked):
    on: bool


class Nothing(Asked):
    """No fields."""


class DrillStep(Asked):
    """What to do with a drill."""

    do: Literal["start", "next", "set_aside", "end", "keep", "discard"]


@dataclass(frozen=True)
class Intent:
    """One thing to ask: the fields it takes, the right it needs, and whether it is open while the
    page shows nothing."""

    asked: type[Asked]
    act: "Callable[[Kiosk, Any, Speech], Json]"
    right: Right | None = None
    while_hidden: bool = False


def _check(kiosk: "Kiosk", asked: TypedLines, speech: Speech) -> Json:
    return _typed(check_typed(asked.lines, kiosk.today()), speech)


def _type(kiosk: "Kiosk", asked: TypedDocument, _speech: Speech) -> Json:
    if asked.lines is not None:
        _take(kiosk, entry.of_lines(asked.lines, kiosk.today()))
        return {}
    issuer = (asked.issuer or "").upper()
    if name_of(issuer) is None:
        raise bad_field("issuer", said("no State or organisation has this code"))
    try:
        capture = entry.of_number(issuer, asked.number or "", asked.kind or Kind.OTHER)
    except ValueError:
        raise bad_field("number", said("this is no document number")) from None
    _take(kiosk, capture)
    return {}


def _correct(kiosk: "Kiosk", asked: Correction, _speech: Speech) -> Json:
    shown = kiosk.display.seen.shown
    if shown is None or shown.capture_id != asked.capture:
        raise _stale()
    try:
        capture = entry.of_correction(
            shown.examination, asked.line, asked.position, asked.character, kiosk.today()
        )
    except ValueError:
        raise bad_field("position", said("there is no such character to correct")) from None
    _take(kiosk, capture)
    return {}


def _refer(kiosk: "Kiosk", asked: Outcome, _speech: Speech) -> Json:
    try:
        kiosk.desk.refer(asked.alert, asked.action, asked.note)
    except NotOpen:
        raise _not_open() from None
    except OutboxFault:
        told = said("the disk refuses the outcome; give it again, and tell central yourself")
        raise Problem(503, "disk", told) from None
    return {}


def _next(kiosk: "Kiosk", asked: OnPage, _speech: Speech) -> Json:
    shown = kiosk.display.seen.shown
    if not kiosk.display.dismiss(asked.capture):
        raise Problem(409, "open", said("say first what was done of this document"))
    if shown is not None and shown.drill and shown.capture_id == asked.capture:
        kiosk.drill.passed_on()
    return {}


def _look(kiosk: "Kiosk", asked: OfAlert, _speech: Speech) -> Json:
    if not kiosk.display.look_again(asked.alert):
        raise _not_open()
    return {}


def _seen(kiosk: "Kiosk", asked: OfAlert, _speech: Speech) -> Json:
    try:
        kiosk.referrals.seen(asked.alert)
    except NotOpen:
        raise _not_open() from None
    return {}


def _sign_in(kiosk: "Kiosk", asked: SignIn, _speech: Speech) -> Json:
    refused = kiosk.duty.sign_in(asked.name, asked.secret)
    if refused is not None:
        headers = {"retry-after": str(max(1, round(refused.wait_s + 0.5)))}
        status = 429 if refused.wait_s else 403
        raise Problem(status, refused.code.value, refused.message, headers=headers)
    return {}


def _sign_out(kiosk: "Kiosk", _asked: Nothing, _speech: Speech) -> Json:
    kiosk.duty.sign_out()
    return {}


def _blank(kiosk: "Kiosk", asked: Blank, _speech: Speech) -> Json:
    kiosk.display.blank(asked.on)
    return {}


def _drill(kiosk: "Kiosk", asked: DrillStep, _speech: Speech) -> Json:
    drill, duty = kiosk.drill, kiosk.duty
    if asked.do == "start" and not drill.may_start(duty.officer):
        raise forbidden()
    try:
        match asked.do:
            case "start":
                drill.start(duty.name)
            case "next":
                drill.next()
            case "set_aside":
                drill.set_aside()
            case "end":
                drill.end()
            case "keep" | "discard":
                drill.keep(asked.do == "keep", duty.name)
    except DrillRefused as refused:
        raise Problem(409, refused.code, refused.message) from None
    return {}


INTENTS: dict[str, Intent] = {
    "typed/check": Intent(TypedLines, _check, Right.CHECK),
    "typed": Intent(TypedDocument, _type, Right.CHECK),
    "correct": Intent(Correction, _correct, Right.CHECK),
    "referral": Intent(Outcome, _refer, Right.REFER),
    "next": Intent(OnPage, _next),
    "look": Intent(OfAlert, _look),
    "seen": Intent(OfAlert, _seen),
    "drill": Intent(DrillStep, _drill),
    "sign-in": Intent(SignIn, _sign_in, while_hidden=True),
    "sign-out": Intent(Nothing, _sign_out, while_hidden=True),
    "blank": Intent(Blank, _blank, while_hidden=True),
}
"""Everything that can be asked, by the last part of its address."""


def carry_out(kiosk: "Kiosk", intent: Intent, asked: Asked, speech: Speech) -> Json:
    """Does what is asked. Raises Problem where it is not done."""
    if kiosk.hidden and not intent.while_hidden:
        raise Problem(403, "hidden", said("the page is locked or blank"))
    if intent.right is not None and not kiosk.duty.may(intent.right):
        raise forbidden()
    kiosk.duty.active()
    return intent.act(kiosk, asked, speech)


def _take(kiosk: "Kiosk", capture: Capture) -> None:
    if not kiosk.desk.take(capture):
        raise Problem(503, "busy", said("the desk is busy; try again in a moment"))


def _stale() -> Problem:
    return Problem(409, "stale", said("another document is on the page by now"))


def _not_open() -> Problem:
    return Problem(409, "not_open", said("this referral is no longer open"))


def _typed(typed: Typed, speech: Speech) -> Json:
    return {
        "lines": [
            {
                "text": line.text,
                "length": len(line.text),
                "width": line.width,
                "problems": [
                    {"position": one.position, "message": speech.told(one.message)}
                    for one in line.problems
                ],
                "check_digits": [
                    {"position": one.position, "expected": one.expected, "got": one.got}
                    for one in line.check_digits
                ],
            }
            for line in typed.lines
        ],
        "format": typed.format.value if typed.format else None,
        "complete": typed.complete,
    }
