"""How each list of the device stands, for `borderpost list status`: what a scan would be told, and
what lies on disk behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.watchlist.age import ClockReading, span
from scanner.watchlist.contract import ListDamaged, ListHealth, ListState
from scanner.watchlist.key_keeping import Grade, how_well_kept
from scanner.watchlist.keyring import KeyFolders, KeyMissing
from scanner.watchlist.lists import Lists
from scanner.watchlist.manifest import IN_FORCE, PREVIOUS, Manifest, read_manifest
from scanner.watchlist.overlay import open_overlay
from scanner.watchlist.parts import OVERLAY, fault_at_opening, parts_in

_LABEL = 14


@dataclass(frozen=True)
class Changes:
    """What a version has changed since its base, in records, and its size in bytes."""

    added: int
    removed: int
    size: int


@dataclass(frozen=True)
class Lying:
    """A version as it lies on disk. `fault` says why it cannot be used, `size` is in bytes; without
    a manifest that can be read there is the fault alone."""

    manifest: Manifest | None
    size: int = 0
    changes: Changes | None = None
    fault: str = ""


@dataclass(frozen=True)
class Held:
    """The key of the version in force: its id, its file, how many keys that holds, how well it is
    kept. Where it is not at hand `said` tells why, and there is no more."""

    id: str
    said: str
    file: Path | None = None
    live: int = 0
    grade: Grade | None = None


@dataclass(frozen=True)
class Standing:
    """One list: how a scan finds it, the version in force, the one before, and the key."""

    state: ListState
    in_force: Lying | None
    previous: Lying | None
    key: Held | None

    @property
    def in_order(self) -> bool:
        """Whether it answers, out of the version in force, with nothing to be told."""
        return self.state.health is ListHealth.OK and not self.state.reason


def standings(
    lists: Lists, folder: Path, keys: KeyFolders, clock: ClockReading
) -> Iterator[Standing]:
    """Every list that is demanded or there, as it stands."""
    for state in lists.states(clock):
        in_force = _lying(folder, state.name, IN_FORCE)
        manifest = in_force.manifest if in_force else None
        yield Standing(
            state=state,
            in_force=in_force,
            previous=_lying(folder, state.name, PREVIOUS),
            key=_held(manifest, keys, folder) if manifest else None,
        )


def as_object(one: Standing) -> dict[str, Any]:
    """A list's standing for other programs. `version`, `as_of` and `age_s` are of the version that
    answers; null where none does."""
    state = one.state
    return {
        "name": state.name,
        "health": state.health.value,
        "reason": state.reason or None,
        "required": state.required,
        "version": state.version,
        "as_of": state.as_of.isoformat() if state.as_of else None,
        "age_s": state.age_s,
        "age_is_lower_bound": state.age_is_lower_bound,
        "in_force": _lying_object(one.in_force),
        "previous": _lying_object(one.previous),
        "key": _key_object(one.key) if one.key else None,
    }


def lines(one: Standing) -> Iterator[str]:
    """A list's standing for a person."""
    state = one.state
    yield f"{state.name}: {state.health.value}" + (f": {state.reason}" if state.reason else "")
    if state.as_of and state.age_s is not None:
        least = "at least " if state.age_is_lower_bound else ""
        age = f"{least}{span(state.age_s)} old"
        yield _row("answers", f"version {state.version}, right as of {moment(state.as_of)}, {age}")
    if one.in_force and one.in_force.manifest:
        yield _row("in force", _content(one.in_force.manifest, one.in_force))
        yield _row("changes", _changes(one.in_force))
    yield _row("previous", _previous(one.previous))
    if one.key:
        yield _row("key", _key(one.key))


def moment(as_of: datetime) -> str:
    """A moment for a person, to the second."""
    return as_of.isoformat(timespec="seconds")


def size_of(size: int) -> str:
    """A number of bytes for a person: `812 bytes`, `4.5 MB`."""
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def _lying(folder: Path, name: str, suffix: str) -> Lying | None:
    try:
        manifest = read_manifest(folder, name, suffix)
    except FileNotFoundError:
        return None
    except ListDamaged as damage:
        return Lying(None, fault=str(damage))
    parts = parts_in(folder, manifest)
    size = sum(part.size() for part in parts)
    fault = fault_at_opening(folder, manifest)
    changes = None
    for part in parts:
        if part.kind == OVERLAY and not fault:
            overlay = open_overlay(part.path, part.root)
            changes = Changes(overlay.adds.records, overlay.removals, part.size())
            overlay.close()
    return Lying(manifest, size, changes, fault)


def _held(manifest: Manifest, keys: KeyFolders, folder: Path) -> Held:
    try:
        found = keys.found(manifest.name, manifest.key_id)
    except KeyMissing as missing:
        return Held(manifest.key_id, str(missing))
    kept = how_well_kept(found.path, folder)
    return Held(manifest.key_id, kept.said, found.path, found.live, kept.grade)


def _row(label: str, text: str) -> str:
    return f"  {label:<{_LABEL}}{text}"


def _content(manifest: Manifest, lying: Lying) -> str:
    return (
        f"version {manifest.version}, {manifest.records:,} records, {manifest.ranges:,} ranges, "
        f"{size_of(lying.size)}"
    )


def _changes(lying: Lying) -> str:
    changes = lying.changes
    if changes is None:
        return f"not known: {lying.fault}" if lying.fault else "none since the base"
    return (
        f"{changes.added:,} records added and {changes.removed:,} removed since the base, "
        f"{size_of(changes.size)}"
    )


def _previous(lying: Lying | None) -> str:
    if lying is None:
        return "none"
    if lying.manifest is None:
        return lying.fault
    as_of = moment(lying.manifest.as_of)
    version = f"version {lying.manifest.version}, right as of {as_of}"
    return f"{version}: {lying.fault or 'all there, and of the right size'}"


def _key(key: Held) -> str:
    if key.grade is None:
        return key.said
    two = ", one of two live ones" if key.live > 1 else ""
    return f"{key.id} in {key.file}{two}: {key.grade.value}: {key.said}"


def _lying_object(lying: Lying | None) -> dict[str, Any] | None:
    if lying is None:
        return None
    manifest, changes = lying.manifest, lying.changes
    return {
        "version": manifest.version if manifest else None,
        "as_of": manifest.as_of.isoformat() if manifest else None,
        "records": manifest.records if manifest else None,
        "ranges": manifest.ranges if manifest else None,
        "bytes": lying.size,
        "overlay": {
            "added": changes.added,
            "removed": changes.removed,
            "bytes": changes.size,
        }
        if changes
        else None,
        "fault": lying.fault or None,
    }


def _key_object(key: Held) -> dict[str, Any]:
    return {
        "id": key.id,
        "file": str(key.file) if key.file else None,
        "live": key.live,
        "kept": key.grade.value if key.grade else None,
        "said": key.said,
    }
