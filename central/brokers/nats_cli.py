"""`borderpost-central broker nats-users`: the users of a site's NATS cluster."""

from pathlib import Path
from typing import Annotated

import typer

from central.brokers.nats_users import users
from central.enrolment.authority import Authority
from central.enrolment.certificates import Sort
from central.enrolment.cli import Config, KeysFolder, keys_folder
from central.opening import DEFAULT_CONFIG
from scanner.command_line import Failure
from scanner.durable import replace_durably


def nats_users(
    out: Annotated[Path, typer.Argument(help="The file, such as users.conf.")],
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Writes who may connect to a NATS cluster and what each may say; again after each change."""
    authority = Authority(keys_folder(keys, config))
    workers = sorted(authority.certificates.issued(Sort.WORKER))
    devices = sorted(authority.devices())
    try:
        replace_durably(out, users(workers, devices).encode(), mode=0o644)
    except OSError as error:
        raise Failure(f"{error.filename or out}: {error.strerror}") from None
    print(
        f"written: {len(devices)} devices, {len(workers)} workers; have each server read it: "
        "nats-server --signal reload"
    )
