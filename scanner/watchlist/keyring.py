"""Where the keys of lists come from: systemd credentials first, then folders of key files.

A key file, `<list>.key`, has a key in 64 hexadecimal digits on each line, the current one first.
While a key is being changed two are live: a new base is built under the new one, and devices that
still hold a version under the old one go on asking it. A manifest says which key it needs.

A key must never lie with the lists: whoever copies the card would have both, and could try out
every number that a State may issue. One that lies there is refused. One that others of the machine
may read is used, and `key_keeping` says so: at a desk that alone is no reason to check nothing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from scanner import credentials
from scanner.credentials import PREFIX
from scanner.durable import replace_durably
from scanner.said import Said, joined, said
from scanner.watchlist.listkey import SECRET_BYTES, ListKey

SUFFIX = ".key"
MOST_LIVE = 2
_LARGEST = 4096


class KeyMissing(Exception):
    """A list's key is not at hand; the message says which, where it was sought and what to do."""


class KeyUnusable(Exception):
    """A key file cannot be used; the message says which and why, and nothing of the key."""


@dataclass(frozen=True)
class FoundKey:
    """A key, the file that it is in, and how many keys that file has."""

    key: ListKey
    path: Path
    live: int


class KeySource(Protocol):
    """Whoever gives the keys of lists."""

    def key(self, list_name: str, key_id: str) -> ListKey:
        """The list's key with this id. Raises KeyMissing."""
        ...


class KeyFolders:
    """Keys from files `<list>.key` in one of several folders, read at each asking."""

    def __init__(self, folders: Sequence[Path], *, apart_from: Path | None = None) -> None:
        """No key is taken from `apart_from`, the folder of the lists, or from within it."""
        self._folders = tuple(folders)
        self._apart_from = apart_from

    def key(self, list_name: str, key_id: str) -> ListKey:
        """The list's key with this id. Raises KeyMissing."""
        return self.found(list_name, key_id).key

    def found(self, list_name: str, key_id: str) -> FoundKey:
        """The list's key with this id, and where it lies. Raises KeyMissing."""
        faults: list[str] = []
        for path in self.files(list_name):
            try:
                keys = self._keys_in(path)
            except FileNotFoundError:
                continue
            except KeyUnusable as unusable:
                faults.append(str(unusable))
                continue
            for key in keys:
                if key.id == key_id:
                    return FoundKey(key, path, len(keys))
            faults.append(said("{path} holds another key", path=path))
        why = joined(faults) or self._sought()
        raise KeyMissing(
            said(
                "the key {key_id} of list {list_name} is not at hand ({why}); bring "
                "{file} from headquarters",
                key_id=key_id,
                list_name=list_name,
                why=why,
                file=f"{list_name}{SUFFIX}",
            )
        )

    def _sought(self) -> Said:
        if not self._folders:
            return said("sought in no folder of keys")
        return said("sought in {folders}", folders=", ".join(map(str, self._folders)))

    def files(self, list_name: str) -> tuple[Path, ...]:
        """Where a list's key is sought, in that order: under a credential's name, then its own."""
        name = f"{list_name}{SUFFIX}"
        every = ((folder / f"{PREFIX}{name}", folder / name) for folder in self._folders)
        return tuple(chain.from_iterable(every))

    def _keys_in(self, path: Path) -> tuple[ListKey, ...]:
        keys = _sealed_keys(path) if path.parent == credentials.SEALED else read_keys(path)
        if self._apart_from is not None and lies_within(path, self._apart_from):
            raise KeyUnusable(
                said("{path} lies with the lists and is not used; move it away", path=path)
            )
        return keys


def lies_within(path: Path, folder: Path | str) -> bool:
    """Whether a path leads into a folder, links followed."""
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


def device_folders(configured: Path | None = None) -> tuple[Path, ...]:
    """Where a device's keys are sought: credentials, open ones and those that root can open, what
    is configured, the user's own folder."""
    configured_too = [configured] if configured else []
    return (credentials.folder(), credentials.SEALED, *configured_too, user_folder())


def user_folder() -> Path:
    """The user's own folder of keys (XDG Base Directory Specification)."""
    data = os.environ.get("XDG_DATA_HOME") or ""
    home = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return home / "borderpost" / "list-keys"


def read_keys(path: Path) -> tuple[ListKey, ...]:
    """The keys in a file, the current one first. Raises FileNotFoundError, KeyUnusable."""
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
            content = file.read(_LARGEST + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyUnusable(
            said("{path}: {error}", path=path, error=error.strerror or error)
        ) from None
    return _parsed(path, content)


def _sealed_keys(path: Path) -> tuple[ListKey, ...]:
    """The keys in a sealed file. Raises FileNotFoundError, KeyUnusable."""
    try:
        content = credentials.unsealed(path.name)
    except (credentials.CannotSeal, OSError) as error:
        raise KeyUnusable(said("{path}: {error}", path=path, error=error)) from None
    if content is None:
        raise FileNotFoundError(path)
    return _parsed(path, content)


def _parsed(path: Path, content: bytes) -> tuple[ListKey, ...]:
    lines = content.split()
    if not 1 <= len(lines) <= MOST_LIVE or len(content) > _LARGEST:
        raise KeyUnusable(
            said("{path}: a key file has one key, or two while a key is being changed", path=path)
        )
    try:
        return tuple(ListKey(bytes.fromhex(line.decode("ascii"))) for line in lines)
    except ValueError:
        raise KeyUnusable(
            said(
                "{path}: a key has {digits} hexadecimal digits on a line of its own",
                path=path,
                digits=2 * SECRET_BYTES,
            )
        ) from None


def write_keys(path: Path, keys: Sequence[ListKey]) -> None:
    """Writes a key file, durably and for its owner alone. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    replace_durably(path, "".join(f"{key.secret.hex()}\n" for key in keys).encode())


def with_new_key(path: Path) -> ListKey:
    """Puts a new key in front of the one in force, which stays live beside it; older ones go.
    Raises KeyUnusable, OSError."""
    try:
        live = read_keys(path)[:1]
    except FileNotFoundError:
        live = ()
    new = ListKey.new()
    write_keys(path, (new, *live))
    return new
