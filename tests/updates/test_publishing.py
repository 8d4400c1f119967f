"""What headquarters publishes is whole at every moment, and what it must not publish it refuses."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from central.publishing import steps as steps_module
from central.publishing.ceremony import (
    CeremonyRefused,
    commit,
    delegate,
    draft_of,
    replace_key,
    sign,
    start,
    withdraw,
)
from central.publishing.publish import Publisher
from central.publishing.repository import RepositoryFolder, RepositoryUnusable
from central.publishing.signing import KeyUnusable, new_key, read_public, read_signer
from central.publishing.steps import PublishRefused, Wish
from central.publishing.targets import published_in
from firmware.updates.attempt import Outcome
from scanner.durable import replace_durably
from scanner.watchlist.listkey import ListKey
from tests.listing import KEY
from tests.updates.over_the_air import LIST, Device, Headquarters, Web, key


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Headquarters:
    """Headquarters that has published once."""
    made = Headquarters(tmp_path_factory.mktemp("prepared") / "headquarters")
    made.begin()
    made.day("L898902C3")
    return made


@pytest.fixture
def headquarters(prepared: Headquarters, tmp_path: Path) -> Headquarters:
    shutil.copytree(prepared.folder, tmp_path / "headquarters")
    return prepared.moved(tmp_path / "headquarters")


def device_of(headquarters: Headquarters, ring: str = "all") -> Device:
    return Device(headquarters.folder / f"device-{ring}", headquarters.root, ring)


class Cut(BaseException):
    """The publisher was killed."""


@pytest.mark.parametrize("moment", range(14))
def test_a_publication_that_is_cut_short_leaves_the_old_one_and_is_completed_by_the_next(
    headquarters: Headquarters, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    web = Web(headquarters.repository.folder)
    device = device_of(headquarters)
    device.update(web)
    headquarters.build("D1")
    count = 0

    def counted(function: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            nonlocal count
            if count == moment:
                raise Cut
            count += 1
            return function(*arguments, **options)

        return call

    for module in ("publish", "published", "repository"):
        monkeypatch.setattr(
            f"central.publishing.{module}.replace_durably",
            counted(replace_durably),
        )
    for name in ("apply_delta", "fold"):
        monkeypatch.setattr(steps_module, name, counted(getattr(steps_module, name)))
    try:
        headquarters.publish(base=True)
    except Cut:
        assert device.update(web).outcome is Outcome.CURRENT
    monkeypatch.undo()
    published = headquarters.publish(base=True)
    assert device.update(web).outcome is Outcome.UPDATED
    assert device.manifest().root() == published.root
    assert device.knows("D1")


def test_a_ring_gets_what_the_ring_before_it_has_and_not_before(
    headquarters: Headquarters,
) -> None:
    web = Web(headquarters.repository.folder)
    first, second = device_of(headquarters, "canary"), device_of(headquarters, "all")
    second.update(web)
    headquarters.day("D1", ring="canary")
    assert first.update(web).outcome is Outcome.UPDATED
    assert second.update(web).outcome is Outcome.CURRENT
    assert not second.knows("D1")
    headquarters.publisher().open_ring(LIST, "all", "canary", datetime.now(UTC))
    assert second.update(web).outcome is Outcome.UPDATED
    assert second.knows("D1")


def test_a_list_that_did_not_change_is_right_as_of_today(headquarters: Headquarters) -> None:
    web = Web(headquarters.repository.folder)
    device = device_of(headquarters)
    device.update(web)
    before = device.manifest()
    headquarters.day()
    assert device.update(web).outcome in (Outcome.CURRENT, Outcome.UPDATED)
    after = device.manifest()
    assert after.as_of > before.as_of
    assert after.records == before.records


def test_steps_older_than_64_days_go_and_the_base_is_folded_by_then(
    headquarters: Headquarters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.fsync", lambda file: None)
    now = datetime.now(UTC)
    for day in range(1, 80):
        headquarters.build(f"D{day}")
        wish = Wish(headquarters.lists, LIST, "all", KEY)
        publication = headquarters.publisher().publish(wish, now + timedelta(days=day))
    assert 60 <= len([step for step in publication.steps if step.path]) <= 65
    assert publication.whole.version > 40
    device = device_of(headquarters)
    assert device.update(Web(headquarters.repository.folder)).outcome is Outcome.UPDATED
    assert device.manifest().root() == publication.root


def test_a_list_under_a_new_key_is_published_whole(headquarters: Headquarters) -> None:
    from tests import listing

    other = ListKey(bytes(range(1, 33)))
    listing.built(
        headquarters.folder / "sltd.csv",
        headquarters.lists,
        LIST,
        as_of=datetime.now(UTC),
        key=other,
    )
    wish = Wish(headquarters.lists, LIST, "all", other)
    publication = headquarters.publisher().publish(wish, datetime.now(UTC))
    assert publication.steps == ()
    assert publication.whole.key_id == other.id


def test_nobody_else_can_publish_a_list(headquarters: Headquarters) -> None:
    with pytest.raises(PublishRefused, match="1 of its keys must sign and 0 were given"):
        Publisher(headquarters.repository, [key()], headquarters.online).publish(
            Wish(headquarters.lists, LIST, "all", KEY), datetime.now(UTC)
        )


def test_a_list_that_was_not_delegated_cannot_be_published(headquarters: Headquarters) -> None:
    with pytest.raises(PublishRefused, match="nobody signs a list other here"):
        headquarters.publisher().publish(
            Wish(headquarters.lists, "other", "all", KEY), datetime.now(UTC)
        )


def test_another_online_key_makes_nothing_visible(headquarters: Headquarters) -> None:
    before = (headquarters.repository.metadata / "timestamp.json").read_bytes()
    with pytest.raises(RepositoryUnusable, match="not the one that may sign the snapshot"):
        headquarters.repository.publish(key(), datetime.now(UTC))
    assert (headquarters.repository.metadata / "timestamp.json").read_bytes() == before


def test_a_list_that_was_withdrawn_is_published_no_more(headquarters: Headquarters) -> None:
    now = datetime.now(UTC)
    withdraw(headquarters.repository, LIST, now)
    headquarters.sign_drafts()
    commit(headquarters.repository, headquarters.online, now)
    assert list(published_in(headquarters.repository)) == []


def test_a_draft_with_too_few_signatures_changes_nothing(headquarters: Headquarters) -> None:
    now = datetime.now(UTC)
    path = replace_key(headquarters.repository, "root", None, key().public_key, now)
    sign(path, headquarters.roots[0])
    with pytest.raises(CeremonyRefused, match="1 of 2 signatures"):
        commit(headquarters.repository, headquarters.online, now)
    assert headquarters.repository.of("root").signed.version == 1


def test_a_dry_run_changes_nothing(headquarters: Headquarters) -> None:
    now = datetime.now(UTC)
    delegate(headquarters.repository, "other", [key().public_key], 1, now)
    headquarters.sign_drafts()
    assert commit(headquarters.repository, None, now, dry_run=True) == ["targets"]
    assert headquarters.repository.of("targets").signed.version == 1


def test_a_changed_draft_has_no_signature_left(headquarters: Headquarters) -> None:
    now = datetime.now(UTC)
    delegate(headquarters.repository, "other", [key().public_key], 1, now)
    headquarters.sign_drafts()
    assert draft_of(headquarters.repository, "targets", now).signatures == {}


@pytest.mark.parametrize(
    ("roots", "threshold"), [(1, 2), (3, 4), (2, 0)], ids=["one", "too high", "none"]
)
def test_a_threshold_that_cannot_be_met_is_refused(
    tmp_path: Path, roots: int, threshold: int
) -> None:
    publics = [key().public_key for _ in range(roots)]
    with pytest.raises(CeremonyRefused, match="cannot sign"):
        start(
            RepositoryFolder(tmp_path),
            publics,
            [key().public_key],
            key().public_key,
            datetime.now(UTC),
            root_threshold=threshold,
        )


def test_the_last_key_of_a_role_cannot_be_taken_away(headquarters: Headquarters) -> None:
    only = headquarters.targets.public_key.keyid
    with pytest.raises(CeremonyRefused, match="would have 0 keys"):
        replace_key(headquarters.repository, "targets", only, None, datetime.now(UTC))


def test_a_key_is_read_with_its_passphrase_alone(tmp_path: Path) -> None:
    public = new_key(tmp_path / "key", b"a phrase")
    assert read_signer(tmp_path / "key", b"a phrase").public_key.keyid == public.keyid
    assert read_public(tmp_path / "key.pub").keyid == public.keyid
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    for passphrase in (None, b"another"):
        with pytest.raises(KeyUnusable):
            read_signer(tmp_path / "key", passphrase)
    with pytest.raises(KeyUnusable, match="not written over"):
        new_key(tmp_path / "key", None)


def test_the_targets_key_is_replaced_together_with_what_it_has_signed(
    headquarters: Headquarters,
) -> None:
    repository, now = headquarters.repository, datetime.now(UTC)
    device = device_of(headquarters)
    device.update(Web(repository.folder))
    new = key()
    replace_key(repository, "targets", headquarters.targets.public_key.keyid, new.public_key, now)
    for signer in headquarters.roots[:2]:
        sign(repository.drafts / "2.root.json", signer)
    sign(repository.drafts / "2.targets.json", headquarters.targets)
    with pytest.raises(CeremonyRefused, match="0 of 1 signatures by targets as it will be"):
        commit(repository, headquarters.online, now)
    assert not (repository.metadata / "2.root.json").exists()
    sign(repository.drafts / "2.targets.json", new)
    assert commit(repository, headquarters.online, now) == ["root", "targets"]
    headquarters.targets = new
    headquarters.day("D9")
    assert device.update(Web(repository.folder)).outcome == Outcome.UPDATED
