"""`borderpost demo`: the whole product on one machine."""

from typing import Annotated

import typer

from firmware.demo.show import DemoFailed, show
from scanner.command_line import Failure


def demo(
    once: Annotated[bool, typer.Option("--once", help="Once through, then a summary.")] = False,
) -> None:
    """Shows the whole product on this machine: specimens, mock lamps, a broker, headquarters."""
    try:
        complete = show(once=once)
    except DemoFailed as failure:
        raise Failure(str(failure)) from None
    if not complete:
        raise typer.Exit(1)
