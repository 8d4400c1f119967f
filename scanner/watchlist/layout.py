"""Where the parts of a version lie in a folder of lists. Every name says what it holds.

<name>.json, <name>.previous        the manifest in force, and the one before it
<name>/base-<root>/                 a table
<name>/overlay-<root>/              what changed since the base, where anything did
<name>/ranges-<digest>              the ranges of stolen blanks, encrypted
"""

from pathlib import Path

_SHOWN = 16
"""Digits of a root that stand in a name."""


def base_folder(lists: Path, name: str, root: str) -> Path:
    """Where the base with this root, in hexadecimal, lies."""
    return lists / name / f"base-{root[:_SHOWN]}"


def overlay_folder(lists: Path, name: str, root: str) -> Path:
    """Where the overlay with this root lies."""
    return lists / name / f"overlay-{root[:_SHOWN]}"


def ranges_path(lists: Path, name: str, digest: str) -> Path:
    """Where the file of ranges with this digest lies."""
    return lists / name / f"ranges-{digest[:_SHOWN]}"
