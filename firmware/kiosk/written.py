"""How the kiosk writes what it says: moments, and the language that the page is in."""

from datetime import UTC, date, datetime
from typing import Any, Protocol

Json = dict[str, Any]


class Speech(Protocol):
    """One language, as far as the page's state is said in it."""

    def told(self, text: str) -> str:
        """A sentence of ours in this language; any other text as it is."""
        ...

    def state(self, code: str) -> str | None:
        """The name of the State that has this code."""
        ...

    def span(self, seconds: float) -> str:
        """A length of time."""
        ...

    def age(self, birth_date: str | None, today: date) -> str | None:
        """How old somebody is who was born then, as surely as a partial date tells."""
        ...


def moment(at: datetime) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
