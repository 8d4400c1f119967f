"""`borderpost enrol`: the device asks for its identity, over the network or by files."""

import sys
from getpass import getpass
from pathlib import Path
from typing import Annotated

import typer

from firmware.choice import settings_if_any
from firmware.identity.client import Service
from firmware.identity.enrolling import EnrolmentFailed, begin, complete, is_enrolled
from firmware.identity.identity import Identity
from firmware.identity.renewal import renew
from firmware.options import DEFAULT_CONFIG, Config
from firmware.settings import IdentitySettings
from scanner.alert import KeyFault
from scanner.alert.enrolment import MAX_MESSAGE, Answer, shown_fingerprint
from scanner.alert.enrolment_token import NoToken, Token, parse_token
from scanner.command_line import Failure, Refusal
from scanner.device_names import is_device_name
from scanner.durable import replace_durably


def enrol(
    url: Annotated[
        str | None, typer.Argument(help="The enrolment service, as https://enrol.example:8843.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="A file with the token; else you are asked.")
    ] = None,
    request: Annotated[
        Path | None,
        typer.Option("--request", help="Without a network: write the request to this file."),
    ] = None,
    accept: Annotated[
        Path | None,
        typer.Option("--accept", help="Without a network: take this file, the answer."),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also where the device is enrolled already.")
    ] = False,
    renews: Annotated[
        bool,
        typer.Option("--renew", help="New keys and a new certificate now, with the present ones."),
    ] = False,
    device: Annotated[
        str | None, typer.Option("--device", help="The device's name; else the configured one.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="The identity's folder; else as configured."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Makes the device's keys and has headquarters enrol them; the keys never leave the device."""
    if sum(way is not None for way in (url or (renews or None), request, accept)) != 1:
        raise Refusal("give one of URL, --request FILE, --accept FILE and --renew")
    name, place = _who(device, folder, config)
    try:
        if renews:
            renew_now(place, name, url, config)
            return
        if is_enrolled(place) and not again:
            raise Failure(f"{place}: the device is enrolled already; --again enrols it anew")
        if request is not None:
            write_request(place, name, request)
        elif accept is not None:
            accept_answer(place, name, accept)
        else:
            enrol_over_network(place, name, str(url), asked_token(token_file))
    except (EnrolmentFailed, KeyFault) as failure:
        raise Failure(str(failure)) from None


def renew_now(place: Path, name: str, url: str | None, config: Path) -> None:
    """Renews at `url`, where the configuration says, or where the device was enrolled. Raises
    EnrolmentFailed, KeyFault, OSError."""
    settings = settings_if_any(config)
    identity = Identity(place)
    renew(identity, name, url or (settings.identity.service if settings is not None else None))
    print(
        f"{name} has new keys; its certificate is good until {identity.certificate_until:%Y-%m-%d}"
        "; a desk that runs takes them up when it is started anew"
    )


def write_request(place: Path, name: str, file: Path) -> None:
    """Writes the request of the device `name` to a file. Raises KeyFault, OSError."""
    replace_durably(file, begin(place, name).request + b"\n", mode=0o644)
    print(f"carry {file} to headquarters (borderpost-central enrol sign), and the answer back")


def accept_answer(place: Path, name: str, file: Path) -> None:
    """Takes the answer in a file. Raises EnrolmentFailed, KeyFault, OSError."""
    with file.open("rb") as opened:
        answer = opened.read(4 * MAX_MESSAGE).strip()
    given = complete(place, begin(place, name), answer, token=None, service=None)
    _say(place, name, given)


def enrol_over_network(place: Path, name: str, url: str, token: Token) -> None:
    """Asks the service at `url` and takes its answer. Raises EnrolmentFailed, KeyFault."""
    service = Service(url)
    root = service.authority(token)
    pending = begin(place, name)
    answer = service.enrol(root, token, pending.request)
    _say(place, name, complete(place, pending, answer, token=token, service=url))


def _say(place: Path, name: str, given: Answer) -> None:
    until = Identity(place).certificate_until
    print(f"{name} is enrolled in {place}; its certificate is good until {until:%Y-%m-%d}")
    print(f"the authority's fingerprint: {shown_fingerprint(given.authority)}")


def asked_token(file: Path | None = None) -> Token:
    """The token: from a file, from whoever sits there, or from a pipe; never from the command line,
    where every other program can read it. Raises Failure."""
    if file is not None:
        text = file.read_text(errors="replace")
    elif sys.stdin is not None and sys.stdin.isatty():
        text = getpass("token: ")
    else:
        text = sys.stdin.readline() if sys.stdin is not None else ""
    try:
        return parse_token(text)
    except NoToken as fault:
        raise Failure(str(fault)) from None


def _who(device: str | None, folder: Path | None, config: Path) -> tuple[str, Path]:
    """The device's name and its identity's folder, as named or as configured."""
    settings = settings_if_any(config)
    name = device or (settings.device.name if settings is not None else None)
    if name is None:
        raise Refusal(f"{config}: there is no configuration; write it, or give --device")
    if not is_device_name(name):
        raise Refusal(f"a device cannot be called {name!r}")
    configured = settings.identity if settings is not None else IdentitySettings()
    return name, folder or configured.folder
