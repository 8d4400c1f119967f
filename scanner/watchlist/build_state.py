"""How far a build has come: what is needed to go on after an interruption, in one small file.

It is written durably after everything that it speaks of, so what it says is on disk. A build goes
on only with the very source, key and format that it was begun with.
"""

import json
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably
from scanner.watchlist.csv_records import Position
from scanner.watchlist.manifest import FORMAT
from scanner.watchlist.runs import FILES, Written
from scanner.watchlist.source import SourceUnusable

FILE = "state.json"
KEPT_AS = 2
"""The version of what a build keeps on disk; another is not gone on with."""
_LOOKED_AT = 256 * 1024


@dataclass
class State:
    """`begun_with` says what a build was begun with, `offset` and `line` how far its source was
    read, `runs` and `notes` what its files hold. `replaced` counts records and no ranges."""

    begun_with: dict[str, Any]
    offset: int = 0
    line: int = 0
    rows: int = 0
    records: int = 0
    bad_rows: int = 0
    replaced: int = 0
    read: bool = False
    runs: Written = field(default_factory=Written)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        return Position(self.offset, self.line)

    @property
    def share(self) -> float:
        """How much of the source was read, from 0 to 1."""
        size: int = self.begun_with["size"]
        return min(1.0, self.offset / max(1, size))

    def keep(self, folder: Path) -> None:
        """Writes it down, durably. Raises OSError."""
        content = asdict(self)
        check = _check(content)
        replace_durably(folder / FILE, json.dumps({**content, "check": check}).encode())


def state_in(folder: Path, begun_with: dict[str, Any]) -> State | None:
    """What was kept of a build that was begun with the same; None where there is no such."""
    try:
        content = json.loads((folder / FILE).read_bytes())
        if content.pop("check") != _check(content) or content["begun_with"] != begun_with:
            return None
        state = State(**content)
        state.runs = Written(**content["runs"])
    except (OSError, ValueError, TypeError, AttributeError, KeyError):
        return None
    return state if len(state.runs.rows) == len(state.runs.sums) == FILES else None


def beginning(source: Path, key_id: str) -> dict[str, Any]:
    """What a build is begun with: the source by its size, its time and its ends. Raises
    SourceUnusable."""
    try:
        with source.open("rb") as file:
            told = source.stat()
            head = file.read(_LOOKED_AT)
            file.seek(max(0, told.st_size - _LOOKED_AT))
            ends = blake2b(head + file.read(_LOOKED_AT), digest_size=16).hexdigest()
    except OSError as error:
        raise SourceUnusable(f"{source}: {error.strerror or error}") from None
    return {
        "format": FORMAT,
        "kept_as": KEPT_AS,
        "key": key_id,
        "size": told.st_size,
        "changed": told.st_mtime_ns,
        "ends": ends,
    }


def _check(said: dict[str, Any]) -> str:
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=16).hexdigest()
