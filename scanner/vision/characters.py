"""Lines as arrays: every character by its index in `CHARACTERS`."""

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.layouts import CHARACTERS
from scanner.vision.sums import Indices, Scores

_T = TypeVar("_T", bound=np.generic)

_CODES = np.frombuffer(CHARACTERS.encode("ascii"), np.uint8)
_INDEX: Indices = np.full(128, len(CHARACTERS), np.intp)
"""By ASCII code; what is no character of an MRZ is past the last."""
_INDEX[_CODES] = np.arange(len(CHARACTERS))


def as_lines(indices: Indices) -> tuple[str, ...]:
    return tuple(row.tobytes().decode("ascii") for row in _CODES[indices])


def as_indices(lines: Sequence[str]) -> Indices:
    codes = np.frombuffer("".join(lines).encode("ascii"), np.uint8)
    return np.asarray(_INDEX[codes].reshape(len(lines), -1))


def of(values: NDArray[_T], lines: Sequence[str]) -> NDArray[_T]:
    """Of values (lines × positions × characters) those of the lines' own characters."""
    count, width, _ = values.shape
    return np.asarray(values[np.arange(count)[:, None], np.arange(width), as_indices(lines)])


def normalised(scores: Scores) -> Scores:
    """Log weights as log probabilities: those of each place sum to one."""
    top = scores.max(axis=2, keepdims=True)
    return np.asarray(scores - top - np.log(np.exp(scores - top).sum(axis=2, keepdims=True)))


def least(probabilities: Scores) -> float:
    """The least of them, 1.0 where there are none."""
    return float(probabilities.min()) if probabilities.size else 1.0
