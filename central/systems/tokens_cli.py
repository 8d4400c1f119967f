"""`borderpost-central tokens`: what other systems read with."""

import json
from datetime import UTC, datetime, timedelta
from getpass import getuser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from central.moments import in_iso
from central.opening import DEFAULT_CONFIG, open_store
from scanner.command_line import Failure, Refusal

if TYPE_CHECKING:  # the store needs the extra `central`
    from central.systems.tokens import Token

SCOPES = ("alerts", "devices", "metrics")
_DAYS_MOST = 3660

tokens_app = typer.Typer(help="The tokens that other systems read with: adds, lists, revokes.")

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


@tokens_app.command("add")
def tokens_add(
    name: Annotated[str, typer.Argument(help="Which system it is for.")],
    scope: Annotated[
        list[str],
        typer.Option(help="What it may read, once for each: alerts, devices or metrics."),
    ],
    days: Annotated[
        int | None, typer.Option(min=1, max=_DAYS_MOST, help="For how long; else until revoked.")
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Makes a token and shows it, this once."""
    from central import audit  # noqa: PLC0415  needs the extra `central`
    from central.systems import tokens  # noqa: PLC0415  needs the extra `central`

    scopes = _scopes(scope)
    now = datetime.now(UTC)
    until = None if days is None else now + timedelta(days=days)
    detail = {"scopes": scopes, "until": None if until is None else in_iso(until)}
    with open_store(config) as store:
        try:
            with store.changing() as tx:
                token = tokens.add_token(tx, name, map(tokens.Scope, scopes), until, now)
                audit.record(tx, getuser(), "command line", "token added", name, detail, now)
        except tokens.TokenRefused as refused:
            raise Failure(str(refused)) from None
    print(token)


@tokens_app.command("list")
def tokens_list(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Lists the tokens by name, those too that count no longer; none is shown itself."""
    from central.systems import tokens  # noqa: PLC0415  needs the extra `central`

    with open_store(config) as store, store.reading() as db:
        every = tokens.every_token(db)
    if as_json:
        print(json.dumps([_object(token) for token in every]))
        return
    for token in every:
        parts = {name: value for name, value in _object(token).items() if value}
        scopes = " ".join(parts.pop("scopes"))
        told = [f"{key.removesuffix('_at')} {at}" for key, at in parts.items() if key != "name"]
        print("  ".join([token.name, scopes, *told]))


@tokens_app.command("revoke")
def tokens_revoke(
    name: Annotated[str, typer.Argument(help="Which.")], config: Config = DEFAULT_CONFIG
) -> None:
    """Ends a token at once."""
    from central import audit  # noqa: PLC0415  needs the extra `central`
    from central.systems import tokens  # noqa: PLC0415  needs the extra `central`

    now = datetime.now(UTC)
    with open_store(config) as store:
        try:
            with store.changing() as tx:
                tokens.revoke(tx, name, now)
                audit.record(tx, getuser(), "command line", "token revoked", name, {}, now)
        except tokens.TokenRefused as refused:
            raise Failure(str(refused)) from None
    print(f"{name} is revoked")


def _scopes(given: list[str]) -> list[str]:
    for scope in given:
        if scope not in SCOPES:
            raise Refusal(f"a token is for {', '.join(SCOPES)}, and not for {scope}")
    return sorted(set(given))


def _object(token: "Token") -> dict[str, Any]:
    def moment(at: datetime | None) -> str | None:
        return None if at is None else in_iso(at)

    return {
        "name": token.name,
        "scopes": sorted(token.scopes),
        "created_at": moment(token.created_at),
        "expires_at": moment(token.expires_at),
        "used_at": moment(token.used_at),
        "revoked_at": moment(token.revoked_at),
    }
