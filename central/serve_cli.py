"""`borderpost-central serve`: the console for operators, until SIGTERM."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from central.opening import DEFAULT_CONFIG, open_store
from central.settings import load


def serve(
    config: Annotated[
        Path, typer.Option("--config", help="The configuration file.")
    ] = DEFAULT_CONFIG,
) -> None:
    """Serves the console: alerts, answers, devices, history, trends, audit."""
    from central.console.server import Console, listen, serving  # noqa: PLC0415  extra `central`

    settings = load(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with open_store(settings) as store, listen(settings.console) as listener:
        console = Console(store, settings.console)
        scheme = "https" if console.secure else "http"
        where = f"{scheme}://{settings.console.host}:{settings.console.port}/"
        print(f"the console is at {where}", flush=True)
        with serving(console, listener) as server:
            server.run(sockets=[listener])
