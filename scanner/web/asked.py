"""What a request asks, checked before anybody acts on it: its body bounded, its JSON strict, its
fields known and typed. Whatever does not fit is a Problem that repeats nothing of what came."""

import json
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import ClientDisconnect, Request

from scanner.web.problem import Problem, bad_field, not_found

Model = TypeVar("Model", bound=BaseModel)


class Asked(BaseModel):
    """What every request's model shares: nothing unknown is taken."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def whole_body(request: Request, most: int) -> bytes:
    """The whole body, if it has no more than `most` bytes. Raises Problem."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise Problem(413, "too_large", f"a request has at most {most} bytes")
    except ClientDisconnect:
        raise not_found() from None
    return bytes(body)


def query_of(request: Request, model: type[Model]) -> Model:
    """The query's parameters. Raises Problem."""
    given = request.query_params
    for name in given:
        if len(given.getlist(name)) > 1:
            raise bad_field(_field((name,), model), "is given more than once")
    return _checked(model, {name: value for name, value in given.items() if value != ""})


def json_of(request: Request, body: bytes, model: type[Model]) -> Model:
    """The body as JSON. Raises Problem."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "media_type", "the body must be application/json")
    try:
        given = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Problem(400, "json", "the body is not JSON") from None
    return _checked(model, given)


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
