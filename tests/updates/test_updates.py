"""A list goes out from headquarters and comes in at the desk."""

from pathlib import Path

import pytest

from firmware.updates.attempt import Outcome
from scanner.watchlist import whole
from tests.updates.over_the_air import Device, Headquarters, Web


@pytest.fixture
def site(tmp_path: Path) -> tuple[Headquarters, Device, Web]:
    headquarters = Headquarters(tmp_path / "headquarters")
    root = headquarters.begin()
    headquarters.day("L898902C3")
    device = Device(tmp_path / "device", root)
    return headquarters, device, Web(headquarters.repository.folder)


Site = tuple[Headquarters, Device, Web]


def test_a_new_device_fetches_the_list_whole(site: Site) -> None:
    _, device, web = site
    result = device.update(web)
    assert (result.outcome, result.code) == (Outcome.UPDATED, "")
    assert device.manifest().version == 1
    assert device.knows("L898902C3")
    assert not device.knows("ABSENT001")


def test_what_is_current_already_is_not_fetched_again(site: Site) -> None:
    _, device, web = site
    device.update(web)
    web.bytes = 0
    result = device.update(web)
    assert result.outcome is Outcome.CURRENT
    assert web.bytes < 16_000


def test_days_of_changes_come_as_deltas(site: Site) -> None:
    headquarters, device, web = site
    device.update(web)
    headquarters.day("D1")
    headquarters.day("D2")
    web.asked.clear()
    result = device.update(web)
    assert (result.outcome, result.from_version, result.version) == (Outcome.UPDATED, 1, 3)
    assert device.knows("D1")
    assert device.knows("D2")
    assert not [path for path, _ in web.asked if "whole" in path]


def test_a_fold_of_headquarters_is_made_by_the_device_without_a_download(site: Site) -> None:
    headquarters, device, web = site
    device.update(web)
    headquarters.day("D1", base=True)
    web.asked.clear()
    assert device.update(web).outcome is Outcome.UPDATED
    assert device.manifest().overlay is None
    assert device.manifest().root() == headquarters.publisher().publication("sltd", "all").root
    assert not [path for path, _ in web.asked if "whole" in path]


def test_a_device_without_a_way_by_deltas_takes_the_whole_and_says_so(site: Site) -> None:
    headquarters, device, web = site
    device.update(web)
    headquarters.day("D1", base=True)
    headquarters.day("D2")
    other = Device(device.folder / "other", device.root)
    assert other.update(web).outcome is Outcome.UPDATED
    assert other.manifest().root() == headquarters.publisher().publication("sltd", "all").root
    assert other.knows("D2")


def test_a_delta_does_not_have_the_base_read_whole(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    headquarters, device, web = site
    device.update(web)
    headquarters.day("D1")
    read: list[Path] = []
    monkeypatch.setattr(whole, "check_table", lambda folder, root: read.append(folder))
    assert device.update(web).outcome is Outcome.UPDATED
    assert device.manifest().overlay is not None
    assert read == []
