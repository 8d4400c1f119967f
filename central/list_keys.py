"""Which key a list is built under: that of a key file named, or that in the operator's own folder.

A list's first build makes its key. A later build never does: under a new key the list would be
closed to every desk that has the old one, and a desk that cannot open a list checks nothing.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

from scanner.watchlist.activation import in_force
from scanner.watchlist.keyring import (
    SUFFIX,
    KeyUnusable,
    lies_within,
    read_keys,
    user_folder,
    with_new_key,
    write_keys,
)
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import NAME


class KeyRefused(Exception):
    """There is no key to build under; the message says why in one line."""


@dataclass(frozen=True)
class Chosen:
    """The key of a build, and what an operator should be told of it, in lines."""

    key: ListKey
    said: list[str] = field(default_factory=list)


def key_for(name: str, out: Path, given: Path | None) -> Chosen:
    """The current key of the file `given`, else of the operator's own; that is made for a list that
    is not in `out` yet. Raises KeyRefused."""
    path = given or user_folder() / f"{name}{SUFFIX}"
    if lies_within(path, out):
        raise KeyRefused(
            f"{path} lies with the lists: whoever copies them would have the key too; keep it "
            "elsewhere"
        )
    said: list[str] = []
    manifest = in_force(out, name) if NAME.fullmatch(name) else None
    try:
        if given is None and manifest is None and NAME.fullmatch(name) and _made(path):
            said.append(f"{path}: made a key for list {name}; every desk that asks it needs it")
        keys = read_keys(path)
    except FileNotFoundError:
        needed = f"; list {name} in {out} is under key {manifest.key_id}" if manifest else ""
        raise KeyRefused(
            f"{path} is not there{needed}: bring the key, or name its file with --key"
        ) from None
    except KeyUnusable as unusable:
        raise KeyRefused(str(unusable)) from None
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror or error}") from None
    if manifest and manifest.key_id != keys[0].id:
        said.append(
            f"list {name} was under key {manifest.key_id} and will be under {keys[0].id}, from "
            f"{path}: a desk without it checks nothing"
        )
    return Chosen(keys[0], said)


def new_key_for(name: str, given: Path | None) -> tuple[Path, ListKey]:
    """Puts a new key in front of the one in the file `given`, else in the operator's own, and gives
    that path and the new key. Raises KeyRefused."""
    if not NAME.fullmatch(name):
        raise KeyRefused(f"a list cannot be called {name!r}")
    path = given or user_folder() / f"{name}{SUFFIX}"
    try:
        return path, with_new_key(path)
    except KeyUnusable as unusable:
        raise KeyRefused(str(unusable)) from None
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror or error}") from None


def _made(path: Path) -> bool:
    """Makes a key file unless it is there; of two makers at once one makes it. Raises OSError."""
    if path.exists():
        return False
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    write_keys(fresh, (ListKey.new(),))
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    return True
