"""What set-up asks a technician at the terminal: a question a line, what is known already in
brackets, taken by Enter. An answer that could not be used is asked for again, with why."""

from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from firmware.settings import Device, IdentitySettings, UpdateSettings
from firmware.setup.answers import NONE, Answers, address
from scanner.command_line import Failure

_Value = TypeVar("_Value")


def ask(known: Answers) -> Answers:
    """The answers to every question; `known` is what they are so far. Raises Failure where nobody
    answers."""
    device = _asked("Name of this device, as headquarters knows it", known.device, _name)
    site = _asked("Site, as an alert shows it", known.site, _site)
    lane = _asked("Lane", known.lane, _lane)
    broker = _asked(
        f"MQTT broker, HOST or HOST:PORT, or {NONE}",
        f"{known.broker[0]}:{known.broker[1]}" if known.broker else NONE,
        _broker,
    )
    enrolment = _asked(
        f"Enrolment service, https://HOST:8843, or {NONE} (by files)",
        known.enrolment or (f"https://{broker[0]}:8843" if broker else NONE),
        _service,
    )
    lists = _asked(f"Where lists are published, a URL, or {NONE}", known.lists or NONE, _url)
    ring = _asked("Ring of this device", known.ring, _ring) if lists else known.ring
    return Answers(device, site, lane, ring, broker, enrolment, lists)


def _asked(question: str, known: str, use: Callable[[str], _Value]) -> _Value:
    while True:
        try:
            given = input(f"{question} [{known}]: ").strip() or known
        except EOFError:
            raise Failure("nobody answers; run it at a terminal, or with --unattended") from None
        try:
            return use(given)
        except ValidationError as error:
            print(f"  {error.errors()[0]['msg'].removeprefix('Value error, ')}")
        except ValueError as error:
            print(f"  {error}")


def _name(text: str) -> str:
    return Device(name=text, site="any").name


def _site(text: str) -> str:
    return Device(name="any", site=text).site


def _lane(text: str) -> str:
    return Device(name="any", site="any", lane=text).lane


def _broker(text: str) -> tuple[str, int] | None:
    return None if text == NONE else address(text)


def _service(text: str) -> str | None:
    return None if text == NONE else IdentitySettings(service=text).service


def _url(text: str) -> str | None:
    return None if text == NONE else UpdateSettings(url=text).url


def _ring(text: str) -> str:
    return UpdateSettings(ring=text).ring
