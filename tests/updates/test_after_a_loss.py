"""A repository, or a builder's folder of lists, that is set back to an old copy or gone: devices
have seen later versions, believe nothing older, and are brought on all the same."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware.updates.attempt import Outcome
from firmware.updates.trust import Refused
from scanner.watchlist.build import build_list
from tests.listing import KEY
from tests.updates.over_the_air import LIST, Device, Headquarters, copy_of


def test_what_was_lost_is_published_afresh_past_what_devices_have_seen(tmp_path: Path) -> None:
    headquarters = Headquarters(tmp_path / "headquarters")
    device = Device(tmp_path / "device", headquarters.begin())
    repository, built = headquarters.repository, headquarters.lists
    headquarters.day("A1", ring="canary")
    copy_of(repository, tmp_path / "copy")
    headquarters.day("A2")
    assert headquarters.day("A3").version == 3
    device.update(copy_of(repository, tmp_path / "newest"))

    shutil.rmtree(repository.folder)
    shutil.copytree(tmp_path / "copy", repository.folder)
    shutil.rmtree(repository.targets)
    shutil.rmtree(built)
    web = copy_of(repository, tmp_path / "set back")
    with pytest.raises(Refused, match="older than what this device has seen"):
        device.update(web)
    assert device.knows("A3")

    headquarters.add("B1")
    source = headquarters.folder / "sltd.csv"
    source.write_text(source.read_text() + headquarters.rows["B1"])
    options = {"key": KEY, "as_of": datetime.now(UTC)}
    version = build_list(source, built, LIST, past=3, **options).manifest.version
    assert version == 4
    publication = headquarters.publish(afresh=100)
    assert (publication.version, publication.number, publication.steps) == (4, 101, ())
    web = copy_of(repository, tmp_path / "afresh")
    result = device.update(web)
    assert (result.outcome, result.version) == (Outcome.UPDATED, 4)
    assert device.knows("A3")
    assert device.knows("B1")

    headquarters.day("B2")
    result = device.update(copy_of(repository, tmp_path / "next"))
    assert (result.outcome, result.code, result.version) == (Outcome.UPDATED, "", 5)
    assert headquarters.publisher().open_ring(LIST, "canary", "all", datetime.now(UTC)).version == 5
