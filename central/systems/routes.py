"""What the console's server answers to other systems, beside the console's own routes.

Each of these asks for a token of its own; none knows of sessions.
"""

import ipaddress
from collections.abc import Callable
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from central.api.app import PREFIX, api_app, release
from central.api.reader import token_of
from central.settings import ConsoleSettings
from central.store.store import Store, StoreFault
from central.systems.metrics import Load, StoreCollector, exposition
from central.systems.tokens import Scope
from scanner.web.problem import Problem


def ways(store: Store, settings: ConsoleSettings, load: Load) -> list[BaseRoute]:
    """The ways in for other systems. `load` is of the console's open pages."""
    return [
        Mount(PREFIX, app=api_app(store, settings)),
        Route("/metrics", _metrics(store, settings, load), methods=["GET"]),
    ]


def _metrics(store: Store, settings: ConsoleSettings, load: Load) -> Callable[[Request], Response]:
    def metrics(request: Request) -> Response:
        try:
            if not (settings.metrics_open_to_loopback and _is_from_here(request)):
                token_of(store, _bearer(request), Scope.METRICS)
            collector = StoreCollector(store, settings, load, release(), datetime.now(UTC))
            text, form = exposition(collector, request.headers.get("accept", ""))
        except Problem as problem:
            return problem.response()
        except StoreFault:
            away = Problem(503, "store", "the store does not answer; ask again later")
            return away.response()
        return Response(text, headers={"content-type": form})

    return metrics


def _bearer(request: Request) -> str | None:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else None


def _is_from_here(request: Request) -> bool:
    """Whether the one who asks is on this machine."""
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
