"""What a device's own list engine does with a list, as JSON on standard output. Run by the device's
Python.

    list_work.py build SOURCE LISTS
    list_work.py delta OLD NEW OUT
    list_work.py apply LISTS DELTA
    list_work.py fold LISTS
    list_work.py tell LISTS

Headquarters' commands are not on a device, but the engine behind them is in the package: it is the
same modules that read a list, and that a desk itself folds and applies with. The key and the moment
are fixed, so that what two machines make can be held against each other to the byte.
"""

import hashlib
import json
import sys
import time
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.watchlist.build import Progress, build_list
from scanner.watchlist.delta import make_delta, ranges_of
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.fold import fold
from scanner.watchlist.keyring import write_keys
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.version import open_version

LIST = "sltd"
KEY = ListKey(b"a key that is tried out with, 32"[:32])


def build(source: Path, lists: Path) -> dict[str, Any]:
    as_of = datetime.fromisoformat(source.stem)

    def show(now: Progress) -> None:
        print(json.dumps({"so_far": f"{now.stage} {now.share:.0%}"}), flush=True)

    built = build_list(source, lists, LIST, key=KEY, as_of=as_of, progress=show)
    keys = lists.with_name(f"{lists.name}-keys")
    keys.mkdir(exist_ok=True)
    write_keys(keys / f"{LIST}.key", [KEY])
    return {**tell(lists), "superseded": built.superseded}


def delta(old: Path, new: Path, out: Path) -> dict[str, Any]:
    manifests = [read_manifest(lists, LIST) for lists in (old, new)]
    with (
        closing(open_version(old, manifests[0], KEY)) as before,
        closing(open_version(new, manifests[1], KEY)) as after,
    ):
        made = make_delta(before, after, ranges_of(new, after), out)
    return {"sha256": _sha256(out), "bytes": made.size, "to_root": made.header.to_root}


def apply(lists: Path, file: Path) -> dict[str, Any]:
    apply_delta(lists, LIST, file, KEY)
    return tell(lists)


def folded(lists: Path) -> dict[str, Any]:
    fold(lists, LIST, KEY)
    return tell(lists)


def tell(lists: Path) -> dict[str, Any]:
    """The version in force, and every file of it."""
    manifest = read_manifest(lists, LIST)
    files = (one for one in sorted(lists.rglob("*")) if one.is_file() and ".lock" not in one.name)
    return {
        "root": manifest.root(),
        "base": manifest.base,
        "records": manifest.records,
        "ranges": manifest.ranges,
        "files": {str(one.relative_to(lists)): _sha256(one) for one in files},
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def main() -> None:
    work = {"build": build, "delta": delta, "apply": apply, "fold": folded, "tell": tell}
    began = time.process_time()
    told = work[sys.argv[1]](*map(Path, sys.argv[2:]))
    print(json.dumps({**told, "cpu_s": round(time.process_time() - began, 1)}))


if __name__ == "__main__":
    main()
