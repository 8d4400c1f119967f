"""`borderpost-central devices`: who is enrolled, and how each device is."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from central.enrolment.authority import Authority
from central.opening import DEFAULT_CONFIG, open_store
from central.receiving.show import device_line
from central.settings import load

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]


def devices(as_json: AsJson = False, config: Config = DEFAULT_CONFIG) -> None:
    """Lists the enrolled devices and how they are."""
    settings = load(config)
    with open_store(settings) as store:
        known = {row["device"]: row for row in store.devices()}
    nothing: dict[str, Any] = {
        "online": None,
        "heard_at": None,
        "status_at": None,
        "status": None,
        "missing": [],
    }
    enrolled = Authority(settings.keys.folder).devices()
    rows = [known.get(name, {"device": name, **nothing}) for name in enrolled]
    if as_json:
        print(json.dumps(rows))
        return
    for row in rows:
        print(device_line(row))
