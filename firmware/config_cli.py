"""`borderpost config`: the device's configuration, before anything starts with it."""

from pathlib import Path
from typing import Annotated

import typer

from firmware.options import DEFAULT_CONFIG
from firmware.settings import load

config_app = typer.Typer(help="The device's configuration.")


@config_app.command("check")
def config_check(
    file: Annotated[Path, typer.Argument(help="The configuration file.")] = DEFAULT_CONFIG,
) -> None:
    """Reports every error of a configuration file at once."""
    load(file)
    typer.echo(f"{file}: in order")
