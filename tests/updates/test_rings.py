"""A publication goes from ring to ring as its devices fare, and they are woken for it."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner, Result

from central.cli import app
from central.publishing.targets import published_in
from central.store.schema import audit
from central.store.store import Received
from scanner.alert import (
    Event,
    ListVersion,
    Message,
    RolloutData,
    StatusData,
    UpdateData,
    UpdateOutcome,
    new_id,
    source_of,
    unseal,
)
from tests.delivery.both_ends import HeadOffice, Stranger, wait_for
from tests.delivery.broker import Broker
from tests.updates.over_the_air import LIST, Headquarters

PROBE = "version 1: it did not know a canary"


class Site:
    """Headquarters with a repository and a store, and devices that say how they fare."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.broker = broker
        self.office = HeadOffice(folder, broker.port, "5")
        self.office.authority.make()
        self.headquarters = Headquarters(folder / "headquarters")
        self.headquarters.begin()
        self.config = ("--config", str(self.office.config))
        self._said = 0

    @property
    def repository(self) -> str:
        return str(self.headquarters.repository.folder)

    def lists(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["lists", *arguments, *self.config])

    def opening(self, *arguments: str) -> tuple[str, ...]:
        return ("open", self.repository, LIST, *arguments, *self.headquarters.signers())

    def rings(self) -> dict[str, int]:
        """The rings that are open, and the publication of each."""
        found = published_in(self.headquarters.repository)
        return {one.ring: one.number for one in found}

    def stands(self, device: str, ring: str, version: int | None = None) -> None:
        """A device says that it belongs to a ring."""
        if device not in self.office.authority.devices():
            self.office.enrol(device)
        lists = (ListVersion(name=LIST, version=version),)
        self._commit(device, Message.STATUS, StatusData(ring=ring, lists=lists, boot=self._said))

    def says(self, device: str, ring: str, outcome: UpdateOutcome, **more: Any) -> None:
        """A device says what became of a publication."""
        data = RolloutData(list=LIST, ring=ring, outcome=outcome, at=datetime.now(UTC), **more)
        self._commit(device, Message.ROLLOUT, data, epoch=new_id(), n=1)

    def _commit(self, device: str, message: Message, data: Any, **place: Any) -> None:
        self._said += 1
        event = Event(message, new_id(), source_of(device), datetime.now(UTC), data, **place)
        self.office.store.commit([Received(device, event, b"signed")], datetime.now(UTC))


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Broker(tmp_path) as broker:
        broker.start()
        one = Site(tmp_path, broker)
        yield one
        one.office.store.close()


def hints(site: Site, stranger: Stranger) -> list[UpdateData]:
    """What was heard at the broker, each signed by central."""
    keys = site.office.authority.own.public().signing
    events = [unseal(one.topic, bytes(one.payload), lambda _: keys) for one in stranger.heard]
    return [event.data for event in events if isinstance(event.data, UpdateData)]


def test_a_ring_is_opened_as_the_devices_before_it_fare_and_its_devices_are_woken(
    site: Site,
) -> None:
    site.headquarters.day("L898902C3", ring="canary")
    for device in ("desk-1", "desk-2", "desk-3", "desk-4"):
        site.stands(device, "canary", 1 if device == "desk-1" else None)
    site.says("desk-1", "canary", UpdateOutcome.FAILED, code="disk", reason="it was full")
    site.says("desk-1", "canary", UpdateOutcome.UPDATED, version=1, publication=1)
    site.says("desk-2", "canary", UpdateOutcome.FAILED, code="unreachable", reason="no route")
    site.says("desk-3", "canary", UpdateOutcome.REFUSED, publication=1, code="probe", reason=PROBE)
    site.stands("stolen", "canary")
    site.says("stolen", "canary", UpdateOutcome.REFUSED, publication=1, code="probe", reason=PROBE)
    (site.office.folder / "keys" / "devices" / "stolen.pub.jwk").unlink()
    status = site.lists("status", site.repository).output
    assert ("devices: 4, have it: 1, wait: 2, in error: 1, at version 1: 1, at none: 3") in status
    for line in (f"desk-3: probe: {PROBE}", "desk-2: unreachable: no route", "desk-4: nothing"):
        assert line in status
    refused = site.lists(*site.opening("all", "--after", "canary"))
    assert isinstance(refused.exception, Exception)
    against = f"1 device is in error (0 may be): desk-3: probe: {PROBE}"
    assert f"not opened to ring all: {against}" in str(refused.exception)
    assert site.rings() == {"canary": 1}

    opened = site.lists(*site.opening("all", "--after", "canary", "--anyway"))
    assert opened.exit_code == 0, opened.output
    assert f"opened, although {against}" in opened.output
    assert site.rings() == {"all": 1, "canary": 1}
    with site.office.store.reading() as db:
        (noted,) = db.execute(sa.select(audit).where(audit.c.action == "list opened"))
    assert "desk-3" in noted.detail["although"]
    assert site.lists("hint", site.repository).exit_code == 0
    with Stranger(site.broker.port) as stranger:
        stranger.listen("borderpost/v1/ring/+/update")
        kept = wait_for(lambda: len(stranger.heard) == 2 and hints(site, stranger))
        assert {(one.ring, one.publication) for one in kept} == {
            ("all", "sltd 1"),
            ("canary", "sltd 1"),
        }
        site.lists("hint", site.repository, "--ring", "all")
        wait_for(lambda: len(stranger.heard) == 3)
        assert hints(site, stranger)[-1].counter > max(
            one.counter for one in kept if one.ring == "all"
        )
    site.broker.stop()
    later = site.lists(*site.opening("later", "--after", "canary", "--errors", "1"))
    assert later.exit_code == 0
    assert "ring later is not told" in later.output
    assert site.rings()["later"] == 1


def test_unattended_it_goes_from_ring_to_ring_and_stops_on_errors(site: Site) -> None:
    site.headquarters.day("L898902C3", ring="canary")
    for device, ring in (("desk-1", "canary"), ("desk-2", "canary"), ("desk-3", "pilot")):
        site.stands(device, ring)
    site.says("desk-1", "canary", UpdateOutcome.UPDATED, publication=1)
    watching = (*site.opening("pilot", "all", "--after", "canary"), "--watch", "--every", "0.1")
    process = subprocess.Popen(
        [sys.executable, "-m", "central.cli", "lists", *watching, *site.config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    site.says("desk-2", "canary", UpdateOutcome.CURRENT, publication=1)
    wait_for(lambda: "pilot" in site.rings())
    site.says("desk-3", "pilot", UpdateOutcome.REFUSED, publication=1, code="probe", reason=PROBE)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "not opened to ring all: 1 device is in error (0 may be): desk-3: probe" in said
    assert site.rings() == {"canary": 1, "pilot": 1}
