"""`borderpost officers`: who may sign in at this desk.

A PIN or a badge's number is typed, or comes on standard input where that is no terminal; never as
an argument, which everybody on the machine can read. Each change stands in the journal.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from firmware.officers.roles import Role
from firmware.options import DEFAULT_CONFIG, Config
from firmware.record.journal import Journal, What
from firmware.settings import load
from scanner.command_line import Failure, asked_secret

if TYPE_CHECKING:  # hashing needs the extra `device`
    from firmware.officers.officers import Officers

officers_app = typer.Typer(help="The desk's officers: adds, removes, lists them.")

Name = Annotated[str, typer.Argument(help="The officer's name or number, as typed at the desk.")]
Badge = Annotated[
    bool, typer.Option("--badge", help="With a badge's number, in the place of a PIN.")
]


@officers_app.command("add")
def add(
    name: Name,
    role: Annotated[
        Role, typer.Option("--role", help="What the officer is there for.")
    ] = Role.OFFICER,
    badge: Badge = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Adds an officer; the PIN is asked for, or read from standard input."""
    secret = asked_secret(_asks(name, badge))
    with _changing(config, What.OFFICER_ADDED, name, role.value) as officers:
        officers.add(name, role, **_as(secret, badge))
    print(f"{name} may sign in as {role.value}")


@officers_app.command("set-pin")
def set_pin(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Gives an officer a new PIN."""
    _give(config, name, badge=False)
    print(f"{name} has a new PIN")


@officers_app.command("set-badge")
def set_badge(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Gives an officer another badge."""
    _give(config, name, badge=True)
    print(f"{name} has another badge")


@officers_app.command("remove")
def remove(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Lets an officer sign in no longer; who is signed in is signed out."""
    with _changing(config, What.OFFICER_REMOVED, name, "") as officers:
        officers.remove(name)
    print(f"{name} may sign in no longer")


@officers_app.command("list")
def list_officers(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the officers, their roles and what they sign in with."""
    from firmware.officers.officers import Officers, OfficersUnusable  # noqa: PLC0415  needs `device`

    try:
        every = Officers(load(config).officers.file).every()
    except OfficersUnusable as unusable:
        raise Failure(str(unusable)) from None
    told = [
        {
            "name": one.name,
            "role": one.role.value,
            "pin": one.pin is not None,
            "badge": one.badge is not None,
        }
        for one in every
    ]
    if as_json:
        print(json.dumps(told))
        return
    for officer in told:
        means = [word for word in ("pin", "badge") if officer[word]]
        print("  ".join((str(officer["name"]), str(officer["role"]), " and ".join(means))))


def _give(config: Config, name: str, *, badge: bool) -> None:
    secret = asked_secret(_asks(name, badge))
    with _changing(config, What.OFFICER_CHANGED, name, "badge" if badge else "pin") as officers:
        officers.give(name, **_as(secret, badge))


@contextmanager
def _changing(config: Config, what: What, name: str, outcome: str) -> Iterator["Officers"]:
    """A change of the officers, and then its row in the journal."""
    from firmware.officers.officers import (  # noqa: PLC0415  needs the extra `device`
        OfficerRefused,
        Officers,
        OfficersUnusable,
    )

    settings = load(config)
    journal = Journal(settings.device.data / "journal.db", settings.device.name)
    try:
        journal.head()  # what cannot be recorded is not done
        yield Officers(settings.officers.file)
        journal.note(what, now=datetime.now(UTC), officer=name, outcome=outcome)
    except (OfficerRefused, OfficersUnusable) as refused:
        raise Failure(str(refused)) from None
    finally:
        journal.close()


def _asks(name: str, badge: bool) -> str:
    return f"Number of {name}'s badge" if badge else f"New PIN for {name}"


def _as(secret: str, badge: bool) -> dict[str, str]:
    return {"badge" if badge else "pin": secret}
