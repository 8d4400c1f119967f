"""What is published of a list for a ring of devices: the version they are to have, and the ways
there.

A publication is a small JSON file, one for each list and ring. It names the version by its root,
the moment up to which that version is right, the steps by which an older version becomes it, and a
whole version that a device takes where no steps lead from what it has. Who may sign it, and whether
it is the latest, is The Update Framework's matter; here is only its form, for both ends.

Steps follow one another: each starts from the root that the one before leads to. A `delta` is a
file; a `fold` needs none, the device makes the same new base of what it has as the publisher did.

Canaries are invented documents: those that the list must know once it is in force, and those that
it must not.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from scanner.mrz.document import Kind
from scanner.watchlist.manifest import NAME, Manifest, version_root

MOST_BYTES = 256 * 1024
"""No publication is larger; more is refused unread."""
MOST_STEPS = 512
MOST_CANARIES = 64

RING = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
"""What a ring may be called."""

_PUBLICATION = re.compile(rf"lists/({NAME.pattern})/({RING.pattern})\.json")

Root = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Path = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][A-Za-z0-9._/-]{0,199}$")]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]


class PublicationUnusable(Exception):
    """A publication that is none; the message says why in one line."""


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _list_name(value: str) -> str:
    if not NAME.fullmatch(value):
        raise ValueError("is no list's name")
    return value


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Step(_Part):
    """How one version becomes the next. `path` is a delta's target and null for a fold."""

    kind: Literal["delta", "fold"]
    from_version: Version
    from_root: Root
    to_version: Version
    to_root: Root
    path: Path | None = None
    bytes: Count = 0

    @model_validator(mode="after")
    def _has_its_file(self) -> "Step":
        if (self.path is None) != (self.kind == "fold"):
            raise ValueError("a delta has a file and a fold none")
        return self


class File(_Part):
    """A file of a whole version: its target, and where it lies in the list's folder."""

    path: Path
    place: Path
    bytes: Count


class Whole(_Part):
    """A whole version, file by file."""

    version: Version
    as_of: Moment
    key_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    records: Count
    ranges: Count
    base: Root
    overlay: Root | None = None
    ranges_digest: Root
    files: tuple[File, ...] = Field(min_length=1, max_length=16)

    def root(self) -> str:
        """What vouches for all of it."""
        return version_root(self.base, self.overlay, self.ranges_digest)

    def manifest(self, name: str) -> Manifest:
        """The manifest of this version on a device."""
        return Manifest(
            name=name,
            version=self.version,
            as_of=self.as_of,
            key_id=self.key_id,
            records=self.records,
            ranges=self.ranges,
            base=self.base,
            overlay=self.overlay,
            ranges_digest=self.ranges_digest,
        )

    @property
    def bytes(self) -> int:
        """What a device fetches for it."""
        return sum(file.bytes for file in self.files)


class Canary(_Part):
    """An invented document that a list must know, or must not."""

    issuer: Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,3}$")]
    number: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,30}$")]
    kind: Kind
    listed: bool


class Publication(_Part):
    """What one ring's devices are to have of one list."""

    format: Literal[1] = 1
    name: Annotated[str, AfterValidator(_list_name)]
    ring: Annotated[str, StringConstraints(pattern=f"^{RING.pattern}$")]
    number: Count
    """Counts the publications of the list, whatever the ring."""
    version: Version
    root: Root
    as_of: Moment
    whole: Whole
    steps: tuple[Step, ...] = Field(default=(), max_length=MOST_STEPS)
    canaries: tuple[Canary, ...] = Field(default=(), max_length=MOST_CANARIES)

    @model_validator(mode="after")
    def _leads_to_its_version(self) -> "Publication":
        for before, after in zip(self.steps, self.steps[1:], strict=False):
            if (before.to_version, before.to_root) != (after.from_version, after.from_root):
                raise ValueError("its steps do not follow one another")
        reached = (self.version, self.root)
        if self.steps and (self.steps[-1].to_version, self.steps[-1].to_root) != reached:
            raise ValueError("its steps lead to another version")
        starts = {(step.from_version, step.from_root) for step in self.steps} | {reached}
        if (self.whole.version, self.whole.root()) not in starts:
            raise ValueError("nothing leads from its whole version to the one that it names")
        return self

    def steps_from(self, version: int, root: str) -> tuple[Step, ...] | None:
        """The steps from a version to the one to have: none where it is that one, None where
        nothing leads there."""
        if (version, root) == (self.version, self.root):
            return ()
        for place, step in enumerate(self.steps):
            if (step.from_version, step.from_root) == (version, root):
                return self.steps[place:]
        return None


def target_of(name: str, ring: str) -> str:
    """The target path of a list's publication for a ring."""
    return f"lists/{name}/{ring}.json"


def ring_in(path: str) -> tuple[str, str] | None:
    """The list and the ring whose publication a target path is, or None."""
    found = _PUBLICATION.fullmatch(path)
    return (found[1], found[2]) if found else None


def paths_of(name: str) -> Sequence[str]:
    """The target paths that whoever signs a list may sign: no other list's."""
    return (f"lists/{name}/*", f"lists/{name}/*/*")


def role_of(name: str) -> str:
    """The role that signs a list."""
    return f"list-{name}"


def read_publication(content: bytes, name: str, ring: str) -> Publication:
    """The publication in `content`. Raises PublicationUnusable."""
    try:
        publication = Publication.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "it"
        raise PublicationUnusable(
            f"list {name}: the publication is none: {where}: {first['msg']}"
        ) from None
    if (publication.name, publication.ring) != (name, ring):
        raise PublicationUnusable(
            f"list {name}: the publication is of list {publication.name} for ring "
            f"{publication.ring}, not {ring}"
        )
    return publication
