"""A process that does nothing but look up, by the code that a device runs:
`python list_lookup.py LISTS NAME SECRET [LISTED UNLISTED]`.

SECRET is the list's key in hexadecimal. It opens the list as a device does and asks what a scan
asks of some documents; or, where two files of 64-bit keys are given, asks for those. In one line of
JSON it says what memory each step left it with, and the most that it ever had, in MB.
"""

import json
import sys
from array import array
from collections.abc import Iterator
from pathlib import Path

from talk import memory_mb

TOLD: dict[str, float] = {"python_mb": memory_mb("VmRSS")}


class OneKey:
    """Gives the one key that there is."""

    def __init__(self, key: object) -> None:
        self._key = key

    def key(self, list_name: str, key_id: str) -> object:
        return self._key


def scans(lists: Path, name: str, secret: bytes) -> None:
    """What some scans ask, through all that a device has before its lists."""
    from scanner.mrz.document import Format  # noqa: PLC0415 - imports are measured
    from scanner.mrz.parse import parse  # noqa: PLC0415
    from scanner.mrz.reading import Reading, Status  # noqa: PLC0415
    from scanner.mrz.write import compose, write  # noqa: PLC0415
    from scanner.watchlist.age import ClockReading  # noqa: PLC0415
    from scanner.watchlist.listkey import ListKey  # noqa: PLC0415
    from scanner.watchlist.lists import Lists  # noqa: PLC0415
    from scanner.watchlist.manifest import read_manifest  # noqa: PLC0415
    from scanner.watchlist.questions import questions  # noqa: PLC0415

    TOLD["imports_mb"] = memory_mb("VmRSS")
    device = Lists(lists, OneKey(ListKey(secret)))  # type: ignore[arg-type]
    now = ClockReading(read_manifest(lists, name).as_of, True, 0.0, 0.0)
    TOLD["not_ok"] = sum(1 for one in device.states(now) if one.health.value != "ok")
    TOLD["open_mb"] = memory_mb("VmRSS")
    TOLD["scans"] = TOLD["keys"] = TOLD["matches"] = 0
    for serial in range(200):
        lines = write(compose(Format.TD3, number=f"L{serial:08}", surname="ROOS"))
        parsed = parse(lines, now.now.date())
        told = device.ask(questions(parsed, Reading(Status.READ, lines, "benchmark")), now)
        TOLD["scans"] += 1
        TOLD["keys"] += told.asked
        TOLD["matches"] += len(told.matches)


def lookups(lists: Path, name: str, secret: bytes, listed: Path, unlisted: Path) -> None:
    """Keys, straight from a version."""
    from scanner.watchlist.listkey import ListKey  # noqa: PLC0415 - imports are measured
    from scanner.watchlist.manifest import read_manifest  # noqa: PLC0415
    from scanner.watchlist.version import open_version  # noqa: PLC0415

    TOLD["imports_mb"] = memory_mb("VmRSS")
    version = open_version(lists, read_manifest(lists, name), ListKey(secret))
    TOLD["open_mb"] = memory_mb("VmRSS")
    TOLD["found"] = sum(1 for one in _keys(listed) if version.find(one))
    TOLD["found_of_unlisted"] = sum(1 for one in _keys(unlisted) if version.find(one))


def _keys(path: Path) -> Iterator[int]:
    with path.open("rb") as file:
        while piece := file.read(8 * 1024):
            yield from array("Q", piece)


def main(lists: str, name: str, secret: str, *files: str) -> None:
    if files:
        lookups(Path(lists), name, bytes.fromhex(secret), Path(files[0]), Path(files[1]))
    else:
        scans(Path(lists), name, bytes.fromhex(secret))
    TOLD["most_mb"] = memory_mb("VmHWM")
    TOLD["with_numpy"] = int("numpy" in sys.modules)
    print(json.dumps(TOLD))


if __name__ == "__main__":
    main(*sys.argv[1:])
