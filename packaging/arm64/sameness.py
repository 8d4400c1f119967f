"""Whether two machines say the same: everything but floating-point numbers to the byte.

What depends on the moment (how long something took, how old a list is) is left out. Of
floating-point numbers it is told how many differ and by how much; whether that is too much is for
whoever asks. Two things follow such numbers and nothing else, so they are told apart from what
differs: in which order a doubtful place's candidates stand, where they are about as likely; and the
hint why nothing could be read, where two reasons are about as good.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

OF_THE_MOMENT = frozenset({"ms", "age_s"})
_HINT = ("why", "note")
"""Of a reading; the verdict's reasons say it once more."""


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
    hints: list[str] = field(default_factory=list)
    """Of pictures that both could not read, where each gives another reason."""

    def line(self) -> str:
        """What is the same, in words."""
        told = f"{self.answers} answers, {len(self.differences)} differences"
        for place, floats in sorted(self.floats.items()):
            told += (
                f"; {place}: {floats.other} of {floats.count} differ, by {floats.most:.2g} at most"
            )
        if self.hints:
            told += f"; another hint: {', '.join(self.hints)}"
        return told


def compared(one: str, two: str) -> Sameness:
    """Holds what two machines printed against each other, an answer in JSON a line."""
    same = Sameness()
    rows, others = one.splitlines(), two.splitlines()
    if len(rows) != len(others):
        same.differences.append(f"{len(rows)} answers and {len(others)}")
    for number, (row, other) in enumerate(zip(rows, others, strict=False), start=1):
        same.answers += 1
        first, second = json.loads(row), json.loads(other)
        hint, another = _hint(first), _hint(second)
        if hint and another:
            first, second = _without_hint(first), _without_hint(second)
            if hint != another:
                same.hints.append(f"answer {number} {hint} and {another}")
        for place in _differences(first, second, "", same.floats):
            same.differences.append(f"answer {number}{place}")
    return same


def _hint(answer: Any) -> str | None:
    """Why a picture could not be read; None for all other answers."""
    reading = answer.get("reading") or {}
    return str(reading.get("why")) if reading.get("status") == "unreadable" else None


def _without_hint(answer: Any) -> Any:
    """An answer about a picture that could not be read, without the hint wherever it stands."""
    reading = {key: value for key, value in answer["reading"].items() if key not in _HINT}
    verdict = {k: v for k, v in (answer.get("verdict") or {}).items() if k != "reasons"}
    return answer | {"reading": reading, "verdict": verdict}


def _likely(one: Any, two: Any, floats: dict[str, Floats]) -> None:
    """Holds candidates with their probabilities against each other: one that only one machine
    tells is at most as likely as the last that the other tells."""
    first, second = dict(one), dict(two)
    least = min([*first.values(), *second.values()], default=0.0)
    for character in first.keys() | second.keys():
        told = floats.setdefault("candidates", Floats())
        told.take(first.get(character, least), second.get(character, least))


def _differences(one: Any, two: Any, place: str, floats: dict[str, Floats]) -> Iterator[str]:
    """The places at which two values differ."""
    if type(one) is not type(two):
        yield place
    elif isinstance(one, dict):
        yield from _in_objects(one, two, place, floats)
    elif isinstance(one, list):
        if len(one) != len(two):
            yield place
        for left, right in zip(one, two, strict=False):
            yield from _differences(left, right, place, floats)
    elif isinstance(one, float):
        floats.setdefault(place.rpartition(".")[2], Floats()).take(one, two)
    elif one != two:
        yield place


def _in_objects(
    one: dict[str, Any], two: dict[str, Any], place: str, floats: dict[str, Floats]
) -> Iterator[str]:
    if list(one) != list(two):
        yield place
    for key in one.keys() & two.keys() - OF_THE_MOMENT:
        if key == "candidates":
            _likely(one[key], two[key], floats)
        else:
            yield from _differences(one[key], two[key], f"{place}.{key}", floats)
