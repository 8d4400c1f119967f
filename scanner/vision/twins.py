"""Characters that an OCR engine takes for one another in every view alike: 0 for O above all.

That views agree says nothing about twins. Where a layout allows only one of the two, the layout
decides; where it allows both, only check digits can, and not always: one swap shows, but two can
cancel (two O for 0 at weights 7 and 3). What they cannot decide is never sure.
"""

from collections.abc import Sequence
from itertools import combinations

from scanner.mrz.check_digits import check_digit
from scanner.mrz.layouts import Layout
from scanner.mrz.reading import UNKNOWN

TWINS = ("0O", "1I", "2Z", "5S", "6G", "8B")

MOST_SWAPS = 12
"""With more places for 0 or O than this, all of them are undecided without trying."""

Place = tuple[int, int]
Effect = tuple[int, ...]
"""By how much each check digit changes, modulo 10."""


def undecided(lines: Sequence[str], layout: Layout) -> dict[Place, str]:
    """The places where the lines might as well print the character's twin, with the two of them.

    0 and O: wherever a set of swaps leaves every check digit as it is. The other twins, which are
    confused far less often: only where no check digit covers the place.
    """
    doubts: dict[Place, str] = {}
    swaps: dict[Place, Effect] = {}
    for line, row in enumerate(lines):
        for at, character in enumerate(row):
            twins = _twins_at(layout, line, at, character)
            if not twins:
                continue
            if not _covered(layout, line, at):
                doubts[line, at] = twins
            elif twins == "0O":
                swaps[line, at] = _effect(lines, layout, line, at, twins)
    return doubts | dict.fromkeys(_invisible(swaps), "0O")


def _invisible(swaps: dict[Place, Effect]) -> set[Place]:
    """The places of every set of swaps whose effects cancel."""
    if len(swaps) > MOST_SWAPS:
        return set(swaps)
    found: set[Place] = set()
    for count in range(1, len(swaps) + 1):
        for chosen in combinations(swaps, count):
            sums = map(sum, zip(*(swaps[place] for place in chosen), strict=True))
            if not any(total % 10 for total in sums):
                found.update(chosen)
    return found


def _twins_at(layout: Layout, line: int, at: int, character: str) -> str:
    """The character and its twin where both may stand, else nothing. Every document code begins
    with a letter (Doc 9303-4 to 7, the first field)."""
    if (line, at) == (0, 0):
        return ""
    allowed = layout.alphabet(line, at)
    pairs = (pair for pair in TWINS if character in pair)
    return next((pair for pair in pairs if all(c in allowed for c in pair)), "")


def _covered(layout: Layout, line: int, at: int) -> bool:
    return any(span.covers(line, at) for check in layout.checks.values() for span in check.covers)


def _effect(lines: Sequence[str], layout: Layout, line: int, at: int, twins: str) -> Effect:
    row = lines[line]
    twin = twins.replace(row[at], "")
    swapped = [*lines[:line], row[:at] + twin + row[at + 1 :], *lines[line + 1 :]]
    return tuple(
        (_digit(check.data(swapped)) - _digit(check.data(lines))) % 10
        for check in layout.checks.values()
    )


def _digit(data: str) -> int:
    """The check digit, unknown characters counting nothing."""
    return int(check_digit(data.replace(UNKNOWN, "<")))
