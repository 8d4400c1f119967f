"""A serial MRZ reader at a real pseudo-terminal gives one capture a document."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import serial

from scanner.mrz.reading import Reading, Status, Uncertain
from scanner.sources.families import FAMILIES
from scanner.sources.serial_port import SerialScanner, Trigger
from tests.reading.scanner_simulator import ARMING, DISARMING, INQUIRY, ScannerSimulator
from tests.reading.scanner_wire import on_the_wire
from tests.reading.source_consumer import Consumer, held, wait_until
from tests.reading.specimens_9303 import TD1, TD3

BARE = sorted(set(FAMILIES) - {"3m", "desko", "arinc", "elyctis"})


def scanner(family: str, port: Path, **options: Any) -> SerialScanner:
    options = {"backoff_s": (0.02, 0.1), "today": lambda: date(2011, 6, 1), **options}
    return SerialScanner("desk-1", str(port), family, **options)


@contextmanager
def at_work(
    family: str, folder: Path, **options: Any
) -> Iterator[tuple[ScannerSimulator, Consumer]]:
    """A simulator and a scanner that has opened it."""
    with ExitStack() as stack:
        simulator = stack.enter_context(ScannerSimulator(family, folder / "reader"))
        source = scanner(family, simulator.link, **options)
        consumer = stack.enter_context(Consumer(source))
        wait_until(lambda: source.health.ok)
        yield simulator, consumer


def read(consumer: Consumer, timeout: float = 5.0) -> Reading:
    capture = consumer.next(timeout)
    assert capture.source == "desk-1"
    assert capture.fault is None
    assert not capture.frames
    assert capture.text is not None
    return capture.text


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_is_read_surely_one_document_after_another(
    family: str, tmp_path: Path
) -> None:
    with at_work(family, tmp_path) as (simulator, consumer):
        for rows in (TD3, TD1, TD3):
            simulator.show(rows)
            reading = read(consumer)
            assert reading.lines == rows
            assert reading.status is Status.READ
        assert consumer.nothing_for(0.15)
        assert consumer.source.health.ok


@pytest.mark.parametrize("family", FAMILIES)
def test_a_document_that_comes_byte_by_byte_among_noise_is_read(
    family: str, tmp_path: Path
) -> None:
    with at_work(family, tmp_path) as (simulator, consumer):
        pieces = on_the_wire(family, TD1)
        simulator.send(b"\x00\xff\x07\r", *pieces, b"\n\x05\xfe", gap=0.001, piece=1)
        assert read(consumer).lines == TD1
        assert consumer.nothing_for(0.15)


@pytest.mark.parametrize("family", BARE)
def test_rows_that_come_late_are_one_document(family: str, tmp_path: Path) -> None:
    with at_work(family, tmp_path) as (simulator, consumer):
        simulator.show(TD3, gap=0.35)
        reading = read(consumer)
        assert reading.lines == TD3
        assert reading.status is Status.READ


def test_a_bottom_row_alone_is_given_and_is_not_sure(tmp_path: Path) -> None:
    with at_work("honeywell", tmp_path, row_timeout_s=0.3) as (simulator, consumer):
        simulator.show(TD3[1:])
        reading = read(consumer)
        assert reading.lines == ("?" * 44, TD3[1])
        assert reading.status is Status.DOUBTFUL


def test_uncertain_characters_come_with_their_candidates(tmp_path: Path) -> None:
    with at_work("microscan", tmp_path) as (simulator, consumer):
        simulator.send(f"{TD3[0]}\r\nL898902C3\x1d6G\x1dUTO{TD3[1][13:]}\r\n".encode())
        reading = read(consumer)
        assert reading.lines == TD3
        assert reading.status is Status.DOUBTFUL
        assert reading.uncertain == (Uncertain(1, 9, (("6", 0.5), ("G", 0.25))),)


def test_a_damaged_frame_is_doubtful_everywhere_and_is_said(tmp_path: Path) -> None:
    with at_work("3m", tmp_path) as (simulator, consumer):
        frame = bytearray(on_the_wire("3m", TD3)[0])
        frame[-1] ^= 0x40
        for _ in range(3):
            simulator.send(bytes(frame))
            reading = read(consumer)
            assert reading.status is Status.DOUBTFUL
            assert len(reading.uncertain) == 88
        health = consumer.source.health
        assert not health.ok
        assert "check is wrong" in health.message
        assert "check cable, speed and family" in health.message
        simulator.show(TD3)
        assert read(consumer).status is Status.READ
        wait_until(lambda: consumer.source.health.ok)


def test_noise_beside_good_reads_is_told_and_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    with at_work("desko", tmp_path) as (simulator, consumer):
        for _ in range(4):
            simulator.send(b"noise", *on_the_wire("desko", TD3))
            assert read(consumer).status is Status.READ
        assert consumer.source.health.ok
    assert "5 characters outside a frame were dropped" in caplog.text


@pytest.mark.parametrize("family", ["honeywell", "3m"])
def test_a_reader_that_is_unplugged_and_plugged_in_again_is_read_again(
    family: str, tmp_path: Path
) -> None:
    with at_work(family, tmp_path) as (simulator, consumer):
        for _ in range(2):
            simulator.show(TD3)
            assert read(consumer).lines == TD3
            simulator.unplug()
            wait_until(lambda: not consumer.source.health.ok)
            assert "plug the reader in" in consumer.source.health.message
            simulator.plug()
            wait_until(lambda: consumer.source.health.ok)
        simulator.show(TD1)
        assert read(consumer).lines == TD1


def test_a_path_that_leads_to_another_device_is_followed(tmp_path: Path) -> None:
    with at_work("generic", tmp_path) as (simulator, consumer):
        old = simulator._ends
        simulator._ends = None
        simulator.link.unlink()
        simulator.plug()
        time.sleep(1.3)
        wait_until(lambda: consumer.source.health.ok)
        simulator.show(TD3)
        assert read(consumer).lines == TD3
        assert old
        for end in old:
            os.close(end)


def test_rows_before_a_cable_is_pulled_are_not_lost(tmp_path: Path) -> None:
    with at_work("code", tmp_path) as (simulator, consumer):
        simulator.show(TD3[1:])
        time.sleep(0.2)
        simulator.unplug()
        assert read(consumer).lines == ("?" * 44, TD3[1])


def test_a_reader_that_appears_later_is_found(tmp_path: Path) -> None:
    source = scanner("3m", tmp_path / "reader")
    with Consumer(source) as consumer:
        wait_until(lambda: "no such device" in source.health.message)
        assert not source.health.ok
        with ScannerSimulator("3m", tmp_path / "reader") as simulator:
            wait_until(lambda: source.health.ok)
            simulator.show(TD3)
            assert read(consumer).lines == TD3
            consumer.halt()


@pytest.mark.parametrize("family", sorted(ARMING))
def test_a_reader_that_disarms_itself_is_armed_again_after_every_read(
    family: str, tmp_path: Path
) -> None:
    with at_work(family, tmp_path) as (simulator, consumer):
        for _ in range(3):
            simulator.show(TD3)
            read(consumer)
        wait_until(lambda: simulator.commands.count(ARMING[family]) >= 4)


@pytest.mark.parametrize("family", sorted(ARMING))
def test_on_demand_nothing_is_read_until_asked(family: str, tmp_path: Path) -> None:
    with at_work(family, tmp_path, trigger=Trigger.ON_DEMAND) as (simulator, consumer):
        source = consumer.source
        assert isinstance(source, SerialScanner)
        for _ in range(2):
            simulator.show(TD3)
            assert consumer.nothing_for(0.15)
            source.trigger()
            assert read(consumer).lines == TD3
        if family in DISARMING:
            wait_until(lambda: DISARMING[family] in simulator.commands)
        else:
            assert simulator.commands == [INQUIRY, INQUIRY]


def test_a_document_read_twice_is_two_captures_unless_configured(tmp_path: Path) -> None:
    with at_work("3m", tmp_path) as (simulator, consumer):
        simulator.show(TD3)
        simulator.show(TD3)
        assert read(consumer).lines == read(consumer).lines == TD3


def test_repeats_are_swallowed_for_as_long_as_configured(tmp_path: Path) -> None:
    with at_work("3m", tmp_path, ignore_repeats_s=0.4) as (simulator, consumer):
        simulator.show(TD3)
        simulator.show(TD3)
        simulator.show(TD1)
        assert read(consumer).lines == TD3
        assert read(consumer).lines == TD1
        assert consumer.nothing_for(0.5)
        simulator.show(TD1)
        assert read(consumer).lines == TD1


def test_a_port_that_another_program_holds_is_said(tmp_path: Path) -> None:
    with ScannerSimulator("generic", tmp_path / "reader") as simulator:
        other = serial.Serial(str(simulator.link), exclusive=True)
        source = scanner("generic", simulator.link)
        with Consumer(source):
            wait_until(lambda: "another program is using it" in source.health.message)
            other.close()
            wait_until(lambda: source.health.ok)


def test_a_path_that_is_no_serial_port_is_said_and_nothing_escapes(tmp_path: Path) -> None:
    path = tmp_path / "reader"
    path.write_text("no port")
    source = scanner("generic", path)
    with Consumer(source):
        wait_until(lambda: "trying again" in source.health.message)


def test_nothing_is_left_open_after_many_plugs(tmp_path: Path) -> None:
    before = held()
    for _ in range(3):
        with at_work("elyctis", tmp_path) as (simulator, consumer):
            simulator.show(TD3)
            read(consumer)
            simulator.unplug()
            wait_until(lambda: not consumer.source.health.ok)
            simulator.plug()
            wait_until(lambda: consumer.source.health.ok)
    assert held() == before


def test_a_consumer_that_walks_away_closes_the_port(tmp_path: Path) -> None:
    before = held()
    with ScannerSimulator("generic", tmp_path / "reader") as simulator:
        source = scanner("generic", simulator.link)
        with Consumer(source) as consumer:
            wait_until(lambda: source.health.ok)
            simulator.show(TD3)
            read(consumer)
    assert held() == before


def test_no_character_of_a_document_reaches_the_log_or_the_health(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with at_work("3m", tmp_path) as (simulator, consumer):
        simulator.send(b"noise" + on_the_wire("3m", TD3)[0][:-1] + b"\x00")
        read(consumer)
        simulator.send(TD3[1].encode())
        time.sleep(1.2)
        said = caplog.text + consumer.source.health.message
    assert "doubt" in said or "not sure" in said
    assert "L898902C" not in said
    assert "ERIKSSON" not in said
