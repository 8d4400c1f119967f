"""What every test with a list shares: a key of no worth, and lists that are built under it."""

from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.watchlist.build import Built, build_list
from scanner.watchlist.keyring import KeyMissing
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.lists import ListPolicy, Lists

KEY = ListKey(bytes(range(32)))


class Ring:
    """A key source that has the keys it is given, for every list."""

    def __init__(self, *keys: ListKey) -> None:
        self.keys = list(keys)

    def key(self, list_name: str, key_id: str) -> ListKey:
        for key in self.keys:
            if key.id == key_id:
                return key
        raise KeyMissing(f"list {list_name}: its key {key_id} is nowhere; bring it to this test")


KEYS = Ring(KEY)


def built(
    source: Path,
    folder: Path,
    name: str = "sltd",
    *,
    as_of: datetime,
    key: ListKey = KEY,
    **options: Any,
) -> Built:
    """Builds a list, under KEY unless another is given."""
    return build_list(source, folder, name, key=key, as_of=as_of, **options)


def lists_in(folder: Path | None, *policies: ListPolicy) -> Lists:
    """The lists of a folder, asked with KEY."""
    return Lists(folder, KEYS, policies or None)


def flip(path: Path, place: int) -> None:
    """Turns one bit of a file over."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
