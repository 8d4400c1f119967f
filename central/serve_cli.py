"""`borderpost-central serve`: the console for operators, until SIGTERM."""

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from central.settings import load
from scanner.command_line import Failure

DEFAULT_CONFIG = Path("/etc/borderpost-central/central.toml")


def serve(
    config: Annotated[
        Path, typer.Option("--config", help="The configuration file.")
    ] = DEFAULT_CONFIG,
) -> None:
    """Serves the console: alerts, answers, devices, history, trends, audit."""
    from central.console.server import Console, listen, serving  # noqa: PLC0415  extra `central`
    from central.store import Store, StoreFault  # noqa: PLC0415  needs the extra `central`

    settings = load(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    listener = listen(settings.console)
    try:
        store = Store(settings.store.url)
        console = Console(store, settings.console)
    except StoreFault as fault:
        listener.close()
        raise Failure(str(fault)) from None
    scheme = "https" if console.secure else "http"
    print(f"the console is at {scheme}://{settings.console.host}:{settings.console.port}/")
    sys.stdout.flush()
    with serving(console, listener) as server:
        server.run(sockets=[listener])
    store.close()
