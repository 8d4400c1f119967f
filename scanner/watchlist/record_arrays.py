"""Many records at once, as two columns of NumPy: for what builds, merges and scrubs.

A lookup needs none of this, and does not import it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]


@dataclass(frozen=True)
class Records:
    """Records as columns of equal length: `keys`, and `rest` as `records.rest_of` has it."""

    keys: U64
    rest: U64

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, part: slice | NDArray[np.bool_] | NDArray[np.intp]) -> "Records":
        return Records(self.keys[part], self.rest[part])

    @property
    def classes(self) -> NDArray[np.uint8]:
        return (self.rest >> np.uint64(32)).astype(np.uint8)

    @property
    def tags(self) -> NDArray[np.uint16]:
        return (self.rest >> np.uint64(16)).astype(np.uint16)

    @property
    def days(self) -> NDArray[np.uint16]:
        return self.rest.astype(np.uint16)

    def in_order(self) -> "Records":
        """Sorted by the total order of records."""
        return self[np.lexsort((self.rest, self.keys))]

    def are_in_order(self) -> bool:
        """Whether they stand in the total order of records (equal ones may follow each other)."""
        before, after = self.keys[:-1], self.keys[1:]
        tied = before == after
        fall = (before > after) | (tied & (self.rest[:-1] > self.rest[1:]))
        return not bool(fall.any())

    @staticmethod
    def none() -> "Records":
        return Records(np.empty(0, np.uint64), np.empty(0, np.uint64))

    @staticmethod
    def of(rows: Iterable[tuple[int, int]]) -> "Records":
        """From pairs of key and rest."""
        pairs = list(rows)
        keys = np.array([key for key, _ in pairs], np.uint64)
        return Records(keys, np.array([rest for _, rest in pairs], np.uint64))

    @staticmethod
    def together(parts: Iterable["Records"]) -> "Records":
        """One after the other."""
        all_parts = list(parts)
        if not all_parts:
            return Records.none()
        return Records(
            np.concatenate([part.keys for part in all_parts]),
            np.concatenate([part.rest for part in all_parts]),
        )


def rest_column(
    classes: NDArray[np.uint8], tags: NDArray[np.uint16], days: NDArray[np.uint16]
) -> U64:
    """The column `rest` out of its three parts."""
    whole = classes.astype(np.uint64) << np.uint64(32)
    whole |= tags.astype(np.uint64) << np.uint64(16)
    return whole | days.astype(np.uint64)


def rechunked(parts: Iterable[Records], size: int) -> Iterator[Records]:
    """The same records in chunks of `size`, the last one shorter."""
    held: list[Records] = []
    count = 0
    for part in parts:
        held.append(part)
        count += len(part)
        if count >= size:
            whole = Records.together(held)
            for begin in range(0, count - size + 1, size):
                yield whole[begin : begin + size]
            rest = count % size
            held, count = [whole[count - rest :]] if rest else [], rest
    if count:
        yield Records.together(held)
