"""What central is told of a device: its faults in words, and nothing that a message cannot hold."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

from firmware.wellbeing import Wellbeing
from scanner.alert import MAX_FAULTS, Place
from scanner.sources.capture import Capture, Health
from scanner.watchlist.age import ClockReading
from scanner.watchlist.contract import ListHealth
from tests.listing import lists_in

WELL = Health(True)


@dataclass
class Device:
    """The parts that are asked how they are."""

    name: str = "scanner"
    health: Health = WELL
    unwritten: int = 0
    fault: str | None = None
    synchronised: bool = True
    others: list[Health] = field(default_factory=list)

    def captures(self, stop: Event) -> Iterator[Capture]:
        yield from ()

    def reading(self) -> ClockReading:
        return ClockReading(datetime.now(UTC), self.synchronised, 5.0, 10.0)

    def faults(self, folder: Path) -> dict[str, str]:
        sources = [self, *(Device(f"camera {n}", one) for n, one in enumerate(self.others))]
        wellbeing = Wellbeing(Place(site="Utopia"), lists_in(folder), self, sources, self, self)
        return {fault.part: fault.message for fault in wellbeing.status().faults}


def test_a_device_without_faults_but_its_list_says_so(tmp_path: Path) -> None:
    assert set(Device().faults(tmp_path)) == {"list (none)"}


def test_a_missing_list_is_in_the_status_with_its_health(tmp_path: Path) -> None:
    device = Device()
    wellbeing = Wellbeing(Place(site="Utopia"), lists_in(tmp_path), device, [], device, device)
    assert [one.health for one in wellbeing.status().lists] == [ListHealth.MISSING]


def test_every_part_that_is_at_fault_is_named(tmp_path: Path) -> None:
    device = Device(
        health=Health(False, "/dev/x: not there"),
        unwritten=1,
        fault="the disk is full",
        synchronised=False,
    )
    told = device.faults(tmp_path)
    assert told["source scanner"] == "/dev/x: not there"
    assert told["answers"] == "the disk is full"
    assert {"outbox", "clock"} <= set(told)


def test_what_a_driver_says_is_made_to_fit_the_message(tmp_path: Path) -> None:
    told = Device(health=Health(False, "bad\x00\n\u202e" + "x" * 500)).faults(tmp_path)
    assert told["source scanner"] == ("bad" + "x" * 500)[:200]


def test_no_more_faults_are_told_than_a_message_holds(tmp_path: Path) -> None:
    told = Device(others=[Health(False, "gone")] * (MAX_FAULTS + 5)).faults(tmp_path)
    assert len(told) == MAX_FAULTS
