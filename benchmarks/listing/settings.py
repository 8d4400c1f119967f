"""What a run measures, and where its work lies. Every stage's process reads it anew."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably

Json = dict[str, Any]

ALL_PEERS = ("sqlite", "lmdb", "rocksdict")
LIST = "bench"
"""What the list is called."""


@dataclass(frozen=True)
class Settings:
    """One run. `work` is the work folder; counts are of records, probes, keys and rows."""

    work: Path
    records: int
    seed: int = 1
    peers: tuple[str, ...] = ALL_PEERS
    probes: int = 100_000_000
    asked: int = 20_000
    cold: int = 2_000
    csv_rows: int = 2_000_000
    adds: int = 100_000
    removals: int = 20_000
    days: int = 30
    travellers: int = 400

    @property
    def columns(self) -> Path:
        """The folder of the sorted columns and of the keys that are asked."""
        return self.work / "columns"

    @property
    def lists(self) -> Path:
        """The folder of lists that ours is built in."""
        return self.work / "lists"

    def peer(self, name: str) -> Path:
        """The folder of one peer's store."""
        return self.work / "peers" / name

    def result_path(self, stage: str) -> Path:
        return self.work / "results" / f"{stage}.json"

    def result(self, stage: str) -> Json | None:
        """What an earlier stage measured; None where it has not come to its end."""
        try:
            said: Json = json.loads(self.result_path(stage).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return said

    def keep(self, stage: str, result: Json) -> None:
        """Puts a stage's result down, whole or not at all."""
        path = self.result_path(stage)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_durably(path, json.dumps(result, indent=1).encode() + b"\n", mode=0o644)

    def write(self) -> None:
        """Into the work folder, for the stages. Raises ValueError where another run's work lies
        there."""
        self.work.mkdir(parents=True, exist_ok=True)
        path = self.work / "settings.json"
        if path.exists() and replace(read(self.work), peers=self.peers) != self:
            raise ValueError(
                f"{self.work}: a run with other settings lies there; use another --work"
            )
        said = {**asdict(self), "work": str(self.work)}
        replace_durably(path, json.dumps(said, indent=1).encode() + b"\n", mode=0o644)


def read(work: Path) -> Settings:
    """The settings of the run in a work folder."""
    said = json.loads((work / "settings.json").read_text(encoding="utf-8"))
    return Settings(**{**said, "work": Path(said["work"]), "peers": tuple(said["peers"])})
