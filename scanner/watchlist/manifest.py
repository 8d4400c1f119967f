"""A list's manifest: the small file that says which version of a list holds, and what is in it.

The manifest is renamed into place last, so a folder always shows one whole version: the old one or
the new one. It names a version's parts by their roots (`layout` says where they lie), so what is
vouched for by the manifest's own `root` is every byte of the version. `check` is a digest over the
other fields, so a damaged date or number is noticed too.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.durable import replace_durably
from scanner.said import said
from scanner.watchlist.contract import ListDamaged

FORMAT = 2
"""The version of a list's format, the fold of `skeleton` and the numbers of `records` included."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""What a list may be called: it becomes a file's name."""

IN_FORCE, PREVIOUS = ".json", ".previous"
"""How the manifest of the version in force ends, and that of the one before it."""

NO_ROOT = bytes(32)
"""Stands for the overlay of a version that has none."""

_LARGEST = 64 * 1024
_ROOT = re.compile(r"[0-9a-f]{64}")
_KEY_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Manifest:
    """One version of one list. `as_of`, with its zone, is the moment up to which the list is right.
    `records` counts those that are listed and `ranges` the ranges; `base`, `overlay` and
    `ranges_digest` are the hexadecimal roots of the parts, 64 digits each."""

    name: str
    version: int
    as_of: datetime
    key_id: str
    records: int
    ranges: int
    base: str
    overlay: str | None
    ranges_digest: str
    format: int = FORMAT

    def root(self) -> str:
        """What vouches for the whole content: 64 hexadecimal digits."""
        return version_root(self.base, self.overlay, self.ranges_digest)

    def said(self) -> dict[str, Any]:
        """Every field as JSON has it."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}

    def check(self) -> str:
        """The digest over every field."""
        return hashlib.sha256(json.dumps(self.said(), sort_keys=True).encode()).hexdigest()


def version_root(base: str, overlay: str | None, ranges_digest: str) -> str:
    """The root of a version that is made of these parts."""
    parts = bytes.fromhex(base) + (bytes.fromhex(overlay) if overlay else NO_ROOT)
    whole = parts + bytes.fromhex(ranges_digest)
    return hashlib.blake2b(whole, digest_size=32, person=b"bp list version").hexdigest()


def manifest_path(folder: Path, name: str, suffix: str = IN_FORCE) -> Path:
    """Where a list's manifest lies."""
    return folder / f"{name}{suffix}"


def read_manifest(folder: Path, name: str, suffix: str = IN_FORCE) -> Manifest:
    """A list's manifest, the one in force unless said.

    Raises FileNotFoundError when there is none, ListDamaged when it is not whole.
    """
    path = manifest_path(folder, name, suffix)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ListDamaged(
            said("{path}: {error}", path=path, error=error.strerror or error)
        ) from None
    try:
        values = json.loads(content)
        if not isinstance(values, dict):
            raise ValueError("not an object")  # noqa: TRY004 - one kind of damage
        check = values.pop("check", None)
        if values.get("format", FORMAT) != FORMAT:
            raise ListDamaged(
                said(
                    "{path}: this list is of format {other}, and format {format} is read here; "
                    "update this program or build the list again",
                    path=path,
                    other=f"{values['format']!r:.20}",
                    format=FORMAT,
                )
            )
        manifest = _manifest(values)
    except (ValueError, TypeError, RecursionError):
        raise ListDamaged(
            said("{path}: this is no list's manifest; build the list again", path=path)
        ) from None
    if check != manifest.check():
        raise ListDamaged(
            said("{path}: the manifest is damaged; build or fetch the list again", path=path)
        )
    if manifest.name != name:
        raise ListDamaged(
            said("{path}: the manifest is of another list; build this list again", path=path)
        )
    return manifest


def write_manifest(folder: Path, manifest: Manifest, suffix: str = IN_FORCE) -> None:
    """Puts a manifest in place, durably: it holds from the rename on. Raises OSError."""
    content = {**manifest.said(), "check": manifest.check()}
    path = manifest_path(folder, manifest.name, suffix)
    replace_durably(path, json.dumps(content, indent=1).encode() + b"\n", mode=0o644)


def _manifest(content: dict[str, Any]) -> Manifest:
    """Raises ValueError or TypeError where a field is missing, unknown or not what it should be."""
    if set(content) != {field.name for field in fields(Manifest)}:
        raise ValueError("other fields than a manifest has")
    as_of = datetime.fromisoformat(content["as_of"])
    numbers = [content[name] for name in ("version", "records", "ranges")]
    if any(type(number) is not int or number < 0 for number in numbers) or not content["version"]:
        raise ValueError("a number is none")
    roots = [content["base"], content["ranges_digest"], content["overlay"] or content["base"]]
    if not all(_ROOT.fullmatch(root) for root in roots) or not _KEY_ID.fullmatch(content["key_id"]):
        raise ValueError("a root is none")
    if as_of.tzinfo is None or not isinstance(content["name"], str):
        raise ValueError("a moment without a zone, or no name")
    return Manifest(**{**content, "as_of": as_of})
