"""What a torture has come to so far, kept on disk: a shard goes on where it was stopped."""

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from scanner.durable import replace_durably


class Tally:
    """What one shard has counted."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.counts: Counter[str] = Counter()
        if path.exists():
            self.counts.update(json.loads(path.read_text()))

    @property
    def kills(self) -> int:
        return self.counts.total()

    def count(self, what: str) -> None:
        """Counts one kill, durably."""
        self.counts[what] += 1
        replace_durably(self._path, json.dumps(self.counts).encode(), mode=0o644)

    def said(self) -> str:
        return said(self.counts)


def said(counts: Counter[str]) -> str:
    """How many kills, and of what."""
    parts = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
    return f"{counts.total()} kills ({parts})"


def together(paths: Iterable[Path]) -> str:
    """What several shards have come to."""
    return said(sum((Tally(path).counts for path in paths), Counter()))
