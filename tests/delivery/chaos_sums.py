"""What the torture of delivery has come to so far, over all runs, kept on disk."""

import json
from collections import Counter
from pathlib import Path

from scanner.durable import replace_durably

COMMITTED, LOST, TWICE, ANSWERED, AGAIN, SHARDS = (
    "alerts committed",
    "alerts lost",
    "alerts seen twice",
    "alerts answered",
    "lines printed again",
    "shards",
)


class Sums:
    """Added up shard by shard: one that was stopped midway does not count."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.counts: Counter[str] = Counter()
        if path.exists():
            self.counts.update(json.loads(path.read_text()))

    def add(self, more: Counter[str]) -> None:
        """Adds a shard, durably."""
        self.counts.update(more)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(self._path, json.dumps(self.counts, indent=1).encode(), mode=0o644)

    @property
    def kills(self) -> int:
        return self._of("killed: ").total()

    def said(self) -> str:
        """All of it, on four lines."""
        counts = self.counts
        kills, cuts = self._of("killed: "), self._of("cut: ")
        victims: Counter[str] = Counter()
        for moment, count in kills.items():
            victims[moment.split(" ", 1)[0]] += count
        at_points = kills.total() - sum(n for what, n in kills.items() if "any moment" in what)
        return (
            f"{kills.total()} kills ({_each(victims)}; {at_points} of them at chosen points), "
            f"{cuts.total()} links cut ({_each(cuts)}), {counts[SHARDS]} shards\n"
            f"{counts[COMMITTED]} alerts committed: {counts[LOST]} lost, "
            f"{counts[TWICE]} seen twice by an operator\n"
            f"{counts[ANSWERED]} of them answered, each answer held at its device\n"
            f"{counts[AGAIN]} lines printed again by a receiver that was killed between printing "
            "and taking note"
        )

    def _of(self, prefix: str) -> Counter[str]:
        return Counter(
            {
                what.removeprefix(prefix): count
                for what, count in self.counts.items()
                if what.startswith(prefix)
            }
        )


def _each(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
