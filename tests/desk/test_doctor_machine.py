"""What the doctor says of the machine below: the card, its file system, heat, power and memory."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.doctor.finding import State
from tests.delivery.test_full_disk import SmallDisk, may_mount
from tests.desk.patient import BATTERY, CARD, FIRMWARE, ZONE, Patient, found, only

Change = Callable[[Patient], None]
OK, WARN, FAIL, SKIPPED = State


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def test_a_pi_that_is_well_is_found_well_and_what_was_looked_at_is_said(patient: Patient) -> None:
    context = patient.context()
    lines = {check: only(context, check) for check in ("mounts", "card", "memory", "temperature")}
    assert {one.state for one in lines.values()} == {OK}
    assert not any(one.fix for one in lines.values())
    assert lines["card"].line == (
        "mmcblk0 (MMC BJTD4R), 1.1 GB written since boot: 10 to 20 % of its life is used"
    )
    assert lines["temperature"].line == "48 °C"
    assert lines["mounts"].line.startswith(f"data, lists, identity: {patient.folder}, ext4 on ")
    assert only(context, "power").line == "no under-voltage since boot"


def says(path: str, text: str | bytes) -> Change:
    return lambda patient: patient.says(path, text)


def program(said: str) -> Change:
    def change(patient: Patient) -> None:
        patient.silent(FIRMWARE)
        patient.says("usr/bin/vcgencmd", f'#!/bin/sh\n[ "$1" = get_throttled ] && echo {said}')
        (patient.root / "usr/bin/vcgencmd").chmod(0o755)

    return change


def overlay(upper: str) -> Change:
    def change(patient: Patient) -> None:
        patient.mount("rw", f"rw,lowerdir=/ro,upperdir={upper},workdir=/w", kind="overlay")

    return change


def alarm(patient: Patient) -> None:
    patient.silent(FIRMWARE)
    patient.says("sys/class/hwmon/hwmon2/name", "rpi_volt")
    patient.says("sys/class/hwmon/hwmon2/in0_lcrit_alarm", "1")


def sd_card(patient: Patient) -> None:
    for name in ("life_time", "pre_eol_info"):
        patient.silent(f"{CARD}/{name}")
    patient.says(f"{CARD}/type", "SD")


def battery(percent: int, status: str) -> Change:
    def change(patient: Patient) -> None:
        for name, said in (("type", "Battery"), ("capacity", str(percent)), ("status", status)):
            patient.says(f"{BATTERY}/{name}", said)

    return change


CASES: dict[str, tuple[Change, str, State, str]] = {
    "an eMMC at 80 to 90 %": (says(f"{CARD}/life_time", "0x01 0x09"), "card", WARN, "80 to 90 %"),
    "an eMMC beyond its life": (says(f"{CARD}/life_time", "0x0b 0x02"), "card", FAIL, "all of"),
    "an eMMC short of blocks": (
        says(f"{CARD}/pre_eol_info", "0x02"),
        "card",
        WARN,
        "reserve of blocks is low",
    ),
    "an eMMC out of blocks": (
        says(f"{CARD}/pre_eol_info", "0x03"),
        "card",
        FAIL,
        "reserve of blocks is gone",
    ),
    "an SD card, which tells nothing": (sd_card, "card", SKIPPED, "tells the kernel nothing"),
    "errors of the file system": (
        says("sys/fs/ext4/mmcblk0p2/errors_count", "3"),
        "card",
        FAIL,
        "3 errors on record",
    ),
    "errors of the card's host": (
        says("sys/kernel/debug/mmc0/err_stats", "# Command CRC Errors:\t 2\n# CQHCI: \t 0"),
        "card",
        WARN,
        "2 errors in speaking",
    ),
    "mounted read-only": (lambda p: p.mount("ro,noatime", "rw"), "mounts", FAIL, "is read-only"),
    "turned read-only by an error": (lambda p: p.mount("rw", "ro"), "mounts", FAIL, "is read-only"),
    "in memory": (lambda p: p.mount("rw", "rw", kind="tmpfs"), "mounts", FAIL, "is in memory"),
    "an overlay over memory": (overlay("/upper"), "mounts", FAIL, "is in memory"),
    "hot now": (says(f"{ZONE}/temp", "81600"), "temperature", FAIL, "82 °C: it is slowed down now"),
    "warm": (says(f"{ZONE}/temp", "72000"), "temperature", WARN, "72 °C"),
    "hot since boot": (says(FIRMWARE, "80000"), "temperature", WARN, "since boot it was slowed"),
    "under-voltage now": (says(FIRMWARE, "50001"), "power", FAIL, "too little now"),
    "under-voltage before": (says(FIRMWARE, "50000"), "power", WARN, "for a while"),
    "under-voltage by vcgencmd": (program("throttled=0x50005"), "power", FAIL, "too little now"),
    "a vcgencmd that may not ask": (program("VCHI failed"), "power", SKIPPED, "does not tell"),
    "under-voltage by the kernel": (alarm, "power", FAIL, "too little now"),
    "a Pi 5 at a small supply": (
        says("proc/device-tree/chosen/power/max_current", (3000).to_bytes(4, "big")),
        "power",
        WARN,
        "offers 3000 mA",
    ),
    "a battery that empties": (battery(64, "Discharging"), "power", WARN, "64 %"),
    "a battery that is empty": (battery(9, "Discharging"), "power", FAIL, "9 %"),
    "a battery that is charged": (battery(9, "Charging"), "power", OK, "9 %"),
    "little memory": (
        says("proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 40 kB"),
        "memory",
        FAIL,
        "(4%)",
    ),
    "programs ended for want of memory": (
        says("proc/vmstat", "oom_kill 2"),
        "memory",
        WARN,
        "ended 2 programs",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_kernel_or_firmware_tells_is_told_with_what_to_do(
    patient: Patient, case: str
) -> None:
    change, check, state, words = CASES[case]
    context = patient.context()
    assert not any(words in one.line for one in found(context, check))
    change(patient)
    told = [one for one in found(context, check) if one.state is state and words in one.line]
    assert len(told) == 1
    assert bool(told[0].fix) == (state in (WARN, FAIL))


def test_a_machine_that_tells_nothing_is_skipped_and_never_called_well(tmp_path: Path) -> None:
    patient = Patient(tmp_path)
    context = patient.context()
    for path in sorted(patient.root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            path.unlink()
    for check in ("card", "mounts", "memory", "temperature", "power"):
        states = {one.state for one in found(context, check)}
        assert states <= {SKIPPED}, check


def test_garbage_from_the_kernel_is_survived(patient: Patient) -> None:
    context = patient.context()
    for path in sorted(patient.root.rglob("*")):
        if path.is_file() and not path.is_symlink():
            path.write_bytes(b"\xff\x00 :=,- \n-1 x\n" * 3)
    for check in ("card", "mounts", "memory", "temperature", "power", "clock"):
        assert not any("check itself failed" in one.line for one in found(context, check)), check


def test_an_overlay_is_as_lasting_as_what_lies_over(patient: Patient) -> None:
    overlay(f"{patient.folder}/upper")(patient)
    text = (patient.root / "proc/self/mountinfo").read_text()
    upper = f"23 22 8:1 / {patient.folder}/upper rw - ext4 /dev/sda1 rw"
    patient.says("proc/self/mountinfo", text + upper)
    assert only(patient.context(), "mounts").state is OK


@pytest.mark.skipif(not may_mount, reason="a file system of its own can be mounted only by root")
def test_a_disk_that_is_nearly_full_is_told_before_it_is(patient: Patient) -> None:
    context = patient.context()
    small = SmallDisk(patient.folder / "data")
    if not small.mount("size=1m"):
        pytest.skip("this machine lets nobody mount a file system")
    try:
        (small.folder / "filler").write_bytes(b"\0" * 900_000)
        told = {one.line.partition(":")[0]: one for one in found(context, "space")}
        assert told["data"].state is WARN
        small.fill()
        told = {one.line.partition(":")[0]: one for one in found(context, "space")}
        assert told["data"].state is FAIL
        assert "make room" in told["data"].fix
        assert not any("data" in one for one in told if one != "data")
        written = found(context, "files")[0]
        assert written.state is FAIL
        assert "No space left" in written.line
    finally:
        small.unmount()
    assert found(context, "files")[0].state is OK
    assert os.listdir(patient.folder / "data") == [], "nothing is left behind"  # noqa: PTH208
