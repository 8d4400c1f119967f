"""The files that a page is made of: they lie in one folder and are sent as they are.

Only names of files that are there are looked up, so no path can lead out of the folder.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from scanner.web.problem import not_found

_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True)
class _File:
    path: Path
    kind: str


class PageFiles:
    """The files in `folder` (not below it) of the kinds that pages are made of, and its page."""

    def __init__(self, folder: Path) -> None:
        self._page = _File(folder / "index.html", "text/html")
        self._files = {
            path.name: _File(path, _TYPES[path.suffix])
            for path in folder.iterdir()
            if path.suffix in _TYPES
        }

    def page(self, request: Request) -> Response:
        """The page itself."""
        return _sent(request, self._page)

    def static(self, request: Request, name: str) -> Response:
        """What the page is made of, by its name. Raises Problem."""
        file = self._files.get(name)
        if file is None:
            raise not_found()
        return _sent(request, file)


def _sent(request: Request, file: _File) -> Response:
    try:
        content = file.path.read_bytes()
    except OSError:
        raise not_found() from None
    return tagged(request, content, file.kind)


def tagged(request: Request, content: bytes, kind: str) -> Response:
    """`content`, unless the browser has the very same already."""
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=kind, headers=headers)
