"""The page itself: files that lie beside this module, sent as they are, and the sign-in form."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from central.console.visit import Visit
from scanner.web.page_files import PageFiles

FOLDER = Path(__file__).parent / "page"

_files = PageFiles(FOLDER)
_templates = Environment(loader=FileSystemLoader(FOLDER), autoescape=True)


def page(visit: Visit) -> Response:
    """The console's one page."""
    return _files.page(visit.request)


def static(visit: Visit) -> Response:
    """What the page is made of. It holds no data, and the sign-in form needs it too."""
    return _files.static(visit.request, visit.path("name"))


def form(error: str, name: str, status: int, headers: dict[str, str] | None = None) -> Response:
    """The form to sign in by. `error` is one sentence, or empty."""
    template = _templates.get_template("sign-in.html")
    return HTMLResponse(template.render(error=error, name=name), status, headers)
