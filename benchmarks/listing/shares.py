"""In what shares a synthetic list holds kinds, statuses and days.

Nobody publishes those of a real list. These are guesses of the right kind: mostly passports and
identity cards, more lost than stolen, and more recorded in late years than in early ones, since
records leave a list when the document would have expired.
"""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from scanner.mrz.document import Kind
from scanner.watchlist.contract import ListStatus
from scanner.watchlist.records import class_of, day_of

KINDS = {
    Kind.PASSPORT: 0.55,
    Kind.IDENTITY: 0.36,
    Kind.RESIDENCE: 0.04,
    Kind.VISA: 0.03,
    Kind.CREW: 0.005,
    Kind.OTHER: 0.015,
}
STATUSES = {
    ListStatus.LOST: 0.62,
    ListStatus.STOLEN: 0.25,
    ListStatus.INVALID: 0.07,
    ListStatus.REVOKED: 0.05,
    ListStatus.STOLEN_BLANK: 0.01,
}
LAST_DAY = day_of(date(2026, 11, 25))
_YEARS_MEAN = 5.0
_DAYS = 20 * 365
"""None is older."""

_CLASSES = np.array([class_of(kind, status) for kind in KINDS for status in STATUSES], np.uint8)
_SHARES = np.array([kind * status for kind in KINDS.values() for status in STATUSES.values()])


def classes_drawn(count: int, source: np.random.Generator) -> NDArray[np.uint8]:
    """Class bytes of so many records."""
    steps = np.cumsum(_SHARES) / _SHARES.sum()
    return _CLASSES[np.minimum(np.searchsorted(steps, source.random(count)), len(_CLASSES) - 1)]


def days_drawn(count: int, source: np.random.Generator) -> NDArray[np.uint16]:
    """The days on which they were recorded: fewer the further back, over twenty years."""
    back = source.standard_exponential(count, np.float32) * (_YEARS_MEAN * 365)
    return (LAST_DAY - (back % _DAYS).astype(np.int32)).astype(np.uint16)


def entropy_bits() -> tuple[float, float]:
    """Bits that a record's class and its day carry, at these shares."""
    days = np.exp(-np.arange(_DAYS) / (_YEARS_MEAN * 365))
    return _entropy(_SHARES), _entropy(days)


def _entropy(weights: NDArray[np.float64]) -> float:
    shares = weights / weights.sum()
    return float(-(shares * np.log2(shares)).sum())
