"""`borderpost-central broker`: a site's Mosquitto, or the users of its NATS cluster."""

from pathlib import Path
from typing import Annotated

import typer

from central.brokers import files as broker_files
from central.brokers.nats_cli import nats_users
from central.enrolment.authority import Authority
from central.enrolment.cli import Config, Hosts, KeysFolder, Out, keys_folder
from central.opening import DEFAULT_CONFIG
from scanner.command_line import Refusal

broker_app = typer.Typer(help="A site's Mosquitto, or the users of its NATS cluster.")
broker_app.command("nats-users")(nats_users)


@broker_app.callback()
def broker() -> None:
    """A site's Mosquitto, or the users of its NATS cluster."""


@broker_app.command("config")
def config_of(
    out: Out,
    host: Hosts = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where it listens.")] = 8883,
    bind: Annotated[
        str | None, typer.Option("--bind", help="The one address that it listens on; else all.")
    ] = None,
    at: Annotated[
        Path | None,
        typer.Option("--at", help="Where the folder will be on the broker's machine; else OUT."),
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Its name in lists; else the first host.")
    ] = None,
    log: Annotated[
        str, typer.Option("--log", help="Where it logs, as Mosquitto's log_dest.")
    ] = "stderr",
    keys: KeysFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Writes the whole configuration of a site's Mosquitto; again, it renews its certificate."""
    if not host:
        raise Refusal("give --host, once for each name or address that devices reach the broker by")
    authority = Authority(keys_folder(keys, config))
    broker_files.write(authority, out, host, port=port, bind=bind, at=at, name=name, log=log)
    conf = (at or out.resolve()) / "mosquitto.conf"
    print(f"written; start it with: mosquitto -c {conf}")
