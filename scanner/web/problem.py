"""What a request is told when it is not done: a status, a stable code and one line for a person.

Nothing that the request carried is ever in it.
"""

from starlette.responses import JSONResponse

from scanner.said import said


class Problem(Exception):
    """Ends a request. `field` names what was wrong in it."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = headers

    def response(self) -> JSONResponse:
        """As the page is told it."""
        told = {"code": self.code, "message": self.message}
        if self.field is not None:
            told["field"] = self.field
        return JSONResponse({"error": told}, self.status, headers=self.headers)


def bad_field(field: str, message: str) -> Problem:
    """Something in the request cannot be used."""
    return Problem(422, "field", message, field)


def forbidden() -> Problem:
    """Whoever asks may not do this."""
    return Problem(403, "forbidden", said("your role may not do this"))


def mistake() -> Problem:
    """Something of ours went wrong."""
    return Problem(500, "error", said("this went wrong by a mistake of ours; it is in the log"))


def not_found() -> Problem:
    """There is no such thing."""
    return Problem(404, "not_found", said("there is no such thing here"))


def wrong_method() -> Problem:
    """There is such a thing, and it is not done that way."""
    return Problem(405, "method", said("this is not done here that way"))
