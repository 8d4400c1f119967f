"""Who reads: the bearer's token, whether it counts, and whether it is for what was asked."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from central.store.store import Store
from central.systems import tokens
from central.systems.tokens import Scope, Token
from scanner.web.problem import Problem

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    description="A token that `borderpost-central tokens add` gave, for the scopes that are named.",
)
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="borderpost"'}


def no_token() -> Problem:
    """There is none that counts."""
    message = "send a token that counts, as Authorization: Bearer …"
    return Problem(401, "token", message, headers=_CHALLENGE)


def not_for_this(scope: Scope) -> Problem:
    """The token is for something else."""
    return Problem(403, "scope", f"the token is not for {scope.value}")


def token_of(store: Store, given: str | None, scope: Scope) -> Token:
    """The token given, where it counts and is for `scope`. Raises Problem and StoreFault."""
    now = datetime.now(UTC)
    with store.reading() as db:
        token = None if given is None else tokens.whose(db, given, now)
    if token is None:
        raise no_token()
    if scope not in token.scopes:
        raise not_for_this(scope)
    if tokens.is_to_be_noted(token, now):
        with store.changing(quietly=True) as tx:
            tokens.note_use(tx, token.name, now)
    return token


def reader(
    request: Request,
    scopes: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Token:
    """The token of a request, for the one scope that its route needs."""
    (scope,) = scopes.scopes
    given = None if credentials is None else credentials.credentials
    token = token_of(request.app.state.store, given, Scope(scope))
    _check_once(request)
    return token


def _check_once(request: Request) -> None:
    """That no parameter is there twice: which of them should count?"""
    names = [name for name, _ in request.query_params.multi_items()]
    if len(names) != len(set(names)):
        raise Problem(422, "field", "a parameter is given more than once")
