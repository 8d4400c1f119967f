"""Whether two machines say the same: everything but floating-point numbers to the byte.

What depends on the moment (how long something took, how old a list is) is left out. Of
floating-point numbers it is told how many differ and by how much; whether that is too much is for
whoever asks.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

OF_THE_MOMENT = frozenset({"ms", "age_s"})


@dataclass
class Floats:
    """Floating-point numbers that stood at one place in several answers."""

    count: int = 0
    other: int = 0
    most: float = 0.0

    def take(self, one: float, two: float) -> None:
        self.count += 1
        self.other += one != two
        self.most = max(self.most, abs(one - two))


@dataclass
class Sameness:
    """What two machines said: where they differ, and their floating-point numbers by place."""

    answers: int = 0
    differences: list[str] = field(default_factory=list)
    floats: dict[str, Floats] = field(default_factory=dict)

    def line(self) -> str:
        """What is the same, in words."""
        told = f"{self.answers} answers, {len(self.differences)} differences"
        for place, floats in sorted(self.floats.items()):
            told += (
                f"; {place}: {floats.other} of {floats.count} differ, by {floats.most:.2g} at most"
            )
        return told


def compared(one: str, two: str) -> Sameness:
    """Holds what two machines printed against each other, an answer in JSON a line."""
    same = Sameness()
    rows, others = one.splitlines(), two.splitlines()
    if len(rows) != len(others):
        same.differences.append(f"{len(rows)} answers and {len(others)}")
    for number, (row, other) in enumerate(zip(rows, others, strict=False), start=1):
        same.answers += 1
        for place in _differences(json.loads(row), json.loads(other), "", same.floats):
            same.differences.append(f"answer {number}{place}")
    return same


def _differences(one: Any, two: Any, place: str, floats: dict[str, Floats]) -> Iterator[str]:
    """The places at which two values differ."""
    if type(one) is not type(two):
        yield place
    elif isinstance(one, dict):
        if list(one) != list(two):
            yield place
        for key in one.keys() & two.keys() - OF_THE_MOMENT:
            yield from _differences(one[key], two[key], f"{place}.{key}", floats)
    elif isinstance(one, list):
        if len(one) != len(two):
            yield place
        for left, right in zip(one, two, strict=False):
            yield from _differences(left, right, place, floats)
    elif isinstance(one, float):
        floats.setdefault(place.rpartition(".")[2], Floats()).take(one, two)
    elif one != two:
        yield place
