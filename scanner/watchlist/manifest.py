"""A list's manifest: the small file that says which version of a list holds.

A list folder has, for each list, `<name>.json` and the data file that it names. The manifest is
renamed into place last, so a folder always shows one whole version: the old one or the new one.
`check` is a digest over the manifest's other fields, so a damaged date or version is noticed too.
"""

import hashlib
import json
import re
from pathlib import Path

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    NonNegativeInt,
    PositiveInt,
)

from scanner.durable import replace_durably
from scanner.watchlist.contract import ListDamaged

FORMAT = 1
"""The version of the data file's format, the fold of `skeleton` included."""

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
"""What a list may be called: it becomes a file's name."""

IN_FORCE, PREVIOUS = ".json", ".previous"
"""How the manifest of the version in force ends, and that of the one before it."""

_LARGEST = 64 * 1024


class Manifest(BaseModel):
    """One version of one list. `as_of` is the moment up to which the list is right; `sha256` and
    `size` (bytes) are those of the whole data file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    name: str
    version: PositiveInt
    as_of: AwareDatetime
    file: str
    sha256: str
    size: NonNegativeInt
    records: NonNegativeInt
    ranges: NonNegativeInt

    def check(self) -> str:
        """The digest over every field."""
        fields = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(fields.encode()).hexdigest()


def manifest_path(folder: Path, name: str, suffix: str = IN_FORCE) -> Path:
    """Where a list's manifest lies."""
    return folder / f"{name}{suffix}"


def data_name(name: str, sha256: str) -> str:
    """What a version's data file is called: its name says what it holds."""
    return f"{name}-{sha256[:16]}.sqlite"


def read_manifest(folder: Path, name: str, suffix: str = IN_FORCE) -> Manifest:
    """A list's manifest, the one in force unless said.

    Raises FileNotFoundError when there is none, ListDamaged when it is not whole.
    """
    path = manifest_path(folder, name, suffix)
    try:
        with path.open("rb") as file:
            said = json.loads(file.read(_LARGEST))
        if not isinstance(said, dict):
            raise ValueError("not an object")  # noqa: TRY004 - one kind of damage
        check = said.pop("check", None)
        if said.get("format", FORMAT) != FORMAT:
            raise ListDamaged(
                f"{path}: this list is of format {said['format']!r:.20}, and format {FORMAT} is "
                "read here; update this program or build the list again"
            )
        manifest = Manifest.model_validate(said)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ListDamaged(f"{path}: {error.strerror or error}") from None
    except (ValueError, RecursionError):
        raise ListDamaged(f"{path}: this is no list's manifest; build the list again") from None
    if check != manifest.check():
        raise ListDamaged(f"{path}: the manifest is damaged; build or fetch the list again")
    if manifest.name != name or manifest.file != data_name(name, manifest.sha256):
        raise ListDamaged(f"{path}: the manifest is of another list; build this list again")
    return manifest


def write_manifest(folder: Path, manifest: Manifest, suffix: str = IN_FORCE) -> None:
    """Puts a version in force, durably: it holds from the rename on. Raises OSError."""
    said = {**manifest.model_dump(mode="json"), "check": manifest.check()}
    path = manifest_path(folder, manifest.name, suffix)
    replace_durably(path, json.dumps(said, indent=1).encode() + b"\n", mode=0o644)
