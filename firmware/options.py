"""The options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

DEFAULT_CONFIG = Path("/etc/borderpost/borderpost.toml")

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]
ListFolder = Annotated[
    Path | None, typer.Option("--lists", help="A folder of lists; else the configured ones.")
]
ListKeys = Annotated[
    Path | None,
    typer.Option("--list-keys", help="A folder of lists' keys; else the configured one."),
]
Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
