"""Lines as arrays: every character by its index in `CHARACTERS`."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.layouts import CHARACTERS
from scanner.vision.sums import Indices, Scores

_T = TypeVar("_T", bound=np.generic)

_INDEX = {character: i for i, character in enumerate(CHARACTERS)}


def as_lines(indices: Indices) -> tuple[str, ...]:
    return tuple("".join(CHARACTERS[i] for i in row) for row in indices)


def as_indices(lines: Sequence[str]) -> Indices:
    return np.array([[_INDEX[character] for character in line] for line in lines])


def of(values: NDArray[_T], lines: Sequence[str]) -> NDArray[_T]:
    """Of values (lines × positions × characters) those of the lines' own characters."""
    return np.take_along_axis(values, as_indices(lines)[:, :, None], axis=2)[:, :, 0]


def normalised(scores: Scores) -> Scores:
    """Log weights as log probabilities: those of each place sum to one."""
    top = scores.max(axis=2, keepdims=True)
    return np.asarray(scores - top - np.log(np.exp(scores - top).sum(axis=2, keepdims=True)))


def least(probabilities: Scores) -> float:
    """The least of them, 1.0 where there are none."""
    return float(probabilities.min()) if probabilities.size else 1.0
