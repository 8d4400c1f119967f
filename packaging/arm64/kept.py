"""What a step came to, on disk: a run that is stopped goes on at the step where it was."""

import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """Results of steps in a folder, of one package and one set of the programs that try it."""

    folder: Path
    of: str

    def lines(self, step: str) -> list[str] | None:
        """What a step told, if it was done with just this."""
        try:
            said = json.loads(self._file(step).read_text())
        except (FileNotFoundError, ValueError):
            return None
        return list(said["lines"]) if said["of"] == self.of else None

    def put(self, step: str, lines: list[str]) -> None:
        """Keeps what a step told."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f"{step}.new"
        new.write_text(json.dumps({"of": self.of, "lines": lines}, indent=1))
        new.replace(self._file(step))

    def _file(self, step: str) -> Path:
        return self.folder / f"{step}.json"
