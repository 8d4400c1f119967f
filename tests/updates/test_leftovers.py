"""What updates leave behind goes again: at the device what was fetched and is of no use any more,
in the repository what nobody has been told to have for long. So both need a bounded disk."""

import shutil
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest

from central.publishing.published import KEPT
from central.publishing.steps import Wish
from firmware.lists.updater import update
from firmware.updates import fetched as fetched_module
from firmware.updates.attempt import Outcome
from firmware.updates.fetched import Fetched, NoSpace
from firmware.updates.repository import FetchFailed, Piece
from tests.listing import KEY
from tests.updates.over_the_air import LIST, Device, Headquarters, Web


class Site:
    def __init__(self, folder: Path) -> None:
        self.headquarters = Headquarters(folder / "headquarters")
        self.device = Device(folder / "device", self.headquarters.begin())
        self.headquarters.day("L898902C3")
        self.web = Web(self.headquarters.repository.folder)

    def update(self) -> Outcome:
        (result,) = update(self.device.plan(self.web), Event())
        return result.outcome

    def fetched(self) -> set[str]:
        """The digests of what was fetched and is kept."""
        folder = self.device.lists / ".fetched" / LIST
        return {path.name.split(".")[0] for path in folder.iterdir() if path.is_file()}

    def published(self) -> set[str]:
        """The digests of all that the list's newest metadata names."""
        named = self.headquarters.repository.published("list-sltd")
        assert named is not None
        return {target.hashes["sha256"] for target in named.signed.targets.values()}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_an_older_publication_named_goes_when_a_newer_one_is_read(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = site.web.read

    def without_keys(path: str, start: int = 0) -> Iterator[Piece]:
        if path.endswith("base-keys"):
            raise FetchFailed("the link was cut")
        return read(path, start)

    monkeypatch.setattr(site.web, "read", without_keys)
    assert site.update() is Outcome.FAILED
    begun = site.fetched()
    site.headquarters.day("D1", base=True)
    assert site.update() is Outcome.FAILED
    assert len(site.fetched()) > 1
    assert site.fetched() <= site.published()
    assert begun - site.fetched()
    monkeypatch.undo()
    assert site.update() is Outcome.UPDATED
    assert site.fetched() == set()


def test_a_delta_goes_when_it_is_applied(site: Site) -> None:
    site.update()
    for day in range(3):
        site.headquarters.day(f"D{day}")
    deltas = 0
    most: set[str] = set()
    read = site.web.read

    def counting(path: str, start: int = 0) -> Iterator[Piece]:
        nonlocal deltas, most
        if "delta" in path:
            deltas += 1
            most = max(most, site.fetched(), key=len)
        return read(path, start)

    site.web.read = counting  # type: ignore[method-assign]
    assert site.update() is Outcome.UPDATED
    assert deltas == 3
    assert len(most) == 2  # the publication, and the delta that is coming


def test_what_an_attempt_left_that_was_killed_goes_with_the_next(site: Site) -> None:
    site.update()
    data, trust = site.device.folder, site.device.folder / "trust"
    left = [
        data / ".refresh-abc" / "timestamp.json",
        data / ".floor.json.abc",
        data / ".floor.twin.json.abc",
        trust / ".timestamp.json.abc",
        trust / "root_history" / ".1.root.json.abc",
        site.device.lists / ".fetched" / "withdrawn" / "0123.part",
    ]
    for path in left:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    assert site.update() is Outcome.CURRENT
    assert [path for path in left if path.exists() or ".refresh-" in str(path.parent)] == [left[0]]
    assert not left[0].parent.exists()
    assert not left[-1].parent.exists()


def test_what_came_of_a_file_already_needs_no_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")
    free = fetched_module.SPARE_BYTES + 600
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(free))
    fetched = Fetched(tmp_path, LIST)
    with pytest.raises(NoSpace):
        fetched.room_for(1000, "aa")
    (fetched.folder / "aa.part").write_bytes(bytes(500))
    assert fetched.room_for(1000, "aa") == fetched.folder
    with pytest.raises(NoSpace):
        fetched.room_for(1000, "bb")


def test_a_repository_forgets_what_is_named_no_more_after_64_days(site: Site) -> None:
    headquarters, repository = site.headquarters, site.headquarters.repository
    now = datetime.now(UTC)
    counts = []
    for day in range(1, 5):
        headquarters.build(f"D{day}")
        at = now + day * (KEPT + timedelta(days=1))
        wish = Wish(headquarters.lists, LIST, "all", KEY)
        headquarters.publisher().publish(wish, at)
        there = {path for path in repository.folder.rglob("*") if path.is_file()}
        counts.append(len(there))
    assert counts[1:] == counts[1:2] * 3
    assert {path.name.split(".")[0] for path in there if "targets" in path.parts} == (
        site.published()
    )
    assert (repository.metadata / "1.root.json").exists()
    site.device.now = lambda: at
    assert site.update() is Outcome.UPDATED
    assert site.device.knows("D4")


def test_what_was_published_of_late_stays_for_whoever_is_fetching_it(site: Site) -> None:
    folder = site.headquarters.repository.folder
    before = {path for path in folder.rglob("*") if path.is_file()}
    site.headquarters.day("D1", base=True)
    site.headquarters.day("D2", base=True)
    assert {path for path in before if not path.exists()} == set()
