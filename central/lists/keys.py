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
from scanner.watchlist.manifest import IN_FORCE, NAME, PREVIOUS, Manifest, manifest_path


class KeyRefused(Exception):
    """There is no key to build under; the message says why in one line."""


@dataclass(frozen=True)
class Chosen:
    """The key of a build, and what an operator should be told of it, in lines."""

    key: ListKey
    said: list[str] = field(default_factory=list)


def key_for(name: str, out: Path, given: Path | None) -> Chosen:
    """The current key of the file `given`, else of the operator's own; the file is made for a list
    that is not in `out` yet. Raises KeyRefused."""
    path = given or user_folder() / f"{name}{SUFFIX}"
    _refuse_beside(path, out)
    if not NAME.fullmatch(name):
        raise KeyRefused(f"a list cannot be called {name!r}")
    said: list[str] = []
    manifest = in_force(out, name)
    is_there = any(manifest_path(out, name, suffix).exists() for suffix in (IN_FORCE, PREVIOUS))
    if not is_there and _made(path):
        said.append(f"{path}: made a key for list {name}; every desk that asks it needs it")
    needed = f"list {name} in {out} is under key {manifest.key_id}" if manifest else ""
    keys = _keys_in(path, out, needed)
    if manifest and manifest.key_id != keys[0].id:
        said.append(
            f"list {name} was under key {manifest.key_id} and will be under {keys[0].id}, from "
            f"{path}: a desk without it checks nothing"
        )
    return Chosen(keys[0], said)


def key_of(manifest: Manifest, lists: Path, given: Path | None) -> ListKey:
    """The key that a version in a folder of lists is under. Raises KeyRefused."""
    path = given or user_folder() / f"{manifest.name}{SUFFIX}"
    for key in _keys_in(path, lists, f"list {manifest.name} is under key {manifest.key_id}"):
        if key.id == manifest.key_id:
            return key
    raise KeyRefused(f"{path} has not the key {manifest.key_id}, which {manifest.name} is under")


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


def _refuse_beside(path: Path, lists: Path) -> None:
    """Raises KeyRefused for a key that lies with lists."""
    if lies_within(path, lists):
        raise KeyRefused(
            f"{path} lies with the lists: whoever copies them would have the key too; keep it "
            "elsewhere"
        )


def _keys_in(path: Path, lists: Path, needed: str) -> tuple[ListKey, ...]:
    _refuse_beside(path, lists)
    try:
        return read_keys(path)
    except FileNotFoundError:
        why = f" ({needed})" if needed else ""
        raise KeyRefused(
            f"{path} is not there{why}: bring the key, or name its file with --key"
        ) from None
    except KeyUnusable as unusable:
        raise KeyRefused(str(unusable)) from None


def _made(path: Path) -> bool:
    """Makes a key file unless it is there; of two makers at once one makes it. Raises
    KeyRefused."""
    if path.exists():
        return False
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write_keys(fresh, (ListKey.new(),))
        path.hardlink_to(fresh)
    except FileExistsError:
        return False
    except OSError as error:
        raise KeyRefused(f"{path}: {error.strerror or error}") from None
    finally:
        fresh.unlink(missing_ok=True)
    return True
