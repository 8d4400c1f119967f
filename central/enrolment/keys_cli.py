"""`borderpost-central keys`: central's signing key, and its change from one to the next."""

import json
from pathlib import Path
from typing import Annotated

import typer

from central.enrolment.authority import Authority
from central.enrolment.cli import Config, KeysFolder, keys_folder
from central.enrolment.own_keys import OwnKeys
from central.enrolment.trail import note_by_command
from central.opening import DEFAULT_CONFIG, open_store
from central.settings import load
from scanner.command_line import Failure

keys_app = typer.Typer(help="Central's signing key: rotates it, and says which devices follow.")


@keys_app.command()
def rotate(keys: KeysFolder = None, config: Config = DEFAULT_CONFIG) -> None:
    """Makes the next key and announces it to the devices, signed with the present one."""
    thumbprint = OwnKeys(keys_folder(keys, config)).rotate()
    print(f"{thumbprint} is announced; see keys status, and then keys finish")
    note_by_command(keys, config, "key announced", thumbprint)


@keys_app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says which key signs, which is announced, and which devices hold it."""
    settings = load(config)
    own = OwnKeys(settings.keys.folder)
    present, following = own.present().thumbprint(), own.following()
    due = following.thumbprint() if following is not None else present
    held = _held(config)
    rows = [
        {"device": name, "holds": due in of_device, "heard": name in held}
        for name in Authority(settings.keys.folder).devices()
        for of_device in [held.get(name, ())]
    ]
    announced = following.thumbprint() if following is not None else None
    if as_json:
        print(json.dumps({"signs": present, "announced": announced, "devices": rows}))
        return
    print(f"signs: {present}")
    print(f"announced: {announced or 'none'}")
    for row in rows:
        said = (
            "holds it" if row["holds"] else "does not hold it" if row["heard"] else "not heard yet"
        )
        print(f"{row['device']}: {said}")


@keys_app.command()
def finish(
    without: Annotated[
        bool, typer.Option("--without-waiting", help="Also where devices do not hold it yet.")
    ] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Destroys the key before: devices that were away are enrolled anew."
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Signs with the announced key from now on, once every device holds it."""
    folder = load(config).keys.folder
    own = OwnKeys(folder)
    following = own.following()
    if following is not None and not without:
        held = _held(config)
        behind = [
            name
            for name in Authority(folder).devices()
            if following.thumbprint() not in held.get(name, ())
        ]
        if behind:
            shown = ", ".join(behind[:5]) + (" …" if len(behind) > 5 else "")
            raise Failure(
                f"{len(behind)} devices do not hold the announced key yet: {shown}; wait, or "
                "say --without-waiting: they are told when they come back"
            )
    thumbprint = own.finish(forget=forget)
    print(f"{thumbprint} signs from now on")
    note_by_command(None, config, "key changed", thumbprint)


def _held(config: Path) -> dict[str, tuple[str, ...]]:
    """The keys that each device has said to hold."""
    with open_store(config) as store:
        return {
            row["device"]: tuple((row["status"] or {}).get("central_keys", ()))
            for row in store.devices()
        }
