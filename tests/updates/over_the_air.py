"""Headquarters that publishes lists and a device that fetches them, with real files and keys."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from securesystemslib.signer import CryptoSigner, Signer
from tuf.api.metadata import Metadata

from central.publishing.ceremony import commit, delegate, sign, start
from central.publishing.publish import Publisher
from central.publishing.repository import RepositoryFolder
from central.publishing.steps import Wish
from firmware.lists.updater import Plan
from firmware.updates.attempt import Result, Surroundings
from firmware.updates.bring import Bringer
from firmware.updates.repository import FetchFailed, FolderRepository, Piece, Repository
from firmware.updates.trust import Trust
from scanner.mrz.document import Kind
from scanner.watchlist.age import ClockReading
from scanner.watchlist.canaries import Canary
from scanner.watchlist.contract import AskedAs, Question
from scanner.watchlist.manifest import Manifest, read_manifest
from scanner.watchlist.publication import Publication
from scanner.watchlist.questions import Questions
from tests.listing import KEY, KEYS, built, lists_in

LIST = "sltd"
HEADER = "issuer,number,number_to,kind,status,recorded,reference\n"
CANARIES = (
    Canary(issuer="UTO", number="CANARY001", kind=Kind.PASSPORT, listed=True),
    Canary(issuer="UTO", number="ABSENT001", kind=Kind.PASSPORT, listed=False),
)


def key() -> CryptoSigner:
    """A new key that signs."""
    return CryptoSigner.generate_ed25519()


@dataclass
class Headquarters:
    """A repository in `folder`, the keys of every role, and the builder's lists."""

    folder: Path
    roots: list[CryptoSigner] = field(default_factory=lambda: [key(), key(), key()])
    targets: CryptoSigner = field(default_factory=key)
    online: CryptoSigner = field(default_factory=key)
    builder: CryptoSigner = field(default_factory=key)

    def __post_init__(self) -> None:
        self.repository = RepositoryFolder(self.folder / "repository")
        self.lists = self.folder / "built"
        self.rows: dict[str, str] = {}
        self.root = b""
        self.add(*(f"FILLER{number:03}" for number in range(40)))

    def moved(self, folder: Path) -> "Headquarters":
        """The same with the same keys, whose files lie in `folder`."""
        other = replace(self, folder=folder, roots=list(self.roots))
        other.rows, other.root = dict(self.rows), self.root
        return other

    def add(self, *numbers: str) -> None:
        """These are listed from the next build on."""
        for number in numbers:
            self.rows[number] = f"UTO,{number},,passport,stolen,2026-01-05,\n"

    def begin(self) -> bytes:
        """The first ceremony; gives the root that devices are installed with."""
        now = datetime.now(UTC)
        publics = [signer.public_key for signer in self.roots]
        start(self.repository, publics, [self.targets.public_key], self.online.public_key, now)
        delegate(self.repository, LIST, [self.builder.public_key], 1, now)
        self.sign_drafts()
        assert commit(self.repository, self.online, now) == ["root", "targets"]
        self.root = (self.repository.metadata / "1.root.json").read_bytes()
        return self.root

    def sign_drafts(self) -> None:
        """Two of the three root keys and the targets key sign what waits for them."""
        for path in self.repository.draft_paths():
            signers = self.roots[:2] if ".root." in path.name else [self.targets]
            for signer in signers:
                sign(path, signer)

    def build(self, *numbers: str, without: tuple[str, ...] = ()) -> Manifest:
        """Builds the list with these numbers more, and without those."""
        self.add("CANARY001", *numbers)
        for number in without:
            del self.rows[number]
        source = self.folder / "sltd.csv"
        source.write_text(HEADER + "".join(self.rows.values()))
        return built(source, self.lists, LIST, as_of=datetime.now(UTC)).manifest

    def publisher(self, *signers: Signer) -> Publisher:
        return Publisher(self.repository, signers or (self.builder,), self.online)

    def publish(self, ring: str = "all", **options: Any) -> Publication:
        wish = Wish(self.lists, LIST, ring, KEY, CANARIES, **options)
        return self.publisher().publish(wish, datetime.now(UTC))

    def day(self, *numbers: str, ring: str = "all", **options: Any) -> Publication:
        """A day's build and its publication."""
        self.build(*numbers)
        return self.publish(ring, **options)

    def signers(self) -> tuple[str, ...]:
        """The options by which a command signs what this headquarters publishes."""
        for name, signer in (("builder", self.builder), ("online", self.online)):
            (self.folder / f"{name}.key").write_bytes(signer.private_bytes)
        keys = (f"{self.folder}/builder.key", f"{self.folder}/online.key")
        return ("--sign-with", keys[0], "--online-key", keys[1])

    def resign(self, role: str, change: Any, *signers: Signer, online: bool = True) -> None:
        """Puts a changed version of a role's metadata, signed by whoever is given."""
        metadata: Metadata[Any] = self.repository.of(role)
        metadata.signed.version += 1
        change(metadata.signed)
        metadata.signatures.clear()
        for signer in signers:
            metadata.sign(signer, append=True)
        self.repository.put(role, metadata)
        if online:
            self.repository.publish(self.online, datetime.now(UTC))


