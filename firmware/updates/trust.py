"""What is trusted of a repository: The Update Framework's client, and what it leaves to whoever
uses it.

The reference client (`tuf.ngclient`) verifies signatures, thresholds, delegations, versions and
expiry, in the order of the specification. It runs here on a copy of the metadata that this device
keeps; what it accepts is held to three things more before it is kept:

- **No version below the floor** (`floor`), whatever became of the metadata on the card.
- **Nothing expired by reference time** (DESIGN §5): the client itself looks at the machine's clock,
  and a Pi's may stand in 1970.
- **Made durable**, the floor first and then the metadata, each file whole and synced: the client
  renames files without syncing them.

The Update Framework specification 1.0.33, §5 "Detailed client workflow".
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib import parse

from tuf.api import exceptions
from tuf.api.metadata import Metadata, Root, Signed, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient import Updater, UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface

from firmware.updates.floor import Floor, Reached
from firmware.updates.repository import FetchFailed, NotThere, Repository, TooSlow
from scanner.durable import clear_left, replace_durably, sync_folder
from scanner.said import said
from scanner.watchlist.publication import target_of

METADATA, TARGETS = "metadata/", "targets/"
_ORDER = (Root.type, Timestamp.type, Snapshot.type, Targets.type)
_HISTORY = "root_history"
_SCRATCH = ".refresh-"
_CONFIG = UpdaterConfig(
    max_root_rotations=256,
    max_delegations=64,
    root_max_length=512_000,
    timestamp_max_length=16_384,
    snapshot_max_length=512_000,
    targets_max_length=512_000,
)


class Refused(Exception):
    """A repository that is not believed, or not reached. `code` is stable; the message is one
    line."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Trusted:
    """What a repository that is believed says. `targets` are by list; a list that it does not know
    is missing there."""

    targets: dict[str, TargetFile]
    lookup: Callable[[str], TargetFile | None]
    """The target at a path, or None."""


@dataclass(frozen=True)
class Session:
    """The same by target paths; None for a path that nobody signed."""

    targets: dict[str, TargetFile | None]
    lookup: Callable[[str], TargetFile | None]


class Trust:
    """The trust of this device. `folder` holds its metadata, `floor` the floor's file; `root` is
    the root metadata that the device was installed with."""

    def __init__(
        self, folder: Path, floor: Path, root: bytes, clock: Callable[[], datetime]
    ) -> None:
        self._folder = folder
        self._floor_path = floor
        self._root = root
        self._clock = clock

    @contextmanager
    def refreshed(
        self, repository: Repository, lists: tuple[str, ...], ring: str
    ) -> Iterator[Trusted]:
        """What the repository says now of these lists for this ring. While the context is open,
        further targets may be looked up. Raises Refused, OSError."""
        paths = {name: target_of(name, ring) for name in lists}
        with self.session(repository, tuple(paths.values())) as session:
            found = {name: session.targets[path] for name, path in paths.items()}
            yield Trusted(
                targets={name: target for name, target in found.items() if target is not None},
                lookup=session.lookup,
            )

    @contextmanager
    def session(self, repository: Repository, paths: tuple[str, ...]) -> Iterator[Session]:
        """What the repository says now of these target paths. One session at a time. Raises
        Refused, OSError.

        Of a repository that is refused half-way, what was verified before stays, as the
        specification demands (§5.4.5, §5.5.7): it is what a later rollback is known by."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._clear_left()
        with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=self._folder.parent) as scratch:
            copy = Path(scratch)
            shutil.copytree(self._folder, copy, symlinks=True, dirs_exist_ok=True)
            try:
                with _refusals():
                    updater = Updater(
                        str(copy),
                        METADATA,
                        target_base_url=TARGETS,
                        fetcher=_Fetcher(repository),
                        config=_CONFIG,
                        bootstrap=self._root,
                    )
                    updater.refresh()
                    targets = {path: updater.get_targetinfo(path) for path in paths}
            except Refused:
                self._keep(copy, _metadata(copy))
                raise
            believed = _metadata(copy)
            today = _of_today(believed)
            self._hold_to_the_floor(_reached(believed), today)
            self._hold_to_the_time(today)
            self._keep(copy, believed)
            yield Session(targets, lambda path: self._looked_up(updater, copy, path))

    def _clear_left(self) -> None:
        """Removes what a session left that was killed."""
        for scratch in self._folder.parent.glob(f"{_SCRATCH}*"):
            shutil.rmtree(scratch)
        for folder in (self._folder, self._folder / _HISTORY):
            clear_left(folder)
        Floor(self._floor_path).clear_left()

    def _looked_up(self, updater: Updater, copy: Path, path: str) -> TargetFile | None:
        with _refusals():
            target = updater.get_targetinfo(path)
        self._keep(copy, _metadata(copy))
        return target

    def _hold_to_the_floor(self, reached: dict[str, Reached], roles: Collection[str]) -> None:
        floor = Floor(self._floor_path)
        for role in roles:
            one = reached[role]
            lowest = floor.under(role, one.keys)
            if one.version < lowest:
                raise Refused(
                    "rollback",
                    said(
                        "the repository's {role} is version {version}, and this device has seen "
                        "{lowest}: it is an old copy",
                        role=role,
                        version=one.version,
                        lowest=lowest,
                    ),
                )

    def _hold_to_the_time(self, believed: dict[str, Signed]) -> None:
        now = self._clock()
        for role, signed in believed.items():
            if signed.expires <= now:
                raise Refused(
                    "expired",
                    said(
                        "the repository's {role} ended at {expires} UTC; it must be signed anew",
                        role=role,
                        expires=f"{signed.expires:%Y-%m-%d %H:%M}",
                    ),
                )

    def _keep(self, copy: Path, believed: dict[str, Signed]) -> None:
        """Makes durable what was verified: the floor first, then roots, then the rest. Raises
        Refused where any of it is below the floor; then nothing of it is kept."""
        new = [role for role in believed if self._is_new(copy, role)]
        reached = _reached(believed)
        self._hold_to_the_floor(reached, new)
        if not new:
            return
        Floor(self._floor_path).raise_to({role: reached[role] for role in new})
        history = self._folder / _HISTORY
        history.mkdir(exist_ok=True, mode=0o700)
        sync_folder(self._folder)
        for file in sorted((copy / _HISTORY).iterdir()):
            _replace_if_other(history / file.name, file.read_bytes())
        for role in sorted(new, key=_place):
            name = file_name(role)
            replace_durably(self._folder / name, (copy / name).read_bytes())

    def _is_new(self, copy: Path, role: str) -> bool:
        """Whether a role's metadata is another than the one kept."""
        name = file_name(role)
        try:
            return (self._folder / name).read_bytes() != (copy / name).read_bytes()
        except FileNotFoundError:
            return True


