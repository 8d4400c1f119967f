"""What somebody perhaps meant who wrote a name that is none."""

import difflib
from collections.abc import Iterable


def nearest(given: str, known: Iterable[str]) -> str | None:
    """The one of `known` (in small letters) that `given` is most like, or None."""
    near = difflib.get_close_matches(given.lower(), list(known), n=1)
    return near[0] if near else None
