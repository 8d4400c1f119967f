"""What the doctor says of what hangs on the device: cameras, serial scanners, pins, folders."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.demo.catalogue import SPECIMENS_FOLDER
from firmware.doctor.context import Context
from firmware.doctor.desk_says import DeskSays, SourceSays
from firmware.doctor.finding import State
from scanner.sources.families import FAMILIES
from tests.desk.patient import Patient, found, only
from tests.reading.scanner_simulator import REPLIES, ScannerSimulator

OK, WARN, FAIL, SKIPPED = State
STANDS_IN = Path(__file__).parents[1] / "reading"


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


def scanner(patient: Patient, family: str, port: Path | str) -> Context:
    source = f'[[sources]]\nkind = "serial"\nname = "desk"\nport = "{port}"\nfamily = "{family}"\n'
    return patient.context(source)


def camera(patient: Patient, script: str, *words: str, size: str = "640x360") -> Context:
    command = " ".join([sys.executable, str(STANDS_IN / script), *words])
    source = f'[[sources]]\nkind = "rpicam"\nname = "eye"\ncommand = "{command}"\n'
    width, height = size.split("x")
    return patient.context(f"{source}width = {width}\nheight = {height}\nfps = 1\n")


@contextmanager
def the_desk_says(context: Context, *sources: SourceSays, lamps: str = "none") -> Iterator[Context]:
    says = DeskSays.now(
        sources, connected=True, link="link up", lamps=lamps, identity=None, updates=None
    )
    yield replace(context, desk=says)


def test_nothing_attached_is_told_for_each_thing_with_what_to_do(patient: Patient) -> None:
    sources = (
        '[[sources]]\nkind = "camera"\nname = "eye"\ndevice = "/dev/video97"\n'
        '[[sources]]\nkind = "serial"\nname = "desk"\nport = "/dev/ttyUSB97"\n'
        '[[sources]]\nkind = "folder"\nname = "pages"\npath = "/nowhere"\n'
    )
    context = patient.context(sources, '[panel]\npins = "gpio"\n')
    patient.says("dev/v4l/by-id/usb-Someone_Eye-video-index0", "")
    patient.says("dev/serial/by-id/usb-Someone_Reader-if00", "")
    told = {check: only(context, check) for check in ("camera", "scanner", "sources", "pins")}
    assert {one.state for one in told.values()} == {FAIL}
    assert told["camera"].line == (
        "eye: /dev/video97: no such camera (here are: /dev/v4l/by-id/usb-Someone_Eye-video-index0)"
    )
    assert told["camera"].fix == "plug it in or correct the device"
    assert "(here are: /dev/serial/by-id/usb-Someone_Reader-if00)" in told["scanner"].line
    assert told["scanner"].fix == "plug the reader in or correct the port"
    assert 'pins = "none"' in told["pins"].fix
    assert only(context, "picture").state is SKIPPED


def test_what_is_not_configured_is_skipped_and_said_so(patient: Patient) -> None:
    context = patient.context()
    for check in ("camera", "picture", "scanner", "pins"):
        finding = only(context, check)
        assert finding.state is SKIPPED
        assert "configured" in finding.line
    (patient.folder / "pages" / "a.jpg").write_bytes(b"")
    assert only(context, "sources").line.endswith("pages, 1 files to read")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_scanner_is_opened_and_asked_where_its_family_answers(
    patient: Patient, family: str
) -> None:
    with ScannerSimulator(family, patient.folder / "reader") as reader:
        finding = only(scanner(patient, family, reader.link), "scanner")
        assert finding.state is OK
        asked = family in REPLIES
        assert ("it answers as" in finding.line) is asked
        assert ("answer no command" in finding.line) is not asked


def test_a_scanner_of_another_family_does_not_pass_for_the_configured_one(patient: Patient) -> None:
    with ScannerSimulator("code", patient.folder / "reader") as reader:
        reader.show(("P<UTOERIKSSON<<ANNA<MARIA", "L898902C3"))
        finding = only(scanner(patient, "elyctis", reader.link), "scanner")
    assert finding.state is FAIL
    assert "does not answer as Elyctis ID BOX does" in finding.line
    assert "family" in finding.fix
    assert "ERIKSSON" not in finding.line + finding.fix


def test_a_scanner_that_another_program_holds_is_a_fault_unless_the_desk_does(
    patient: Patient,
) -> None:
    with ScannerSimulator("elyctis", patient.folder / "reader") as reader:
        context = scanner(patient, "elyctis", reader.link)
        with serial_port_held(reader.link):
            finding = only(context, "scanner")
            assert finding.state is FAIL
            assert "another program is using it" in finding.line
            with the_desk_says(context, SourceSays(name="desk", ok=True)) as beside:
                finding = only(beside, "scanner")
                assert finding.state is OK
                assert "the running desk holds it" in finding.line
            lost = SourceSays(name="desk", ok=False, message="/dev/x: lost; plug it in")
            with the_desk_says(context, lost) as beside:
                finding = only(beside, "scanner")
                assert (finding.state, finding.fix) == (FAIL, "plug it in")
            with the_desk_says(context) as beside:
                assert "restart the desk" in only(beside, "scanner").fix


@contextmanager
def serial_port_held(port: Path) -> Iterator[None]:
    import serial

    with serial.Serial(str(port), exclusive=True):
        yield


def test_a_camera_is_opened_and_its_frames_are_counted_and_looked_at(patient: Patient) -> None:
    page = SPECIMENS_FOLDER / "01-passport.jpg"
    context = camera(patient, "rpicam_desk.py", f"{page}:99:0", size="1664x1080")
    finding = only(context, "camera")
    assert finding.state is OK
    assert finding.line.startswith("eye: 1664 × 1080, ")
    light, focus = found(context, "picture")
    assert (light.state, focus.state) == (OK, OK)
    assert "an MRZ lies under it and is read surely" in focus.line


def test_a_document_that_is_out_of_focus_is_told_from_a_desk_without_one(patient: Patient) -> None:
    page = SPECIMENS_FOLDER / "01-passport.jpg"
    blurred = camera(patient, "rpicam_desk.py", f"{page}:99:6", size="1664x1080")
    only(blurred, "camera")
    blurred.frames["eye"] = blurred.frames["eye"][-1:]
    _, focus = found(blurred, "picture")
    assert (focus.state, focus.check) == (WARN, "picture")
    assert "the MRZ is blurred" in focus.line
    bare = camera(patient, "rpicam_desk.py", "-:99:0")
    only(bare, "camera")
    light, focus = found(bare, "picture")
    assert (light.state, focus.state) == (OK, SKIPPED)
    assert "lay a specimen" in focus.line


def test_a_camera_that_gives_nothing_or_dies_is_told_with_what_to_do(patient: Patient) -> None:
    context = camera(patient, "rpicam_stand_in.py", "die", str(patient.folder / "starts"))
    finding = only(context, "camera")
    assert finding.state is FAIL
    assert finding.fix == "is a camera connected?"
    assert patient.context().frames == {}


def test_a_camera_in_the_dark_is_told_by_its_picture(patient: Patient) -> None:
    import numpy as np

    context = camera(patient, "rpicam_stand_in.py", "steady", str(patient.folder / "starts"))
    context.frames["eye"] = (np.full((90, 160), 9, np.uint8),)
    light, _ = found(context, "picture")
    assert light.state is FAIL
    assert "switch the lamp on" in light.fix
    context.frames["eye"] = (np.full((90, 160), 255, np.uint8),)
    assert found(context, "picture")[0].state is WARN


def test_mock_pins_are_not_called_well(patient: Patient) -> None:
    context = patient.context(more='[panel]\npins = "mock"\n')
    assert only(context, "pins").state is WARN
    gpio = patient.context(more='[panel]\npins = "gpio"\n')
    with the_desk_says(gpio, lamps="gpio") as beside:
        assert only(beside, "pins").state is OK


def test_the_reader_is_asked_to_read(patient: Patient) -> None:
    finding = only(patient.context(), "reader")
    assert finding.state is OK
    assert "01-passport.jpg as printed" in finding.line
    unavailable = patient.context(more='[reader]\nengine = "tflite-runtime"\n')
    assert only(unavailable, "reader").state is FAIL
