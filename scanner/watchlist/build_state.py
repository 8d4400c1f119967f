"""How far a build has come: what is needed to go on after an interruption, in one small file.

It is written durably after everything that it speaks of, so what it says is on disk. A build goes
on only with the very source, key and program format that it was begun with.
"""

import json
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably
from scanner.watchlist.csv_records import Position
from scanner.watchlist.manifest import FORMAT

FILE = "state.json"
_LOOKED_AT = 256 * 1024


@dataclass
class State:
    """`begun_with` says what a build was begun with; `sizes` are those of the runs in bytes and
    `notes` those of the files of ranges and of bad rows."""

    begun_with: dict[str, Any]
    offset: int = 0
    line: int = 0
    rows: int = 0
    bad_rows: int = 0
    replaced: int = 0
    read: bool = False
    sizes: dict[int, int] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        return Position(self.offset, self.line)

    def keep(self, folder: Path) -> None:
        """Writes it down, durably. Raises OSError."""
        replace_durably(folder / FILE, json.dumps(asdict(self)).encode())


def state_in(folder: Path, begun_with: dict[str, Any]) -> State | None:
    """What was kept of a build that was begun with the same; None where there is no such."""
    try:
        said = json.loads((folder / FILE).read_bytes())
        state = State(**said)
        state.sizes = {int(number): size for number, size in state.sizes.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return state if state.begun_with == begun_with else None


def beginning(source: Path, key_id: str) -> dict[str, Any]:
    """What a build is begun with: the source by its size, its time and its ends. Raises OSError."""
    with source.open("rb") as file:
        stat = source.stat()
        head = file.read(_LOOKED_AT)
        file.seek(max(0, stat.st_size - _LOOKED_AT))
        ends = blake2b(head + file.read(_LOOKED_AT), digest_size=16).hexdigest()
    return {
        "format": FORMAT,
        "key": key_id,
        "size": stat.st_size,
        "changed": stat.st_mtime_ns,
        "ends": ends,
    }
