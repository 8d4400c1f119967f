"""What somebody who signs in may be called, at a desk and at central alike: a name that is typed
the same everywhere, and that stands in records as it is."""

import re

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")
RULE = (
    "a name is 1 to 32 small letters, digits, '.', '_' or '-', and starts with one of the first two"
)


def is_user_name(text: str) -> bool:
    """Whether somebody may be called that."""
    return _NAME.fullmatch(text) is not None
