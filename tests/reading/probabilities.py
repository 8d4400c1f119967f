"""What a recogniser might say of given lines: probabilities that a test spells out."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.layouts import CHARACTERS

Place = tuple[int, int]
Doubts = Mapping[Place, Mapping[str, float]]


def picture(
    lines: Sequence[str], doubts: Doubts | None = None, clear: float = 0.98
) -> NDArray[np.float32]:
    """Log probabilities that show the lines: each character with probability `clear`, but for the
    places in `doubts`, whose characters have the probabilities told there. What is left of 1 is
    shared out among the other characters."""
    said = {
        (line, at): {character: clear}
        for line, text in enumerate(lines)
        for at, character in enumerate(text)
    }
    said |= {place: dict(chances) for place, chances in (doubts or {}).items()}
    found = np.zeros((len(lines), len(lines[0]), len(CHARACTERS)))
    for place, chances in said.items():
        left = (1 - sum(chances.values())) / (len(CHARACTERS) - len(chances))
        found[place] = [chances.get(character, left) for character in CHARACTERS]
    return np.log(np.maximum(found, 1e-12)).astype(np.float32)


def with_(lines: Sequence[str], place: Place, character: str) -> tuple[str, ...]:
    """The lines with another character at one place."""
    line, at = place
    changed = list(lines)
    changed[line] = changed[line][:at] + character + changed[line][at + 1 :]
    return tuple(changed)
