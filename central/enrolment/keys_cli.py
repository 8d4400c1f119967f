"""`borderpost-central keys`: the keys that everybody else relies on, and their change from one to
the next: central's signing key, the key that devices encrypt to, the authority's own.

Each change waits until all devices have followed, and says which have not. A device says in its
status which signing keys it holds; the other two come to it with its certificate, so whoever has
one from since then has them.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from central.brokers.files import refresh_all
from central.enrolment.authority import Authority
from central.enrolment.certificates import DEVICE_DAYS, Sort
from central.enrolment.cli import Config, KeysFolder, keys_folder
from central.enrolment.trail import note_by_command
from central.opening import DEFAULT_CONFIG, open_store
from central.settings import load
from scanner.command_line import Failure, Refusal

keys_app = typer.Typer(
    help="The keys that all rely on: rotates them, and says which devices follow."
)

_SHOWN = 5
_THEN_RENEW = (
    "renew every broker's, worker's and server's certificate now (broker config, enrol worker, "
    "enrol server) and restart them: what they hold of the authority is then up to date"
)


class Of(StrEnum):
    """Which key."""

    SIGNING = "signing"
    """What central signs with."""
    ENCRYPTION = "encryption"
    """What devices encrypt to."""
    AUTHORITY = "authority"
    """What certificates are signed with."""


OfKey = Annotated[Of, typer.Option("--of", help="Which key.")]
Without = Annotated[
    bool, typer.Option("--without-waiting", help="Also where devices have not followed yet.")
]


@keys_app.command()
def rotate(
    of: OfKey = Of.SIGNING, keys: KeysFolder = None, config: Config = DEFAULT_CONFIG
) -> None:
    """Makes the next key. The present one goes on counting."""
    authority = Authority(keys_folder(keys, config))
    if of is Of.SIGNING:
        made = authority.own.rotate()
        print(f"{made} is announced; see keys status, and then keys finish")
    elif of is Of.ENCRYPTION:
        made = authority.own.rotate_encryption()
        print(f"{made} is what a device encrypts to from its next renewal on; then keys forget")
    else:
        made = authority.certificates.announce()
        print(f"{made} is the next authority's fingerprint; see keys status, and then keys finish")
        _tell_brokers(authority, keys, config)
    note_by_command(keys, config, _act(of, "key announced"), made)


@keys_app.command()
def status(
    of: OfKey = Of.SIGNING,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says which key counts, which is announced, and which devices follow."""
    authority = Authority(load(config).keys.folder)
    present, announced = _standing(authority, of)
    held = _held(config) if of is Of.SIGNING else {}
    behind = set(_behind(authority, of, held))
    rows = [
        {"device": name, "holds": name not in behind, "heard": of is not Of.SIGNING or name in held}
        for name in authority.devices()
    ]
    if as_json:
        print(json.dumps({"signs": present, "announced": announced, "devices": rows}))
        return
    print(f"{'signs' if of is not Of.ENCRYPTION else 'encrypted to'}: {present}")
    print(f"announced: {announced or 'none'}")
    for row in rows:
        said = (
            "holds it" if row["holds"] else "does not hold it" if row["heard"] else "not heard yet"
        )
        print(f"{row['device']}: {said}")


@keys_app.command()
def finish(
    of: OfKey = Of.SIGNING,
    without: Without = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="Destroys the key before: devices that were away are enrolled anew."
        ),
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Signs with the announced key from now on, once every device holds it."""
    if of is Of.ENCRYPTION or (forget and of is Of.AUTHORITY):
        raise Refusal("end the key before with keys forget, once every device has renewed")
    authority = Authority(load(config).keys.folder)
    if not without and _announced(authority, of) is not None:
        _wait_for_all(authority, of, config)
    made = (
        authority.own.finish(forget=forget) if of is Of.SIGNING else authority.certificates.finish()
    )
    print(f"{made} signs from now on")
    if of is Of.AUTHORITY:
        _tell_brokers(authority, None, config)
    note_by_command(None, config, _act(of, "key changed"), made)


@keys_app.command()
def forget(
    of: OfKey = Of.SIGNING, without: Without = False, config: Config = DEFAULT_CONFIG
) -> None:
    """Destroys the key before, once no device needs it."""
    authority = Authority(load(config).keys.folder)
    if not without:
        _wait_for_all(authority, of, config)
    if of is Of.SIGNING:
        authority.own.forget_signing()
    elif of is Of.ENCRYPTION:
        authority.own.forget_encryption()
    else:
        authority.certificates.forget()
        _tell_brokers(authority, None, config)
    print("the key before is destroyed")
    note_by_command(None, config, _act(of, "key before destroyed"), "")


def _act(of: Of, what: str) -> str:
    """How the audit trail calls it: what is said of no other key is said of the signing key."""
    return what if of is Of.SIGNING else f"{of} {what}"


def _tell_brokers(authority: Authority, keys: Path | None, config: Path) -> None:
    brokers = load(config).enrolment.brokers if keys is None or config.exists() else ()
    for line in refresh_all(authority, brokers):
        print(line)
    print(_THEN_RENEW)


def _standing(authority: Authority, of: Of) -> tuple[str, str | None]:
    """The key of the moment, and the one that is announced, as people are shown them."""
    own, announced = authority.own, _announced(authority, of)
    if of is Of.SIGNING:
        return own.present().thumbprint(), announced
    if of is Of.ENCRYPTION:
        encryption = own.encryption()
        return encryption.thumbprint() if encryption else "none", announced
    return authority.certificates.roots.present().fingerprint, announced


def _announced(authority: Authority, of: Of) -> str | None:
    if of is Of.SIGNING:
        following = authority.own.following()
        return following.thumbprint() if following else None
    root = authority.certificates.roots.following() if of is Of.AUTHORITY else None
    return root.fingerprint if root else None


def _wait_for_all(authority: Authority, of: Of, config: Path) -> None:
    """Raises Failure where devices have not followed."""
    held = _held(config) if of is Of.SIGNING else {}
    if behind := list(_behind(authority, of, held)):
        shown = ", ".join(behind[:_SHOWN]) + (" …" if len(behind) > _SHOWN else "")
        raise Failure(
            f"{len(behind)} devices do not hold the announced key yet: {shown}; wait, or say "
            "--without-waiting: "
            + (
                "they are told when they come back"
                if of is Of.SIGNING
                else "they are then enrolled anew"
            )
        )


def _behind(authority: Authority, of: Of, held: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """The devices that do not hold what they are to hold now."""
    if of is Of.SIGNING:
        due = _announced(authority, of) or authority.own.present().thumbprint()
        yield from (name for name in authority.devices() if due not in held.get(name, ()))
        return
    since = _since(authority, of)
    until = authority.certificates.issued(Sort.DEVICE)
    for name in authority.devices():
        made = until.get(name, 0.0) - timedelta(days=DEVICE_DAYS).total_seconds()
        if since is not None and made < since.timestamp():
            yield name


def _since(authority: Authority, of: Of) -> datetime | None:
    """From when on a certificate that was issued came with what devices are to hold now."""
    if of is Of.ENCRYPTION:
        return authority.own.encryption_changed_at()
    roots = authority.certificates.roots
    following = roots.following()
    return following.since if following is not None else roots.changed_at()


def _held(config: Path) -> dict[str, tuple[str, ...]]:
    """The keys that each device has said to hold."""
    with open_store(config) as store:
        return {
            row["device"]: tuple((row["status"] or {}).get("central_keys", ()))
            for row in store.devices()
        }
