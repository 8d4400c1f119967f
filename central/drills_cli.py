"""`borderpost-central drill` and `drills`: asks a device for a drill, and lists what came of them.

Nothing of a drill is real, and no other command tells of any.
"""

import json
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import Annotated, Any

import typer

from central.enrolment.authority import Authority
from central.moments import in_iso
from central.opening import DEFAULT_CONFIG, open_store
from central.settings import load
from scanner.command_line import Failure, Refusal

_MINUTES_MOST = 24 * 60.0
_REASON_MOST = 200
_ENDS = {
    "officer": "ended at the desk",
    "time": "ended when its time was over",
    "cut": "cut short: the device was started anew",
}

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


def drill(
    device: Annotated[str, typer.Argument(help="The device.")],
    within: Annotated[
        float,
        typer.Option(min=0.1, max=_MINUTES_MOST, help="Minutes within which it has to hear of it."),
    ] = 15.0,
    reason: Annotated[str, typer.Option(help="Why; for the device's log.")] = "",
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Asks a device to begin a drill: training with specimens, of which nothing is real."""
    from central import drills as about  # noqa: PLC0415  needs the extra `central`
    from central.receiving.inflow import LinkDown  # noqa: PLC0415
    from scanner.alert import KeyFault  # noqa: PLC0415

    if len(reason) > _REASON_MOST or not reason.isprintable():
        raise Refusal(f"a reason is one line of at most {_REASON_MOST} characters")
    settings, now = load(config), datetime.now(UTC)
    if device not in Authority(settings.keys.folder).devices():
        raise Failure(f"no device {device} is enrolled; borderpost-central devices lists them")
    until = now + timedelta(minutes=within)
    try:
        with open_store(settings) as store:
            about.ask_for(
                settings, store, device, by=getuser(), reason=reason, now=now, until=until
            )
    except (LinkDown, KeyFault) as fault:
        raise Failure(f"{device} is not asked for a drill: {fault}") from None
    print(f"{device} is asked for a drill, if it hears of it before {in_iso(until)}")


def drills(
    device: Annotated[str | None, typer.Option(help="One device; else all.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the drills at the devices, and how those went that were kept."""
    from central import drills as about  # noqa: PLC0415  needs the extra `central`

    with open_store(config) as store, store.reading() as db:
        found = list(about.every(db, device))
    if as_json:
        print(json.dumps(found))
        return
    for one in found:
        print(_line(one))


def _line(one: dict[str, Any]) -> str:
    by = "asked for by central" if one["by_central"] else "started at the desk"
    ended = "under way" if one["end"] is None else f"{_ENDS[one['end']]}, {one['ended_at']}"
    parts = [one["began_at"], one["device"], "DRILL", by, ended]
    if one["steps"]:
        right = sum(step["right"] for step in one["steps"])
        who = one["officer"] or "somebody"
        parts.append(f"{who}: {right} of {len(one['steps'])} right")
    return "  ".join(parts)
