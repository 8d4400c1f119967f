"""What is in the lists of a folder, for `borderpost-central lists inspect`. It tells no number of a
document, and needs no key.

Every part is opened as a device opens it: directories, tombstones and ranges are held against their
digests, and files against their sizes. Pages are not read: `borderpost list verify` does that.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.watchlist.age import span
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.manifest import (
    IN_FORCE,
    NAME,
    PREVIOUS,
    Manifest,
    read_manifest,
)
from scanner.watchlist.parts import Part, fault_at_opening, parts_in

_LABEL = 12
_SHOWN_AS = {IN_FORCE: "in force", PREVIOUS: "previous"}


@dataclass(frozen=True)
class PartSeen:
    """One part of a version: its bytes by file, how many records lie in it (None for ranges, or
    where it cannot be opened), and what is wrong with it."""

    part: Part
    files: dict[str, int]
    records: int | None
    fault: str

    @property
    def size(self) -> int:
        return sum(self.files.values())


@dataclass(frozen=True)
class VersionSeen:
    """One version of a list. Without a manifest that can be read there is the fault alone."""

    name: str
    standing: str
    manifest: Manifest | None
    parts: tuple[PartSeen, ...] = ()
    age_s: float = 0.0
    fault: str = ""


def versions_in(lists: Path, name: str, now: datetime) -> Iterator[VersionSeen]:
    """The version in force and the one before it, as far as they are there."""
    for suffix, standing in _SHOWN_AS.items():
        try:
            manifest = read_manifest(lists, name, suffix)
        except FileNotFoundError:
            continue
        except ListDamaged as damage:
            yield VersionSeen(name, standing, None, fault=str(damage))
            continue
        yield VersionSeen(
            name,
            standing,
            manifest,
            tuple(_seen(part) for part in parts_in(lists, manifest)),
            (now - manifest.as_of).total_seconds(),
            fault_at_opening(lists, manifest),
        )


def names_in(lists: Path) -> tuple[str, ...]:
    """The lists that a folder has. Raises OSError."""
    names = {path.stem for path in lists.iterdir() if path.suffix in _SHOWN_AS}
    return tuple(sorted(name for name in names if NAME.fullmatch(name)))


def lines(seen: VersionSeen) -> Iterator[str]:
    """A version for a person."""
    manifest = seen.manifest
    if manifest is None:
        yield f"{seen.name}, {seen.standing}: {seen.fault}"
        return
    yield f"{seen.name}, {seen.standing}: version {manifest.version}, {_whole(seen)}"
    yield _row("records", f"{manifest.records:,}; {manifest.ranges:,} ranges")
    yield _row("right as of", f"{manifest.as_of.isoformat()}, {_age(seen.age_s)}")
    yield _row("key", manifest.key_id)
    yield _row("root", manifest.root())
    for one in seen.parts:
        yield _row(one.part.kind, _part(one, manifest))
    total = sum(one.size for one in seen.parts)
    yield _row("in all", f"{total:,} bytes{_each(total, manifest.records)}")


def as_object(seen: VersionSeen) -> dict[str, Any]:
    """A version for other programs."""
    manifest = seen.manifest
    told = manifest.said() | {"root": manifest.root(), "age_s": seen.age_s} if manifest else {}
    return {
        **told,
        "name": seen.name,
        "standing": seen.standing,
        "fault": seen.fault or None,
        "parts": [
            {
                "kind": one.part.kind,
                "root": one.part.root,
                "records": one.records,
                "bytes": one.files,
                "fault": one.fault or None,
            }
            for one in seen.parts
        ],
    }


def _seen(part: Part) -> PartSeen:
    files = {path.name: path.stat().st_size for path in part.files() if path.exists()}
    try:
        table = part.open()
    except ListDamaged as damage:
        return PartSeen(part, files, None, str(damage))
    if table is None:
        return PartSeen(part, files, None, "")
    with closing(table):
        return PartSeen(part, files, table.records, "")


def _whole(seen: VersionSeen) -> str:
    return seen.fault or "all there, and of the right size"


def _age(seconds: float) -> str:
    return f"{span(seconds)} ago" if seconds >= 0 else f"{span(-seconds)} from now"


def _part(one: PartSeen, manifest: Manifest) -> str:
    if one.fault:
        return one.fault
    if one.records is None:
        return f"{one.size:,} bytes{_each(one.size, manifest.ranges, 'range')}"
    files = ", ".join(f"{name} {size:,}" for name, size in one.files.items())
    each = _each(one.size, one.records)
    return f"{one.records:,} records, {one.size:,} bytes{each}: {files}"


def _each(size: int, count: int, what: str = "record") -> str:
    return f", {size / count:.2f} a {what}" if count else ""


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{text}"
