"""One request, as whoever answers it is given it: who asks, of which console, and with what."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request

from central.console.sessions import Who
from scanner.web.asked import Model, json_of, query_of
from scanner.web.problem import Problem, not_found

if TYPE_CHECKING:
    from central.console.server import Console


@dataclass(frozen=True)
class Visit:
    """A request that may be answered: host, origin, session and role have been checked."""

    console: "Console"
    request: Request
    body: bytes
    someone: Who | None
    now: datetime

    @property
    def who(self) -> Who:
        """Who asks. Only for routes that need somebody signed in."""
        if self.someone is None:
            raise Problem(401, "signed_out", "sign in first")
        return self.someone

    def path(self, name: str) -> str:
        """A part of the path. Raises Problem for one that nothing can be called by."""
        part = str(self.request.path_params[name])
        if "\0" in part or len(part) > 100:
            raise not_found()
        return part

    def query(self, model: type[Model]) -> Model:
        """The query's parameters. Raises Problem."""
        return query_of(self.request, model)

    def json(self, model: type[Model]) -> Model:
        """The body. Raises Problem."""
        return json_of(self.request, self.body, model)


Handler = Callable[[Visit], object]


def utc_now() -> datetime:
    """The server's clock, which is the page's as well."""
    return datetime.now(UTC)
