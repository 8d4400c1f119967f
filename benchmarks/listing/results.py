"""What the stages of a run left, for those who tell its figures."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2

from benchmarks.listing.settings import Json, Settings

DIRECTORY_BYTES_A_PAGE = 28
"""First key, rank and digest of one page of keys."""

MOST_MB = 512
"""For whatever builds or changes a list."""


class NotMeasured(Exception):
    """A stage did not come to its end; the message is its name."""


@dataclass(frozen=True)
class Results:
    """What the stages of a run left."""

    settings: Settings

    def of(self, stage: str) -> Json:
        """Raises NotMeasured."""
        found = self.settings.result(stage)
        if found is None:
            raise NotMeasured(stage)
        return found

    def of_peers(self, stage: str, names: tuple[str, ...] = ()) -> dict[str, Json]:
        """Of those peers' stores that were measured, by name."""
        told = {}
        for name in names or ("sqlite", "lmdb", "rocksdict", "rocksdict-compressed"):
            found = self.settings.result(stage.format(name))
            if found is not None:
                told[name] = found
        return told


Row = Callable[[Results], tuple[str, bool | None]]
"""What was measured, and whether the goal was reached: None where there is none, or where nothing
was measured. Raises NotMeasured."""


def bound_bytes(records: int) -> float:
    """Bytes a record of the least that an exact set of 64-bit hashes can take."""
    return (64 - log2(records) + 1.44) / 8