class _Fetcher(FetcherInterface):
    """The client's own way to ask for files, over our seam."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            for piece in self._repository.read(url):
                yield piece.content
        except NotThere as missing:
            raise exceptions.DownloadHTTPError(str(missing), 404) from None
        except TooSlow as slow:
            raise exceptions.SlowRetrievalError(str(slow)) from None
        except FetchFailed as failed:
            raise exceptions.DownloadError(str(failed)) from None


_CODES: tuple[tuple[type[Exception], str], ...] = (
    (exceptions.ExpiredMetadataError, "expired"),
    (exceptions.BadVersionNumberError, "rollback"),
    (exceptions.UnsignedMetadataError, "signature"),
    (exceptions.LengthOrHashMismatchError, "tampered"),
    (exceptions.DownloadLengthMismatchError, "too_large"),
    (exceptions.SlowRetrievalError, "slow"),
    (exceptions.DownloadHTTPError, "missing"),
    (exceptions.DownloadError, "unreachable"),
    (exceptions.RepositoryError, "malformed"),
)
CODES = {
    "expired": said("the metadata ended and was not signed anew"),
    "rollback": said("it is older than what this device has seen"),
    "signature": said("too few of the right keys signed it"),
    "tampered": said("a file is not the one that was signed"),
    "too_large": said("a file is larger than it may be"),
    "slow": said("it came too slowly"),
    "missing": said("a file is not there"),
    "unreachable": said("the repository cannot be reached"),
    "malformed": said("the metadata is none"),
}


@contextmanager
def _refusals() -> Iterator[None]:
    """Raises Refused for whatever the client raises."""
    try:
        yield
    except (exceptions.RepositoryError, exceptions.DownloadError) as error:
        code = next(code for kind, code in _CODES if isinstance(error, kind))
        raise Refused(
            code, said("{told}: {error}", told=CODES[code], error=_one_line(error))
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Refused(
            "malformed",
            said("{told}: {error}", told=CODES["malformed"], error=type(error).__name__),
        ) from None


def _place(role: str) -> int:
    """In which order a role's metadata is made durable."""
    return _ORDER.index(role) if role in _ORDER else len(_ORDER)


def file_name(role: str) -> str:
    """What the client calls a role's file."""
    return f"{parse.quote(role, '')}.json"


def _metadata(folder: Path) -> dict[str, Signed]:
    """What the client has verified, by role: it writes a file only then."""
    found: dict[str, Signed] = {}
    for path in folder.glob("*.json"):
        signed: Signed = Metadata[Any].from_bytes(path.read_bytes()).signed
        found[parse.unquote(path.name.removesuffix(".json"))] = signed
    return found


def _of_today(believed: dict[str, Signed]) -> dict[str, Signed]:
    """Without delegated roles that lie there from earlier, which nothing depended on."""
    snapshot = believed[Snapshot.type]
    assert isinstance(snapshot, Snapshot)  # noqa: S101  the client has just verified it as one
    versions = {name.removesuffix(".json"): meta.version for name, meta in snapshot.meta.items()}
    return {
        role: signed
        for role, signed in believed.items()
        if role in _ORDER or versions.get(role) == signed.version
    }


def _reached(believed: dict[str, Signed]) -> dict[str, Reached]:
    """Each role's version and the keys that it rests on: its own, and those of snapshot and
    timestamp, whose replacement starts the counting anew (specification §5.3.11)."""
    keyids: dict[str, list[str]] = {}
    for signed in believed.values():
        if isinstance(signed, Root):
            keyids |= {role: one.keyids for role, one in signed.roles.items()}
        elif isinstance(signed, Targets) and signed.delegations and signed.delegations.roles:
            keyids |= {role: one.keyids for role, one in signed.delegations.roles.items()}
    online = [*keyids.get(Snapshot.type, ()), *keyids.get(Timestamp.type, ())]
    return {
        role: Reached(
            signed.version,
            "" if role == Root.type else _word([*keyids.get(role, ()), *online]),
        )
        for role, signed in believed.items()
    }


def _word(keyids: list[str]) -> str:
    return hashlib.sha256("".join(sorted(keyids)).encode()).hexdigest()[:32]


def _replace_if_other(path: Path, content: bytes) -> None:
    try:
        if path.read_bytes() == content:
            return
    except FileNotFoundError:
        pass
    replace_durably(path, content)


def _one_line(error: Exception) -> str:
    told = str(error).splitlines()
    return told[0][:300] if told else type(error).__name__
