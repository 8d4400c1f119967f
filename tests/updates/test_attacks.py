"""What somebody may do to a repository, one row a test: all is refused, the desk goes on answering
with its last good list, and takes the next true publication."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.ngclient._internal import trusted_metadata_set

from central.publishing.ceremony import CeremonyRefused, commit, delegate, replace_key
from central.publishing.steps import Wish
from firmware.updates import trust as trust_module
from firmware.updates.attempt import Outcome, Result
from firmware.updates.repository import FetchFailed, FolderRepository, NotThere, Piece, TooSlow
from firmware.updates.trust import Refused
from scanner.durable import replace_durably
from scanner.mrz.document import Kind
from scanner.watchlist.canaries import Canary
from scanner.watchlist.manifest import Manifest
from tests.listing import KEY
from tests.updates.over_the_air import LIST, Device, Headquarters, Web, copy_of, key

GOOD = "L898902C3"
PAST = timedelta(days=-1)


@dataclass
class Scene:
    """A device that has the list of yesterday, and headquarters that has published today's."""

    headquarters: Headquarters
    device: Device
    web: Web
    yesterday: FolderRepository
    before: Manifest

    def refused(self, repository: Any = None) -> str:
        """Why the device does not take what it is offered; it has to refuse, and to go on."""
        try:
            result = self.device.update(repository or self.web)
        except Refused as refused:
            code = refused.code
        else:
            assert result.outcome in (Outcome.REFUSED, Outcome.FAILED), result
            code = result.code
        assert self.device.manifest() == self.before
        assert self.device.knows(GOOD)
        return code

    def sign_online(self, kind: type[Any], change: Callable[[Any], None]) -> None:
        """Changes what the online key signs, and signs it, as a thief of that key would."""
        repository = self.headquarters.repository
        metadata = repository.of(kind.type)
        metadata.signed.version += 1
        change(metadata.signed)
        metadata.sign(self.headquarters.online)
        if kind is Snapshot:
            repository.put(Snapshot.type, metadata)
            version = metadata.signed.version

            def point(timestamp: Timestamp) -> None:
                timestamp.snapshot_meta = MetaFile(version)

            self.sign_online(Timestamp, point)
        else:
            path = repository.metadata / "timestamp.json"
            path.write_bytes(metadata.to_bytes())

    def sign_list(self, change: Callable[[Targets], None], *signers: CryptoSigner) -> None:
        """Changes what the list's own key signs, and publishes it."""
        self.headquarters.resign(f"list-{LIST}", change, *(signers or (self.headquarters.builder,)))

    def sign_publication(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Publishes a changed publication, signed by the list's own key."""
        publisher = self.headquarters.publisher()
        publication = publisher.publication(LIST, "all")
        assert publication is not None
        said = publication.model_dump(mode="json")
        change(said)
        self.put_target(f"lists/{LIST}/all.json", json.dumps(said).encode())

    def put_target(self, path: str, content: bytes) -> None:
        """Signs `content` as the target `path`, with the list's own key."""
        target = TargetFile.from_data(path, content, ["sha256"])
        folder, _, name = path.rpartition("/")
        file = self.headquarters.repository.targets / folder / f"{target.hashes['sha256']}.{name}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)

        def change(signed: Targets) -> None:
            signed.targets[path] = target

        self.sign_list(change)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Headquarters:
    """What every scene begins with, in the folder around headquarters' own."""
    folder = tmp_path_factory.mktemp("prepared")
    headquarters = Headquarters(folder / "headquarters")
    root = headquarters.begin()
    headquarters.day(GOOD)
    Device(folder / "device", root).update(Web(headquarters.repository.folder))
    copy_of(headquarters.repository, folder / "yesterday")
    headquarters.day("D1")
    return headquarters


@pytest.fixture
def scene(prepared: Headquarters, tmp_path: Path) -> Scene:
    shutil.copytree(prepared.folder.parent, tmp_path, dirs_exist_ok=True)
    headquarters = prepared.moved(tmp_path / "headquarters")
    device = Device(tmp_path / "device", headquarters.root)
    yesterday = FolderRepository(tmp_path / "yesterday")
    web = Web(headquarters.repository.folder)
    return Scene(headquarters, device, web, yesterday, device.manifest())


def seen_today(scene: Scene) -> None:
    """The device has today's list."""
    assert scene.device.update(scene.web).outcome is Outcome.UPDATED
    scene.before = scene.device.manifest()


# Rollback


def test_yesterday_s_repository_is_refused(scene: Scene) -> None:
    seen_today(scene)
    assert scene.refused(scene.yesterday) == "rollback"


def test_yesterday_s_repository_is_refused_also_by_a_device_that_lost_its_metadata(
    scene: Scene,
) -> None:
    seen_today(scene)
    shutil.rmtree(scene.device.folder / "trust")
    assert scene.refused(scene.yesterday) == "rollback"


def test_one_copy_of_the_floor_is_enough(scene: Scene) -> None:
    seen_today(scene)
    shutil.rmtree(scene.device.folder / "trust")
    (scene.device.folder / "floor.json").write_bytes(b"\0\0\0")
    assert scene.refused(scene.yesterday) == "rollback"


def test_a_newer_timestamp_over_an_older_snapshot_is_refused(scene: Scene) -> None:
    seen_today(scene)

    def older(timestamp: Timestamp) -> None:
        timestamp.snapshot_meta = MetaFile(timestamp.snapshot_meta.version - 1)

    scene.sign_online(Timestamp, older)
    assert scene.refused() == "rollback"


@pytest.mark.parametrize("role", ["targets", f"list-{LIST}"])
def test_a_newer_snapshot_with_an_older_role_is_refused(scene: Scene, role: str) -> None:
    scene.headquarters.resign("targets", lambda signed: None, scene.headquarters.targets)
    seen_today(scene)

    def older(snapshot: Snapshot) -> None:
        snapshot.meta[f"{role}.json"] = MetaFile(snapshot.meta[f"{role}.json"].version - 1)

    scene.sign_online(Snapshot, older)
    assert scene.refused() == "rollback"


def test_an_older_root_is_refused_although_the_newer_one_was_lost(scene: Scene) -> None:
    headquarters = scene.headquarters
    before = copy_of(headquarters.repository, headquarters.folder / "before")
    now = datetime.now(UTC)
    leaving = headquarters.roots[2].public_key.keyid
    replace_key(headquarters.repository, "root", leaving, key().public_key, now)
    headquarters.sign_drafts()
    commit(headquarters.repository, headquarters.online, now)
    seen_today(scene)
    shutil.rmtree(scene.device.folder / "trust")
    assert scene.refused(before) == "rollback"


def test_an_older_version_in_a_newer_publication_is_refused(scene: Scene) -> None:
    old = scene.headquarters.publisher().publication(LIST, "all")
    assert old is not None
    scene.headquarters.day("D2")
    seen_today(scene)
    scene.put_target(f"lists/{LIST}/all.json", old.model_dump_json().encode())
    assert scene.refused() == "rollback"


# Freezing, and clocks


def test_a_repository_that_is_frozen_is_refused_once_its_timestamp_has_ended(scene: Scene) -> None:
    scene.device.now = lambda: datetime.now(UTC) + timedelta(days=4)
    assert scene.refused() == "expired"


@pytest.mark.parametrize("role", ["root", "targets", "snapshot", "timestamp", f"list-{LIST}"])
def test_a_role_that_has_ended_is_refused(scene: Scene, role: str) -> None:
    headquarters = scene.headquarters

    def end(signed: Any) -> None:
        signed.expires = datetime.now(UTC).replace(microsecond=0) + PAST

    if role in ("snapshot", "timestamp"):
        scene.sign_online(Snapshot if role == "snapshot" else Timestamp, end)
    else:
        signers = {"root": headquarters.roots, "targets": [headquarters.targets]}
        headquarters.resign(role, end, *signers.get(role, [headquarters.builder]))
    assert scene.refused() == "expired"


def test_a_machine_whose_clock_stands_in_1970_takes_nothing_stale(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Long:
        timezone = trusted_metadata_set.datetime.timezone

        class datetime(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> datetime:
                return datetime(1970, 1, 1, tzinfo=tz)

    monkeypatch.setattr(trusted_metadata_set, "datetime", Long)
    scene.device.now = lambda: datetime.now(UTC) + timedelta(days=4)
    assert scene.refused() == "expired"


def test_a_clock_in_2100_takes_nothing_and_the_desk_goes_on(scene: Scene) -> None:
    scene.device.now = lambda: datetime(2100, 1, 1, tzinfo=UTC)
    assert scene.refused() == "expired"


# Mixing, changing, withholding


def test_metadata_of_two_publications_cannot_be_mixed(scene: Scene) -> None:
    old = (scene.headquarters.repository.metadata / f"1.list-{LIST}.json").read_bytes()
    scene.web.instead[f"2.list-{LIST}.json"] = old
    assert scene.refused() in ("rollback", "tampered")


@pytest.mark.parametrize("file", ["timestamp.json", "snapshot.json", f"list-{LIST}.json"])
def test_metadata_that_was_changed_is_refused(scene: Scene, file: str) -> None:
    metadata = scene.headquarters.repository.metadata
    newest = max(metadata.glob(f"*{file}"), key=lambda path: (len(path.name), path.name))
    content = newest.read_bytes().replace(b'"version": ', b'"version": 1')
    scene.web.instead[newest.name] = content
    assert scene.refused() == "signature"


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[" * 100_000, b"<html>Please sign in</html>", b"\xff\xfe", b'{"signed":1}'],
    ids=["empty", "no fields", "deep", "captive portal", "no text", "a number"],
)
def test_what_is_no_metadata_is_refused(scene: Scene, content: bytes) -> None:
    scene.web.instead["timestamp.json"] = content
    assert scene.refused() in ("malformed", "too_large")


class Endless(Web):
    """Gives one file without end."""

    name = ""

    def read(self, path: str, start: int = 0) -> Iterator[Piece]:
        if self.name in path:
            at = start
            while True:
                yield Piece(at, bytes(65536))
                at += 65536
        yield from super().read(path, start)


@pytest.mark.parametrize("name", ["timestamp.json", "2.root.json", ".delta-1-2", ".all.json"])
def test_a_file_without_end_is_cut_off(scene: Scene, name: str) -> None:
    endless = Endless(scene.headquarters.repository.folder)
    endless.name = name
    if "delta" in name:
        endless.instead["base-keys"] = b"nor is there another way"
    assert scene.refused(endless) in ("too_large", "tampered")


def test_a_file_that_trickles_is_given_up(scene: Scene) -> None:
    class Slow(Web):
        def read(self, path: str, start: int = 0) -> Iterator[Piece]:
            raise TooSlow("fewer than 256 bytes a second came")
            yield

    assert scene.refused(Slow(scene.headquarters.repository.folder)) == "slow"


def test_a_server_that_is_away_is_told_as_such(scene: Scene) -> None:
    class Away(Web):
        def read(self, path: str, start: int = 0) -> Iterator[Piece]:
            raise FetchFailed("no route to host")
            yield

    assert scene.refused(Away(scene.headquarters.repository.folder)) == "unreachable"


def test_a_server_that_has_nothing_is_told_as_such(scene: Scene) -> None:
    class Empty(Web):
        def read(self, path: str, start: int = 0) -> Iterator[Piece]:
            raise NotThere("the server has no such file")
            yield

    assert scene.refused(Empty(scene.headquarters.repository.folder)) == "missing"


@pytest.mark.parametrize("change", ["other", "shorter", "longer", "nothing"])
def test_a_file_that_is_not_the_one_signed_is_refused(scene: Scene, change: str) -> None:
    folder = scene.headquarters.repository.targets / "lists" / LIST
    (delta,) = folder.glob("*.delta-1-2")
    content = delta.read_bytes()
    scene.web.instead["delta-1-2"] = {
        "other": bytes(len(content)),
        "shorter": content[:-1],
        "longer": content + b"!",
        "nothing": b"",
    }[change]
    scene.web.instead["base-keys"] = b"nor is there another way"
    assert scene.refused() in ("tampered", "too_large")


# Keys


def test_a_stranger_s_timestamp_is_refused(scene: Scene) -> None:
    path = scene.headquarters.repository.metadata / "timestamp.json"
    metadata = Metadata[Timestamp].from_file(str(path))
    metadata.signed.version += 1
    metadata.sign(key())
    scene.web.instead["timestamp.json"] = metadata.to_bytes()
    assert scene.refused() == "signature"


def test_a_stranger_s_list_is_refused(scene: Scene) -> None:
    scene.sign_list(lambda signed: None, key())
    assert scene.refused() == "signature"


def test_a_key_that_was_replaced_signs_no_more(scene: Scene) -> None:
    headquarters = scene.headquarters
    now = datetime.now(UTC)
    delegate(headquarters.repository, LIST, [key().public_key], 1, now)
    headquarters.sign_drafts()
    commit(headquarters.repository, headquarters.online, now)
    scene.sign_list(lambda signed: None, headquarters.builder)
    assert scene.refused() == "signature"


def two_must_sign(headquarters: Headquarters) -> CryptoSigner:
    second, now = key(), datetime.now(UTC)
    publics = [headquarters.builder.public_key, second.public_key]
    delegate(headquarters.repository, LIST, publics, 2, now)
    headquarters.sign_drafts()
    commit(headquarters.repository, headquarters.online, now)
    return second


def test_a_list_that_two_must_sign_is_refused_with_one_signature(scene: Scene) -> None:
    second = two_must_sign(scene.headquarters)
    scene.sign_list(lambda signed: None, scene.headquarters.builder)
    assert scene.refused() == "signature"
    scene.sign_list(lambda signed: None, scene.headquarters.builder, second)
    assert scene.device.update(scene.web).outcome is Outcome.UPDATED


def test_one_key_cannot_stand_for_two(scene: Scene) -> None:
    publics = [scene.headquarters.builder.public_key] * 2
    with pytest.raises(CeremonyRefused, match="2 of 1 different keys"):
        delegate(scene.headquarters.repository, LIST, publics, 2, datetime.now(UTC))


@pytest.mark.parametrize("who", ["one of three", "strangers"])
def test_a_root_that_too_few_have_signed_is_refused(scene: Scene, who: str) -> None:
    headquarters = scene.headquarters
    strangers = [key(), key()]

    def change(root: Root) -> None:
        if who == "strangers":
            for each in strangers:
                root.add_key(each.public_key, "root")

    signers = strangers if who == "strangers" else headquarters.roots[:1]
    headquarters.resign("root", change, *signers)
    assert scene.refused() == "signature"


def test_another_list_s_key_signs_nothing_of_this_list(scene: Scene) -> None:
    headquarters = scene.headquarters
    other, now = key(), datetime.now(UTC)
    delegate(headquarters.repository, "other", [other.public_key], 1, now)
    headquarters.sign_drafts()
    commit(headquarters.repository, headquarters.online, now)
    stolen = headquarters.repository.of(f"list-{LIST}").signed.targets
    metadata = Metadata(Targets(version=1, expires=now + timedelta(days=9)))
    metadata.signed.targets = stolen
    metadata.sign(other)
    headquarters.repository.put("list-other", metadata)
    scene.sign_list(lambda signed: signed.targets.clear())
    assert scene.refused() == "unsigned"


def test_a_version_so_high_that_none_reaches_it_ends_with_the_key_that_signed_it(
    scene: Scene,
) -> None:
    headquarters = scene.headquarters

    def far(timestamp: Timestamp) -> None:
        timestamp.version = 2**40

    path = headquarters.repository.metadata / "timestamp.json"
    true = path.read_bytes()
    scene.sign_online(Timestamp, far)
    assert scene.device.update(scene.web).outcome is Outcome.UPDATED
    scene.before = scene.device.manifest()
    path.write_bytes(true)
    headquarters.day("D2")
    assert scene.refused() == "rollback"
    new, now = key(), datetime.now(UTC)
    old = headquarters.online.public_key.keyid
    replace_key(headquarters.repository, "timestamp", old, new.public_key, now)
    headquarters.sign_drafts()
    headquarters.online = new
    commit(headquarters.repository, new, now)
    assert scene.device.update(scene.web).outcome is Outcome.UPDATED
    assert scene.device.knows("D2")


# What headquarters itself may have got wrong


def test_a_delta_for_another_base_is_not_applied_and_the_whole_is_fetched(scene: Scene) -> None:
    publication = scene.headquarters.day("D2", base=True)
    other = Headquarters(scene.headquarters.folder / "other")
    other.begin()
    other.day("X1")
    other.day("X2")
    (delta,) = (other.repository.targets / "lists" / LIST).glob("*.delta-1-2")
    scene.put_target(f"lists/{LIST}/delta-1-2", delta.read_bytes())

    def other_length(said: dict[str, Any]) -> None:
        said["steps"][0]["bytes"] = delta.stat().st_size

    scene.sign_publication(other_length)
    result = scene.device.update(scene.web)
    assert (result.outcome, result.code) == (Outcome.UPDATED, "fell_back")
    assert "it starts from version 1" in result.reason
    assert scene.device.manifest().root() == publication.root


def test_a_delta_whose_result_is_not_the_signed_one_is_not_put_in_force(scene: Scene) -> None:
    def mistaken(said: dict[str, Any]) -> None:
        said["steps"][-1]["to_root"] = said["root"] = "0" * 64

    scene.sign_publication(mistaken)
    assert scene.refused() == "result"


def test_a_delta_that_is_no_delta_is_told_and_the_whole_is_fetched(scene: Scene) -> None:
    publication = scene.headquarters.day("D2", base=True)
    path = publication.steps[0].path
    assert path is not None
    scene.put_target(path, b"no delta")

    def other_length(said: dict[str, Any]) -> None:
        said["steps"][0]["bytes"] = len(b"no delta")

    scene.sign_publication(other_length)
    result = scene.device.update(scene.web)
    assert (result.outcome, result.code) == (Outcome.UPDATED, "fell_back")
    assert "this delta cannot be used" in result.reason
    assert scene.device.manifest().root() == publication.root
    assert scene.device.knows("D2")


@pytest.mark.parametrize("field", ["name", "ring"])
def test_a_publication_of_another_list_or_ring_is_refused(scene: Scene, field: str) -> None:
    scene.sign_publication(lambda said: said.update({field: "other"}))
    assert scene.refused() == "malformed"


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(version=0),
        lambda said: said.update(extra=1),
        lambda said: said.update(as_of="yesterday"),
        lambda said: said.update(root="x"),
        lambda said: said.update(steps=said["steps"] * 2),
        lambda said: said["whole"].update(files=[]),
        lambda said: said["steps"][0].update(path="../../etc/passwd"),
    ],
    ids=["version", "extra", "moment", "root", "steps", "no files", "path"],
)
def test_a_publication_that_is_none_is_refused(
    scene: Scene, change: Callable[[dict[str, Any]], None]
) -> None:
    scene.sign_publication(change)
    assert scene.refused() == "malformed"


def test_a_path_that_leads_out_of_the_list_is_refused(scene: Scene) -> None:
    def lead_out(said: dict[str, Any]) -> None:
        said["steps"][0]["path"] = f"lists/{LIST}/../../secret"
        for file in said["whole"]["files"]:
            file["path"] = f"lists/{LIST}/../../secret"

    scene.sign_publication(lead_out)
    assert scene.refused() == "unsigned"


def test_a_whole_version_that_is_not_whole_is_refused(scene: Scene) -> None:
    publication = scene.headquarters.publisher().publication(LIST, "all")
    assert publication is not None
    file = next(file for file in publication.whole.files if file.place == "base/keys")
    scene.put_target(file.path, bytes(file.bytes))
    scene.device.damaged = frozenset({LIST})
    assert scene.refused() == "result"


def test_a_version_that_does_not_know_its_canaries_is_taken_back_and_not_tried_again(
    scene: Scene,
) -> None:
    wish = Wish(
        scene.headquarters.lists,
        LIST,
        "all",
        KEY,
        (Canary(issuer="UTO", number="NOTLISTED", kind=Kind.PASSPORT, listed=True),),
    )
    scene.headquarters.publisher().publish(wish, datetime.now(UTC))
    assert scene.refused() == "probe"
    asked = len(scene.web.asked)
    assert scene.refused() == "probe"
    assert not [path for path, _ in scene.web.asked[asked:] if "delta" in path]


# Power cuts between any two writes of metadata


class PowerCut(Exception):
    """The power went."""


@pytest.mark.parametrize("write", range(7))
def test_a_power_cut_between_two_writes_of_metadata_lets_no_old_repository_in(
    scene: Scene, write: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    headquarters = scene.headquarters
    now = datetime.now(UTC)
    replace_key(headquarters.repository, "root", None, key().public_key, now)
    headquarters.sign_drafts()
    commit(headquarters.repository, headquarters.online, now)
    written = 0

    def cut(path: Path, content: bytes, **options: Any) -> None:
        nonlocal written
        if written == write:
            raise PowerCut
        written += 1
        replace_durably(path, content, **options)

    monkeypatch.setattr(trust_module, "replace_durably", cut)
    monkeypatch.setattr("firmware.updates.floor.replace_durably", cut)
    with pytest.raises(PowerCut):
        scene.device.update(scene.web)
    monkeypatch.undo()
    try:
        result: Result = scene.device.update(scene.yesterday)
        assert result.outcome is Outcome.CURRENT
        assert write == 0, "the floor was raised, and yesterday's was believed"
    except Refused as refused:
        assert refused.code == "rollback"
    assert scene.device.manifest().version == scene.before.version
    assert scene.device.update(scene.web).outcome is Outcome.UPDATED
    assert scene.device.knows("D1")
