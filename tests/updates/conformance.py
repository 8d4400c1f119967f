"""Our client behind the command line of the public tuf-conformance suite.

    python tests/updates/conformance.py --metadata-dir DIR init ROOT
    python tests/updates/conformance.py --metadata-dir DIR --metadata-url URL refresh
    python tests/updates/conformance.py --metadata-dir DIR --metadata-url URL \\
        --target-name PATH --target-base-url URL --target-dir DIR download

`--target-name` may stand several times. Exit code 0 when it was done, 1 when it was refused. What a
device trusts by is in the folder DIR, and the floor beside it, in DIR.floor.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from urllib import parse

from firmware.updates.download import fetch, is_whole
from firmware.updates.repository import FetchFailed, NotThere, Piece, WebRepository
from firmware.updates.trust import METADATA, TARGETS, Refused, Trust

_BOOTSTRAP = "trusted-root"


class TwoPlaces:
    """Metadata from one address and targets from another."""

    def __init__(self, metadata: str, targets: str) -> None:
        self._places = {METADATA: WebRepository(metadata), TARGETS: WebRepository(targets)}

    def read(self, path: str, start: int = 0) -> Iterator[Piece]:
        for prefix, place in self._places.items():
            if path.startswith(prefix):
                return place.read(path.removeprefix(prefix), start)
        raise NotThere(path)


def init(folder: Path, root: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    beside(folder).mkdir(exist_ok=True)
    shutil.copyfile(root, beside(folder) / _BOOTSTRAP)
    shutil.copyfile(root, folder / "root.json")


def beside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.floor")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--target-name", default=[], action="append")
    parser.add_argument("--target-base-url", default="")
    parser.add_argument("--target-dir", type=Path)
    parser.add_argument("command", choices=("init", "refresh", "download"))
    parser.add_argument("root", type=Path, nargs="?")
    given = parser.parse_args()
    folder: Path = given.metadata_dir
    if given.command == "init":
        init(folder, given.root)
        return 0
    trust = Trust(
        folder,
        beside(folder) / "floor.json",
        (beside(folder) / _BOOTSTRAP).read_bytes(),
        lambda: datetime.now(UTC),
    )
    repository = TwoPlaces(given.metadata_url, given.target_base_url)
    try:
        with trust.session(repository, ()) as session:
            for path in given.target_name:
                target = session.lookup(path)
                if target is None:
                    print(f"nobody signed {path}", file=sys.stderr)
                    return 1
                given.target_dir.mkdir(parents=True, exist_ok=True)
                place = given.target_dir / parse.quote(path, "")
                if not is_whole(place, target):
                    fetch(repository, target, given.target_dir, Event()).replace(place)
    except (Refused, FetchFailed) as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
