"""The OpenAPI document, and a page that shows it to people.

The page is made here, of one template and one stylesheet, so it asks no other server for anything
and needs no script. Neither holds data, and neither asks for a token.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, JSONResponse, Response

FOLDER = Path(__file__).parent / "page"
_templates = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
)


def page_routes(openapi: Callable[[], dict[str, Any]]) -> APIRouter:
    """The ways to what `openapi` gives."""
    router = APIRouter(include_in_schema=False)

    @router.get("/openapi.json")
    def document() -> Response:
        return JSONResponse(openapi())

    @router.get("/")
    def page() -> Response:
        return HTMLResponse(html_of(openapi()))

    @router.get("/style.css")
    def style() -> Response:
        return Response((FOLDER / "style.css").read_bytes(), media_type="text/css")

    return router


def html_of(document: dict[str, Any]) -> str:
    """The page that shows `document`."""
    schemas = document["components"]["schemas"]
    routes = [_route(path, methods["get"]) for path, methods in document["paths"].items()]
    return _templates.get_template("page.html").render(
        info=document["info"],
        base=document["servers"][0]["url"],
        paragraphs=_paragraphs(document["info"]["description"]),
        routes=routes,
        schemas=[_schema(name, schemas[name]) for name in sorted(schemas)],
    )


def _route(path: str, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": path,
        "paragraphs": _paragraphs(told.get("description", "")),
        "scopes": [
            scope for need in told["security"] for scopes in need.values() for scope in scopes
        ],
        "parameters": [
            {
                "name": each["name"],
                "in": each["in"],
                "required": each.get("required", False),
                "type": _type(each["schema"]).removesuffix(" or null"),
                "text": _text(each) or _text(each["schema"]),
            }
            for each in told.get("parameters", [])
        ],
        "answers": [
            {"status": status, "text": answer["description"], "type": _content(answer)}
            for status, answer in told["responses"].items()
        ],
    }


def _schema(name: str, told: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "text": _text(told),
        "fields": [
            {"name": field, "type": _type(schema), "text": _text(schema)}
            for field, schema in told.get("properties", {}).items()
        ],
    }


def _text(schema: dict[str, Any]) -> str:
    """What a schema says of itself, or one of the schemas that it is any of."""
    parts = (schema, *schema.get("anyOf", ()))
    return _plain(next((part["description"] for part in parts if "description" in part), ""))


def _plain(text: str) -> str:
    """Without the marks that the page has no use for."""
    return " ".join(text.replace("`", "").split())


def _content(answer: dict[str, Any]) -> str:
    schema = answer.get("content", {}).get("application/json", {}).get("schema")
    return "" if schema is None else _type(schema)


def _type(schema: dict[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in schema:
        return " or ".join(_type(part) for part in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_type(schema['additionalProperties'])}"
    limits = [
        f"{word} {schema[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"), ("default", "else"))
        if key in schema
    ]
    return " ".join([str(schema.get("format") or schema.get("type", "anything")), *limits])


def _paragraphs(text: str) -> list[str]:
    return [_plain(part) for part in text.split("\n\n") if part.strip()]
