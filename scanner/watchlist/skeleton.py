"""A number's skeleton: the characters that a camera confuses most, folded into one.

A list is indexed by skeleton, so that one look-up finds the number as read and every listed number
that differs from it only by such a confusion. The table is part of a list's format: changing it
changes `manifest.FORMAT`, and every list must be built anew.
"""

_GROUPS = ("0ODQ", "1IL", "2Z", "5S", "6G", "8B")
_FOLD = str.maketrans({letter: group[0] for group in _GROUPS for letter in group[1:]})
FOLD = bytes(ord(chr(byte).translate(_FOLD)) for byte in range(256))
"""The same for `bytes.translate`."""


def skeleton(number: str) -> str:
    """The number with look-alikes folded; of the same length."""
    return number.translate(_FOLD)
