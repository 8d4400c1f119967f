"""Coming in and going out: the sign-in form, its answer, signing out, and who one is."""

from urllib.parse import parse_qs

from starlette.responses import JSONResponse, RedirectResponse, Response

from central.console import page_files
from central.console.roles import MAY
from central.console.sign_in import Attempt, NotIn, Welcome, known_cookie
from central.console.visit import Visit
from central.console.wire import written
from scanner.web.problem import Problem

_NAME_LONGEST, _PASSWORD_LONGEST = 64, 1000
_KNOWN_FOR_S = 180 * 24 * 3600


def sign_in_page(visit: Visit) -> Response:
    """The form, or the page for whoever is in already."""
    if visit.someone is not None:
        return RedirectResponse("/", 303)
    return page_files.form("", "", 200)


def sign_in(visit: Visit) -> Response:
    """Lets somebody in who gives his name and password."""
    name, password = _form(visit)
    client = visit.request.client
    cookie = known_cookie(name)
    attempt = Attempt(
        name, password, client.host if client else "", visit.request.cookies.get(cookie, "")
    )
    came = visit.console.sign_in.attempt(attempt, visit.now)
    if isinstance(came, NotIn):
        return _not_in(came, name)
    return _welcomed(visit, came, cookie)


def sign_out(visit: Visit) -> Response:
    """Ends the session."""
    visit.console.sign_in.sign_out(visit.who, visit.now)
    response = RedirectResponse("/sign-in", 303)
    response.delete_cookie(
        visit.console.cookie, secure=visit.console.secure, httponly=True, samesite="strict"
    )
    return response


def me(visit: Visit) -> Response:
    """Who is signed in, and what the console lets him do."""
    who = visit.who
    return JSONResponse(
        {
            "name": who.name,
            "role": who.role.value,
            "may": sorted(right.value for right in MAY[who.role]),
            "now": written(visit.now),
            "version": visit.console.version,
        }
    )


def _form(visit: Visit) -> tuple[str, str]:
    """The name and the password that were typed. Raises Problem."""
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "media_type", "the form comes as application/x-www-form-urlencoded")
    try:
        fields = parse_qs(
            visit.body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=8,
        )
        ((name,), (password,)) = fields["name"], fields["password"]
    except (ValueError, KeyError):
        raise Problem(400, "form", "the form has a name and a password") from None
    if len(name) > _NAME_LONGEST or len(password) > _PASSWORD_LONGEST or "\0" in name:
        raise Problem(422, "form", "the name or the password is longer than any can be")
    return name.strip(), password


def _not_in(refused: NotIn, name: str) -> Response:
    if refused.locked:
        seconds = max(1, round(refused.wait_s + 0.5))
        error = f"Too many tries. Try again in {seconds} s."
        return page_files.form(error, name, 429, {"retry-after": str(seconds)})
    return page_files.form("The name or the password is wrong.", name, 401)


def _welcomed(visit: Visit, came: Welcome, cookie: str) -> Response:
    response = RedirectResponse("/", 303)
    secure = visit.console.secure
    response.set_cookie(
        visit.console.cookie, came.token, path="/", secure=secure, httponly=True, samesite="strict"
    )
    response.set_cookie(
        cookie,
        came.known,
        max_age=_KNOWN_FOR_S,
        path="/sign-in",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    return response
