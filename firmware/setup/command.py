"""Makes a desk of a device, at a terminal or from a file on the boot partition."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from firmware.identity.cli import asked_token
from firmware.options import DEFAULT_CONFIG, Config
from firmware.settings import load
from firmware.setup.answers import (
    Answers,
    AnswersFile,
    already,
    forget_token,
    read,
    this_machine,
)
from firmware.setup.configuration import is_new
from firmware.setup.course import Course, Where
from firmware.setup.detect import Machine, look
from firmware.setup.questions import ask
from scanner.alert.enrolment_token import NoToken, Token, parse_token
from scanner.command_line import Failure, Refusal
from scanner.toml_errors import SettingsError

FILE, DONE = Path("boot/firmware/borderpost-setup.toml"), "borderpost-setup.done.toml"
EMPTY = Answers(device="", site="", lane="1", ring="all", broker=None, enrolment=None, lists=None)


def setup(
    unattended: Annotated[
        bool,
        typer.Option(
            "--unattended", help="Ask nothing: take /boot/firmware/borderpost-setup.toml."
        ),
    ] = False,
    given: Annotated[
        Path | None,
        typer.Option(
            "--from", help="The folder of files from headquarters; else /boot/firmware/borderpost."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Makes a desk of this device: asks what it cannot see, configures, enrols, fetches lists."""
    set_up(Where(config=config, given=given), unattended=unattended)


def set_up(where: Where, *, unattended: bool, pi_camera: str = "rpicam-vid") -> None:
    """Sets the machine up that `where` names; ends with exit code 1 where something is left to be
    done. Raises Refusal, Failure, SettingsError, OSError."""
    _must_last(where)
    known = _known(where)
    machine = look(where.kernel, pi_camera)
    _tell(machine)
    file = where.kernel.root / FILE
    if unattended:
        course = _from_file(where, machine, file)
    else:
        course = Course(where, ask(known), machine, token=asked_token)
    left = course.go()
    for one in left:
        print(f"still to do: {one}")
    if left:
        print("run borderpost setup again for it: what is done stays done")
        raise typer.Exit(1)
    if unattended:
        file.replace(file.with_name(DONE))
    print("this is a desk now")


def _must_last(where: Where) -> None:
    """Raises Refusal where the configuration cannot be written, or would be gone at the next boot:
    secrets that are sealed would then be lost, and what they seal."""
    folder = where.config.parent
    mount = where.kernel.mount_of(folder)
    if mount is not None and (mount.read_only or where.kernel.in_memory(mount)):
        how = "is read-only" if mount.read_only else "is in memory, and gone at the next boot"
        raise Refusal(f"{folder} {how}; make the root a writable one, then run it again")
    if not os.access(folder, os.W_OK):
        raise Refusal(f"{folder} cannot be written; run it as root, as in: sudo borderpost setup")


def _known(where: Where) -> Answers:
    """What is answered already by the configuration."""
    if is_new(where.config, where.default):
        return replace(EMPTY, device=this_machine())
    try:
        return already(load(where.config))
    except SettingsError as error:
        raise Refusal(f"{error.problems[0]}; mend {where.config}, or remove it") from None


def _from_file(where: Where, machine: Machine, file: Path) -> Course:
    told = read(file)
    try:
        answers = told.answers()
    except ValueError as error:
        raise Refusal(f"{file}: {_first(error)}") from None
    return Course(
        where, answers, machine, token=lambda: _token(told, file), spent=lambda: forget_token(file)
    )


def _token(told: AnswersFile, file: Path) -> Token:
    try:
        return parse_token(told.token)
    except NoToken as fault:
        raise Failure(f"{file}: token: {fault}") from None


def _first(error: ValueError) -> str:
    """One line of what pydantic says, without what was given."""
    errors = getattr(error, "errors", None)
    return str(errors()[0]["msg"]).removeprefix("Value error, ") if errors else str(error)


def _tell(machine: Machine) -> None:
    for found in machine.devices:
        print(f"here is: {found}")
    print(f"pins for lamps: {'here' if machine.header else 'none'}")
    print(f"screen: {'plugged in' if machine.screen else 'none'}", flush=True)
