"""The page itself: files that lie beside this module, sent as they are, but for the sign-in form.

Only names of files that are there are looked up, so no path can lead out of the folder.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from central.console.problem import not_found
from central.console.visit import Visit

FOLDER = Path(__file__).parent / "page"
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}

_templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)


@dataclass(frozen=True)
class File:
    """A file of the page."""

    path: Path
    kind: str


def page(visit: Visit) -> Response:
    """The console's one page."""
    return _sent(visit, File(FOLDER / "index.html", "text/html"))


def static(visit: Visit) -> Response:
    """What the page is made of. It holds no data, and the sign-in form needs it too."""
    file = _files().get(visit.path("name"))
    if file is None:
        raise not_found()
    return _sent(visit, file)


def form(error: str, name: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """The form to sign in by. `error` is one sentence, or empty."""
    template = _templates.get_template("sign-in.html")
    return HTMLResponse(template.render(error=error, name=name), status, headers)


@cache
def _files() -> dict[str, File]:
    return {
        path.name: File(path, _TYPES[path.suffix])
        for path in FOLDER.iterdir()
        if path.suffix in _TYPES
    }


def _sent(visit: Visit, file: File) -> Response:
    try:
        content = file.path.read_bytes()
    except OSError:
        raise not_found() from None
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if visit.request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=file.kind, headers=headers)
