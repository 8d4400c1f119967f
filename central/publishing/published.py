"""What was published of one list so far: the version that devices have, and the steps that led
there.

Devices do not have the list as it was built last, but as deltas made it out of the base that they
fetched; their roots differ. So the publisher keeps a copy that goes the same steps, in `.published`
beside the lists that are built, and a history of those steps. The history is written before
anything is signed, and a step's file before the history names it: whatever is interrupted is done
again alike.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably
from scanner.watchlist.layout import ranges_path
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.parts import RANGES, parts_in
from scanner.watchlist.publication import Step
from scanner.watchlist.whole import link_version

FOLDER = ".published"
KEPT = timedelta(days=64)
"""How long a step is kept: a device that was away for longer fetches the list whole."""


class HistoryDamaged(Exception):
    """The history cannot be read; the message says in one line what to do."""


@dataclass(frozen=True)
class Past:
    """A step, when it was published, and the root of the built version that it leads to."""

    step: Step
    at: datetime
    source_root: str


@dataclass(frozen=True)
class History:
    """The published past of a list. `whole` is the version that is there whole, `whole_at` since
    when, and `begun_with` the root of the built version that it all began with; `number` counts
    publications."""

    number: int = 0
    begun_with: str = ""
    whole: Manifest | None = None
    whole_at: datetime | None = None
    steps: tuple[Past, ...] = ()

    @property
    def source_root(self) -> str:
        """The root of the built version that was published last."""
        return self.steps[-1].source_root if self.steps else self.begun_with

    def up_to(self, manifest: Manifest) -> "History":
        """Without what was noted and then not done: the copy's version is `manifest`."""
        reached = (manifest.version, manifest.root())
        for place in range(len(self.steps), 0, -1):
            step = self.steps[place - 1].step
            if (step.to_version, step.to_root) == reached:
                return replace(self, steps=self.steps[:place])
            if (step.from_version, step.from_root) == reached:
                return replace(self, steps=self.steps[: place - 1])
        return self

    def since(self, moment: datetime) -> "History":
        """Without the steps that are older; those from the whole version on always stay."""
        needed = self._from_whole()
        kept = tuple(
            past for place, past in enumerate(self.steps) if past.at >= moment or place >= needed
        )
        return replace(self, steps=kept, begun_with=self.begun_with if kept else self.source_root)

    def _from_whole(self) -> int:
        start = self.whole and (self.whole.version, self.whole.root())
        for place, past in enumerate(self.steps):
            if (past.step.from_version, past.step.from_root) == start:
                return place
        return len(self.steps)


class Published:
    """The published copy of list `name`, beside the built lists in `lists`."""

    def __init__(self, lists: Path, name: str) -> None:
        self.name = name
        self.lists = lists / FOLDER
        self._history = self.lists / f"{name}.history"

    def manifest(self) -> Manifest | None:
        """The version that devices are to have, or None. Raises ListDamaged."""
        try:
            return read_manifest(self.lists, self.name)
        except FileNotFoundError:
            return None

    def history(self) -> History:
        """Raises HistoryDamaged."""
        try:
            return _parsed(json.loads(self._history.read_bytes()))
        except FileNotFoundError:
            return History()
        except (OSError, ValueError, KeyError, TypeError):
            raise HistoryDamaged(
                f"{self._history}: this cannot be read; restore it from a copy, or remove "
                f"{self.lists} and publish the list whole"
            ) from None

    def keep(self, history: History) -> None:
        """Writes the history. Raises OSError."""
        replace_durably(self._history, json.dumps(_said(history), indent=1).encode() + b"\n")

    def begin_with(self, built: Path, manifest: Manifest) -> None:
        """Takes a built version as the one that devices have. Raises OSError."""
        self.lists.mkdir(parents=True, exist_ok=True)
        link_version(built, self.lists, manifest)

    def files(self) -> Iterator[tuple[str, Path]]:
        """The files of the version that devices are to have, by the places of a publication."""
        manifest = read_manifest(self.lists, self.name)
        for part in parts_in(self.lists, manifest):
            for file in part.files():
                yield (RANGES if part.kind == RANGES else f"{part.kind}/{file.name}"), file

    def ranges(self, manifest: Manifest) -> Path:
        """The file of ranges of a version of the copy."""
        return ranges_path(self.lists, self.name, manifest.ranges_digest)


def _said(history: History) -> dict[str, Any]:
    return {
        "number": history.number,
        "begun_with": history.begun_with,
        "whole": None if history.whole is None else history.whole.said(),
        "whole_at": None if history.whole_at is None else history.whole_at.isoformat(),
        "steps": [
            {
                "at": past.at.isoformat(),
                "source_root": past.source_root,
                "step": past.step.model_dump(mode="json"),
            }
            for past in history.steps
        ],
    }


def _parsed(said: dict[str, Any]) -> History:
    whole = said["whole"]
    if whole is not None:
        whole = Manifest(**{**whole, "as_of": datetime.fromisoformat(whole["as_of"])})
    return History(
        number=int(said["number"]),
        begun_with=str(said["begun_with"]),
        whole=whole,
        whole_at=None if said["whole_at"] is None else datetime.fromisoformat(said["whole_at"]),
        steps=tuple(
            Past(
                step=Step.model_validate(one["step"]),
                at=datetime.fromisoformat(one["at"]).astimezone(UTC),
                source_root=str(one["source_root"]),
            )
            for one in said["steps"]
        ),
    )
