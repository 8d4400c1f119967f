"""One request, as whoever answers it is given it: who asks, of which console, and with what."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from central.console.problem import Problem, bad_field, not_found
from central.console.sessions import Who

if TYPE_CHECKING:
    from central.console.server import Console

Model = TypeVar("Model", bound=BaseModel)


class Asked(BaseModel):
    """What every request's model shares: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


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
        given = self.request.query_params
        for name in given:
            if len(given.getlist(name)) > 1:
                raise bad_field(_field((name,), model), "is given more than once")
        return _checked(model, {name: value for name, value in given.items() if value != ""})

    def json(self, model: type[Model]) -> Model:
        """The body. Raises Problem."""
        kind = self.request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "media_type", "the body must be application/json")
        try:
            given = json.loads(self.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise Problem(400, "json", "the body is not JSON") from None
        return _checked(model, given)


Handler = Callable[[Visit], object]


def utc_now() -> datetime:
    """The server's clock, which is the page's as well."""
    return datetime.now(UTC)


def _refuse_constant(_name: str) -> float:
    raise ValueError("not JSON")


def _checked(model: type[Model], given: object) -> Model:
    try:
        return model.model_validate(given)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        message = str(first["msg"]).removeprefix("Value error, ")
        raise bad_field(_field(first["loc"], model), message) from None


def _field(loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """The field's name, where it is one of ours: what a stranger made up is not said again."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    name = str(loc[0]) if loc else ""
    return name if name in known else "unknown field"
