"""What runs in the guest: `python -m tests.powercut.guest WORK DATA FOLDER`.

The work first looks whether everything is there that was said to last before the last cut, and says
what it found; then it says `ready` and works until its power is cut, or ends in the last of a
device's lives, where `known.json` says `last`. DATA is its disk. FOLDER is
the host's, to be read: `known.json` holds what was said in all the lives before.

Two canaries are set before the work begins, a file that is synced and one that is not. They show
that a cut takes what a power cut takes, and nothing else.

A work whose name ends in `-lying` never syncs what it writes: a run that is to be found out.
"""

import functools
import importlib
import json
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any

from scanner.durable import sync_folder
from tests.powercut.console import Wrong, say


def main() -> int:
    name, data, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    name, lying, _ = name.partition("-lying")
    known = json.loads((folder / "known.json").read_text())
    work = importlib.import_module(f"tests.powercut.work_{name}")
    look_for_canaries(data, known)
    if lying:
        never_sync()
    try:
        work.run(data, folder, known)
    except Wrong as wrong:
        say("wrong", why=str(wrong))
    else:
        say("ended")
    return 0


def look_for_canaries(data: Path, known: dict[str, Any]) -> None:
    """Says which of the last life's canaries are there, and sets new ones."""
    for name, number in known["canaries"].items():
        path = _place(data, name, number)
        say("canary", name=name, kept=path.exists() and path.read_bytes() == canary(name, number))
    number = int(known["life"])
    for name in ("unsynced", "synced"):
        handle = os.open(_place(data, name, number), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(handle, canary(name, number))
        if name == "synced":
            os.fsync(handle)
            sync_folder(data)
        os.close(handle)
        say("canary set", name=name, number=number)


def _place(data: Path, name: str, number: int) -> Path:
    return data / f"canary-{name}-{number}"


def canary(name: str, number: int) -> bytes:
    """What a canary's file holds, and no other file."""
    return f"a file {name} in life {number}; ".encode() * 100


class _Unsynced(sqlite3.Connection):
    """A connection that syncs nothing, whatever it is told."""

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        return super().execute(sql.replace("synchronous=FULL", "synchronous=OFF"), *arguments)


def never_sync() -> None:
    """From now on nothing is synced, and every promise is a lie."""
    sqlite3.connect = functools.partial(sqlite3.connect, factory=_Unsynced)  # type: ignore[assignment]
    os.fsync = lambda fd: None


if __name__ == "__main__":
    sys.exit(main())
