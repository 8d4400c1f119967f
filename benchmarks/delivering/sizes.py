"""How much of everything a run measures."""

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """One run. The defaults are those of the figures that are told."""

    rounds: int = 5
    commits: int = 1_000
    """Of each round, for the outbox and beside it."""
    queued: int = 100_000
    hits: int = 60
    """Alerts that are followed to the console and answered, over each store."""
    load_devices: int = 100
    load_alerts: int = 30_000
    receivers: int = 2
    fleet: int = 10_000


QUICK = Sizes(rounds=2, commits=50, queued=300, hits=2, load_devices=10, load_alerts=400, fleet=20)
"""To see that everything works."""
