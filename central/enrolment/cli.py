"""`borderpost-central enrol`: the authority's commands.

`enrol DEVICE OUT` alone enrols a device whose files are carried to it by hand; every other way is a
command of its own. None of them needs an extra, but the service.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from central.brokers.files import refresh_all
from central.enrolment.authority import Authority
from central.enrolment.certificates import Sort
from central.enrolment.enrolling import Enrolment
from central.enrolment.files import issue_server, issue_worker
from central.enrolment.trail import note_by_command, note_by_service
from central.moments import in_iso
from central.opening import DEFAULT_CONFIG
from central.settings import EnrolmentSettings, Settings, load
from scanner.alert.enrolment import MAX_MESSAGE, shown_fingerprint
from scanner.command_line import Failure, Refusal
from scanner.durable import replace_durably

BY_HAND = "device"


class ByHandUnlessNamed(TyperGroup):
    """A group whose first word is a command or, failing that, a device's name."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [BY_HAND, *args]
        return super().parse_args(ctx, args)


enrol_app = typer.Typer(
    cls=ByHandUnlessNamed,
    help="Enrols devices, and gives certificates: `enrol DEVICE OUT`, or one of these commands.",
)

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
KeysFolder = Annotated[
    Path | None, typer.Option("--keys", help="The folder of keys; else the configured one.")
]
Out = Annotated[Path, typer.Argument(help="The folder to write the files into.")]
Device = Annotated[str, typer.Argument(help="The device's name, which is its topic.")]
Again = Annotated[
    bool, typer.Option("--again", help="Also where it is enrolled: what it had ends.")
]
Hosts = Annotated[
    list[str] | None, typer.Option("--host", help="A name or an address that it is reached by.")
]


@enrol_app.command(BY_HAND)
def by_hand(
    device: Device, out: Out, keys: KeysFolder = None, config: Config = DEFAULT_CONFIG
) -> None:
    """Enrols a device whose files are carried to it by hand (also: enrol DEVICE OUT)."""
    authority = Authority(keys_folder(keys, config))
    authority.enrol(device, out)
    print(f"{device} is enrolled; carry {out} to it and leave no copy")
    note_by_command(keys, config, "device enrolled", device)
    if authority.was_revoked(device):
        _tell_brokers(authority, _settings(keys, config))


