"""`borderpost doctor`: looks at the whole device, a line for each thing looked at, and what to do.

Exit code 1 where anything fails. What could not be looked at is said to be skipped, and why.
"""

import json
import logging
from collections.abc import Iterator
from typing import Annotated

import typer

from firmware.doctor.context import context_of
from firmware.doctor.course import examine
from firmware.doctor.finding import Finding, State
from firmware.doctor.speed import Measure, measures
from firmware.options import DEFAULT_CONFIG, AsJson, Config
from scanner.command_line import Refusal

_NAME, _STATE = 15, 8


def doctor(
    as_json: AsJson = False,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure reader, lists and outbox on this device.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Looks whether the device is well, and says what to do where it is not."""
    if config != DEFAULT_CONFIG and not config.exists():
        raise Refusal(f"{config}: there is no such file; name the configuration")
    # What the parts would log, the findings say.
    logging.getLogger().addHandler(logging.NullHandler())
    context = context_of(config)
    failed = False
    for one in measures(context) if speed else examine(context):
        failed = failed or (isinstance(one, Finding) and one.state is State.FAIL)
        for line in (json.dumps(one.as_object()),) if as_json else _lines(one):
            print(line, flush=True)
    if failed:
        raise typer.Exit(1)


def _lines(one: Finding | Measure) -> Iterator[str]:
    if isinstance(one, Measure):
        yield one.line
        return
    yield f"{one.state:<{_STATE}}{one.check:<{_NAME}}{one.line}"
    if one.fix:
        yield f"{'':<{_STATE}}{'to do:':<{_NAME}}{one.fix}"
