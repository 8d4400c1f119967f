"""`borderpost-central users`: who may sign in to the console.

A password is typed, or comes on standard input where that is no terminal; never as an argument,
which everybody on the machine can read. Each change stands in the audit trail.
"""

import getpass
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from central.console.roles import Role
from central.moments import in_iso
from central.opening import DEFAULT_CONFIG, open_store
from scanner.command_line import Failure, asked_secret

if TYPE_CHECKING:  # the store needs the extra `central`
    import sqlalchemy as sa

users_app = typer.Typer(help="The console's users: adds, lists, disables them.")

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
Name = Annotated[str, typer.Argument(help="The user's name.")]
Chosen = Annotated[Role, typer.Option("--role", help="What the user is there for.")]


@users_app.command("add")
def add(name: Name, role: Chosen, config: Config = DEFAULT_CONFIG) -> None:
    """Adds a user; the password is asked for, or read from standard input."""
    from central import users  # noqa: PLC0415  needs the extra `central`

    password = asked_secret(f"New password for {name}")
    with _changing(config, "added a user", name, {"role": role.value}) as tx:
        users.add_user(tx, name, role, password, datetime.now(UTC))
    print(f"{name} may sign in as {role.value}")


@users_app.command("list")
def list_users(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the users and their roles."""
    from central import users  # noqa: PLC0415  needs the extra `central`

    with open_store(config) as store, store.reading() as db:
        every = users.every_user(db)
    now = datetime.now(UTC)
    told = [
        {
            "name": user.name,
            "role": user.role.value,
            "since": in_iso(user.created_at),
            "disabled": user.disabled_at is not None,
            "locked": user.locked_until is not None and user.locked_until > now,
        }
        for user in every
    ]
    if as_json:
        print(json.dumps(told))
        return
    for user in told:
        marks = [mark for mark in ("disabled", "locked") if user[mark]]
        print("  ".join([str(user["name"]), str(user["role"]), str(user["since"]), *marks]))


@users_app.command("password")
def password(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Gives a user a new password, and signs the user out everywhere."""
    from central import users  # noqa: PLC0415  needs the extra `central`

    typed = asked_secret(f"New password for {name}")
    with _changing(config, "changed a password", name, {}) as tx:
        users.set_password(tx, name, typed, datetime.now(UTC))
    print(f"{name} has a new password and is signed out everywhere")


@users_app.command("role")
def role(
    name: Name,
    role: Annotated[Role, typer.Argument(help="What the user is there for.")],
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Gives a user another role, and signs the user out everywhere."""
    from central import users  # noqa: PLC0415  needs the extra `central`

    with _changing(config, "changed a role", name, {"role": role.value}) as tx:
        users.set_role(tx, name, role, datetime.now(UTC))
    print(f"{name} is {role.value} and is signed out everywhere")


@users_app.command("disable")
def disable(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Lets a user sign in no longer, and signs the user out everywhere."""
    from central import users  # noqa: PLC0415  needs the extra `central`

    with _changing(config, "disabled a user", name, {}) as tx:
        users.disable(tx, name, datetime.now(UTC))
    print(f"{name} may sign in no longer")


@users_app.command("enable")
def enable(name: Name, config: Config = DEFAULT_CONFIG) -> None:
    """Lets a disabled or locked user sign in again."""
    from central import users  # noqa: PLC0415  needs the extra `central`

    with _changing(config, "enabled a user", name, {}) as tx:
        users.enable(tx, name, datetime.now(UTC))
    print(f"{name} may sign in again")


@contextmanager
def _changing(
    config: Path, action: str, name: str, detail: dict[str, Any]
) -> Iterator["sa.Connection"]:
    """A change to a user together with its row in the audit trail."""
    from central import audit  # noqa: PLC0415  needs the extra `central`
    from central.users import UserRefused  # noqa: PLC0415

    with open_store(config) as store:
        try:
            with store.changing() as tx:
                yield tx
                audit.record(tx, _who(), "command", action, name, detail, datetime.now(UTC))
        except UserRefused as refused:
            raise Failure(str(refused)) from None


def _who() -> str:
    """Whoever is at the machine."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())