@enrol_app.command()
def token(
    device: Device,
    again: Again = False,
    hours: Annotated[
        float | None, typer.Option(min=0.01, max=24 * 30, help="How long it counts.")
    ] = None,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Prints a token that enrols a device, once: type it there at `borderpost enrol URL`."""
    lasting = hours if hours is not None else _settings(keys, config).token_hours
    print(_enrolment(keys, config).token(device, lasting, again=again))
    note_by_command(keys, config, "token issued", device)


@enrol_app.command()
def serve(config: Config = DEFAULT_CONFIG) -> None:
    """Serves devices that enrol or renew, until SIGTERM."""
    from central.enrolment.service import serve  # noqa: PLC0415  needs the extra `central`

    settings = load(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    folder = settings.keys.folder
    noted = partial(note_by_service, config)
    serve(settings.enrolment, Authority(folder), _own(folder), noted)


@enrol_app.command()
def sign(
    file: Annotated[Path, typer.Argument(help="The request that a device has written.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="The file for the answer; else FILE.answer.")
    ] = None,
    again: Again = False,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Answers a request that was carried here as a file, and enrols the device."""
    with file.open("rb") as opened:
        message = opened.read(MAX_MESSAGE + 1).strip()
    authority = Authority(keys_folder(keys, config))
    device, answer = _enrolment(keys, config).sign(message, again=again)
    target = out or file.with_name(f"{file.name}.answer")
    replace_durably(target, answer + b"\n", mode=0o644)
    print(f"{device} is enrolled; carry {target} to it")
    note_by_command(keys, config, "device enrolled", device)
    root = authority.certificates.root_pem().decode()
    print(f"the authority's fingerprint, which the device shows too: {shown_fingerprint(root)}")


@enrol_app.command()
def server(
    name: Annotated[str, typer.Argument(help="A name for the server, for lists.")],
    out: Out,
    host: Hosts = None,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Gives a broker, the console or another server its certificate, or a new one in its place."""
    if not host:
        raise Refusal("give --host, once for each name or address that the server is reached by")
    authority = _made(keys_folder(keys, config))
    issue_server(authority, name, host, out)
    print(f"{name} has a certificate in {out}, {_until(authority, Sort.SERVER, name)}")
    note_by_command(keys, config, "server certified", name)


@enrol_app.command()
def worker(
    name: Annotated[str, typer.Argument(help="A name for the worker: each has its own.")],
    out: Out,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Gives one of central's workers (a receiver) its certificate for the brokers."""
    authority = _made(keys_folder(keys, config))
    issue_worker(authority, name, out)
    print(f"{name} has a certificate in {out}, {_until(authority, Sort.WORKER, name)}")
    note_by_command(keys, config, "worker certified", name)
    settings = _settings(keys, config)
    _tell_brokers(authority, settings)
    if not settings.brokers:
        print(
            "no broker's folder is named under [enrolment] brokers: a broker lets it hear nothing "
            "until `borderpost-central broker config` has written its rules anew"
        )


@enrol_app.command("authority")
def make_authority(
    name: Annotated[str, typer.Option("--name", help="What its certificate calls it.")] = (
        "Borderpost"
    ),
    domain: Annotated[
        list[str] | None, typer.Option("--domain", help="Its servers' names are within these.")
    ] = None,
    network: Annotated[
        list[str] | None, typer.Option("--network", help="Their addresses are within these.")
    ] = None,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Makes the authority, held to some domains and networks; the first enrolment makes one that is
    held to none."""
    authority = Authority(keys_folder(keys, config))
    if not authority.certificates.make(name, domain or (), network or ()):
        raise Failure(f"{authority.certificates.root}: there is an authority already")
    authority.own.make()
    print(f"the authority is made; its certificate is {authority.certificates.root}")


@enrol_app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="The device; or, as --sort says, another name.")],
    sort: Annotated[Sort, typer.Option("--sort", help="What it is.")] = Sort.DEVICE,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Ends a device's enrolment: central believes nothing of it any longer, brokers refuse it."""
    authority = Authority(keys_folder(keys, config))
    if sort is Sort.DEVICE:
        ended = _enrolment(keys, config).withdraw(name)
    else:
        ended = authority.certificates.revoke(sort, name) > 0
        _tell_brokers(authority, _settings(keys, config))
    if not ended:
        raise Failure(f"{name}: there is nothing to end; see borderpost-central enrol list")
    print(f"{name} is enrolled no longer")
    note_by_command(keys, config, f"{sort} revoked", name)


@enrol_app.command("list")
def list_enrolled(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists who is enrolled, until when each certificate counts, and what was revoked."""
    rows = _rows(Authority(keys_folder(keys, config)), _enrolment(keys, config))
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        until = f" until {row['until']}" if row["until"] else ""
        print(f"{row['name']}: {row['sort']}, {row['state']}{until}")


def _rows(authority: Authority, enrolment: Enrolment) -> list[dict[str, Any]]:
    """One row a name: a device that is registered, whoever has a certificate, a token that waits,
    and what was revoked."""
    now = datetime.now(UTC).timestamp()
    rows = []
    for sort in Sort:
        until = authority.certificates.issued(sort)
        names = set(until) | (set(authority.devices()) if sort is Sort.DEVICE else set())
        for name in sorted(names):
            rows.append(_row(name, sort, _state(until.get(name), now), until.get(name)))
    rows += [
        _row(name, Sort.DEVICE, "a token waits", until)
        for name, until in enrolment.waiting().items()
    ]
    seen: dict[tuple[str, str], float] = {}
    for one in authority.certificates.revoked():
        seen[one.name, one.sort] = max(one.until, seen.get((one.name, one.sort), 0.0))
    return [*rows, *(_row(name, sort, "revoked", at) for (name, sort), at in seen.items())]


def _state(until: float | None, now: float) -> str:
    if until is None:
        return "enrolled without a certificate"
    return "enrolled" if until > now else "its certificate has ended"


def _row(name: str, sort: str, state: str, until: float | None) -> dict[str, Any]:
    said = in_iso(datetime.fromtimestamp(until, UTC)) if until is not None else None
    return {"name": name, "sort": str(sort), "state": state, "until": said}


def _tell_brokers(authority: Authority, settings: EnrolmentSettings) -> None:
    """Has the brokers on this machine follow, and says what is left to be done by hand."""
    for line in refresh_all(authority, settings.brokers):
        print(line)


def _until(authority: Authority, sort: Sort, name: str) -> str:
    ends = authority.certificates.issued(sort)[name]
    return f"until {in_iso(datetime.fromtimestamp(ends, UTC))}"


def keys_folder(keys: Path | None, config: Path) -> Path:
    """The folder of keys that was named, or the configured one."""
    return keys if keys is not None else load(config).keys.folder


def _settings(keys: Path | None, config: Path) -> EnrolmentSettings:
    """The settings; their defaults where the folder of keys was named and no file is there."""
    if keys is not None and not config.exists():
        return Settings().enrolment
    return load(config).enrolment


def _own(folder: Path) -> Path:
    return folder / "authority"


def _enrolment(keys: Path | None, config: Path) -> Enrolment:
    folder, settings = keys_folder(keys, config), _settings(keys, config)
    authority = Authority(folder)
    return Enrolment(
        authority, _own(folder), settings.grace, lambda: _tell_brokers(authority, settings)
    )


def _made(folder: Path) -> Authority:
    authority = Authority(folder)
    authority.make()
    return authority
