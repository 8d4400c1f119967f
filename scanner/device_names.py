"""What a device may be called: a name stands in topics, in paths of files and in certificates.

It stands alone, so that a configuration is checked without loading what messages are made of.
"""

import re
from typing import Final

PATTERN: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}"
RESERVED: Final = "ring"
"""Taken by the topics of the rings."""


def is_device_name(name: str) -> bool:
    """Whether `name` can be a device's: letters, digits, `.`, `_`, `-`, at most 63; not `ring`."""
    return name != RESERVED and re.fullmatch(PATTERN, name) is not None