class Device:
    """A device with its lists and its trust, in `folder`."""

    def __init__(self, folder: Path, root: bytes, ring: str = "all") -> None:
        self.folder, self.root, self.ring = folder, root, ring
        self.lists = folder / "lists"
        self.lists.mkdir(parents=True, exist_ok=True)
        self.now = lambda: datetime.now(UTC)
        self.damaged: frozenset[str] = frozenset()
        self.stop = Event()

    @property
    def trust(self) -> Trust:
        return Trust(self.folder / "trust", self.folder / "floor.json", self.root, self.now)

    def update(self, repository: Repository) -> Result:
        """One attempt. Raises Refused where the repository is not believed."""
        with self.trust.refreshed(repository, (LIST,), self.ring) as trusted:
            around = Surroundings(
                self.lists,
                KEYS,
                self.ring,
                repository,
                trusted,
                self.stop,
                damaged=self.damaged,
            )
            return Bringer(around, LIST).bring()

    def plan(self, repository: Repository) -> Plan:
        """What its updater fetches, from where."""
        return Plan(repository, self.trust, self.lists, (LIST,), KEYS, self.ring, self.folder)

    def manifest(self) -> Manifest:
        return read_manifest(self.lists, LIST)

    def knows(self, number: str) -> bool:
        """Whether the desk finds this number, whatever version is in force."""
        question = Question("UTO", number, Kind.PASSPORT, AskedAs.NUMBER, exact=True)
        clock = ClockReading(datetime.now(UTC), True, 0.0, float("inf"))
        return bool(lists_in(self.lists).ask(Questions((question,)), clock).matches)


class Web:
    """A repository that counts what it gives, and can cut, slow, change or withhold it."""

    def __init__(self, folder: Path) -> None:
        self.folder = FolderRepository(folder)
        self.bytes = 0
        self.asked: list[tuple[str, int]] = []
        self.instead: dict[str, bytes] = {}
        self.cut_after: int | None = None

    def read(self, path: str, start: int = 0) -> Iterator[Piece]:
        self.asked.append((path, start))
        for name, content in self.instead.items():
            if path.endswith(name):
                yield Piece(0, content)
                return
        for piece in self.folder.read(path, start):
            if self.cut_after is not None and self.bytes + len(piece.content) > self.cut_after:
                raise FetchFailed("the link was cut")
            self.bytes += len(piece.content)
            yield piece


def copy_of(repository: RepositoryFolder, to: Path) -> FolderRepository:
    """The repository as it is now, kept by somebody."""
    shutil.copytree(repository.folder, to)
    return FolderRepository(to)


__all__ = ["CANARIES", "LIST", "Device", "Headquarters", "Web", "copy_of", "key", "timedelta"]
