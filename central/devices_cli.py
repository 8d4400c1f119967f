"""`borderpost-central devices`: who is enrolled, and how each device is."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from central.enrolment.authority import Authority
from central.opening import DEFAULT_CONFIG, open_store
from central.receiving.show import device_line
from central.settings import Settings, load

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
ENDS_SOON = timedelta(days=10)
"""A device renews its certificate a month before its end; what is left less than this was not."""


def devices(
    as_json: AsJson = False,
    troubled: Annotated[
        bool,
        typer.Option("--troubled", help="Only those that are not well, and why; exit code 1 then."),
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the enrolled devices and how they are."""
    settings = load(config)
    if troubled:
        _tell_troubled(settings, config, as_json=as_json)
        return
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


def _tell_troubled(settings: Settings, config: Path, *, as_json: bool) -> None:
    from central.console.devices import known, view  # noqa: PLC0415  needs the extra `central`

    now = datetime.now(UTC)
    with open_store(config) as store, store.reading() as db:
        seen = {one.device: view(one, settings.console, now) for one in known(db)}
    enrolled = Authority(settings.keys.folder).devices()
    rows = [
        {"device": name, "where": _where(seen.get(name)), "troubles": list(troubles)}
        for name in enrolled
        if (troubles := list(_troubles(seen.get(name), now)))
    ]
    if as_json:
        print(json.dumps(rows))
    else:
        for row in rows:
            print(f"{row['device']}  {row['where']}  {'; '.join(row['troubles'])}")
        print(f"{len(enrolled) - len(rows)} of {len(enrolled)} devices are well")
    if rows:
        raise typer.Exit(1)


def _where(row: dict[str, Any] | None) -> str:
    if row is None:
        return "-"
    place = " / ".join(part for part in (row["site"], row["lane"]) if part)
    return f"{place or '-'}, ring {row['ring'] or '-'}"


def _troubles(row: dict[str, Any] | None, now: datetime) -> Iterator[str]:
    """What is not well with a device, as the console shows it."""
    if row is None:
        yield "never heard since it was enrolled"
        return
    if row["blind"]:
        yield row["why"]
    for first, last in row["missing"]:
        yield f"message {first} is missing" if first == last else f"{first} to {last} are missing"
    for fault in row["faults"]:
        yield f"{fault['part']}: {fault['message']}"
    until = row["certificate_until"]
    if until and datetime.fromisoformat(until) - now < ENDS_SOON:
        yield f"its certificate ends at {until}"
