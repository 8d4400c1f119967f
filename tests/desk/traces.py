"""Whether anything of a person is in files or text: plain, as other encodings write it, or packed
as the desk packs what it keeps."""

import base64
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from firmware.delivery.packing import PRESENT, Damaged, unpacked

SHORTEST = 5
"""Shorter words stand everywhere by chance."""


def forms(word: str) -> set[bytes]:
    """How a word may be written."""
    plain = {word.encode(), word.lower().encode(), word.title().encode()}
    wide = {word.encode("utf-16-le"), word.encode("utf-16-be")}
    hexed = {one.hex().encode() for one in plain} | {one.hex().upper().encode() for one in plain}
    return plain | wide | hexed | {form for one in plain for form in _in_base64(one)}


def traces(places: list[Path], words: list[str]) -> list[str]:
    """Which words stand where: under these folders, files' names included, and in these files."""
    wanted = {form: word for word in words if len(word) >= SHORTEST for form in forms(word)}
    found = set()
    for place in places:
        for path in [place, *place.rglob("*")] if place.is_dir() else [place]:
            for content in (str(path).encode(), *_contents(path)):
                found |= {f"{word} in {path}" for form, word in wanted.items() if form in content}
    return sorted(found)


def _in_base64(content: bytes) -> Iterator[bytes]:
    """What is the same in the base64 of any text around it, at each of three offsets."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + content)
        inner = encoded[-(-offset * 8 // 6) : (offset + len(content)) * 8 // 6]
        yield inner
        yield inner.replace(b"+", b"-").replace(b"/", b"_")


def _contents(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    whole = path.read_bytes()
    yield whole
    yield from _unpacked(whole)
    if whole.startswith(b"SQLite format 3\0"):
        for cell in _cells(path):
            yield from _unpacked(cell)


def _cells(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(path)) as db:
        for (table,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        ).fetchall():
            for row in db.execute(f'SELECT * FROM "{table}"'):  # noqa: S608  the file's own names
                yield from (cell for cell in row if isinstance(cell, bytes))


def _unpacked(content: bytes) -> Iterator[bytes]:
    for dictionary in range(1, PRESENT + 1):
        try:
            yield unpacked(content, dictionary)
        except Damaged:
            continue
    for form in (zlib.MAX_WBITS, zlib.MAX_WBITS | 16, -zlib.MAX_WBITS):
        try:
            yield zlib.decompress(content, form)
        except zlib.error:
            continue
