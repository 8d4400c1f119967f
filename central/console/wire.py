"""How the console writes moments and where a page of rows goes on."""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from scanner.web.problem import bad_field

_LARGEST = 2**62


def moment(ms: int | None) -> str | None:
    """The moment as RFC 3339 writes it, in UTC with milliseconds."""
    if ms is None:
        return None
    return written(datetime.fromtimestamp(ms / 1000, UTC))


def written(at: datetime) -> str:
    """The moment as RFC 3339 writes it, in UTC with milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def cursor_of(*place: int | str) -> str:
    """The place of the last row of a page, for the page after it."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_of(cursor: str, *kinds: type) -> tuple[Any, ...]:
    """What `cursor_of` was given. Raises Problem for anything else."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = json.loads(base64.b64decode(padded, b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise bad_field("before", "is no cursor that the console gave") from None
    fits = (
        isinstance(place, list)
        and len(place) == len(kinds)
        and all(type(part) is kind for part, kind in zip(place, kinds, strict=True))
        and all(not isinstance(part, int) or abs(part) < _LARGEST for part in place)
        and all(not isinstance(part, str) or "\0" not in part for part in place)
    )
    if not fits:
        raise bad_field("before", "is no cursor that the console gave")
    return tuple(place)
