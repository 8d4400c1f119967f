"""`borderpost doctor` as a technician meets it, and the running desk's own look at itself."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from central.enrolment.authority import Authority
from firmware.cli import app
from firmware.doctor import checks
from firmware.doctor.context import context_of
from firmware.doctor.course import CHECKS, Check, examine
from firmware.doctor.desk_says import FILE, RUNTIME, DeskSays, SourceSays
from firmware.doctor.finding import State, ok
from firmware.doctor.kernel import Kernel
from firmware.doctor.rounds import TOLD, Rounds
from firmware.wellbeing import Wellbeing
from scanner.alert import Place
from scanner.command_line import run_command
from scanner.watchlist.keyring import write_keys
from tests.delivery.both_ends import wait_for
from tests.desk.patient import FIRMWARE, ZONE, Patient, only
from tests.desk.test_cli import borderpost
from tests.desk.test_doctor_links import with_list
from tests.desk.test_wellbeing import Device
from tests.listing import KEY, lists_in
from tests.reading.scanner_simulator import ScannerSimulator

OK, WARN, FAIL, SKIPPED = State


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    return Patient(tmp_path)


Doctor = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Runs `borderpost doctor --json` within this process."""

    def run(config: Path, *more: str) -> tuple[int, list[dict[str, Any]]]:
        command = ["borderpost", "doctor", "--json", "--config", str(config), *more]
        monkeypatch.setattr(sys, "argv", command)
        code = run_command(app, "borderpost")
        told = capsys.readouterr()
        assert told.err == ""
        return code, [json.loads(line) for line in told.out.splitlines()]

    return run


def test_every_check_is_a_file_and_every_file_a_check_and_each_is_documented() -> None:
    files = {path.stem for path in Path(str(checks.__file__)).parent.glob("[!_]*.py")}
    assert {check.name for check in CHECKS} == files
    assert {check.name for check in CHECKS if check.cheap} > TOLD


def test_on_a_machine_with_nothing_attached_each_check_says_what_it_lacks(
    patient: Patient, doctor: Doctor
) -> None:
    sources = (
        '[[sources]]\nkind = "camera"\nname = "eye"\ndevice = "/dev/video97"\n'
        '[[sources]]\nkind = "serial"\nname = "desk"\nport = "/dev/ttyUSB97"\n'
    )
    config = patient.context(sources, '[panel]\npins = "gpio"\n').config
    code, told = doctor(config)
    assert code == 1
    by_check = {one["check"]: one for one in told}
    assert set(by_check) == {check.name for check in CHECKS}
    assert told[0]["check"] == "configuration"
    for check in ("camera", "scanner", "pins", "lists", "identity"):
        assert by_check[check]["state"] == "fail", check
    for one in told:
        assert list(one) == ["check", "state", "line", "fix"]
        assert bool(one["fix"]) is (one["state"] in ("warn", "fail"))
        assert "\n" not in one["line"]


def test_without_a_configuration_that_can_be_used_the_machine_is_looked_at_all_the_same(
    patient: Patient, doctor: Doctor
) -> None:
    config = patient.context().config
    config.write_text(config.read_text().replace("site", "sight") + "x = 1\n")
    code, (first, *rest) = doctor(config)
    assert code == 1
    assert (first["check"], first["state"]) == ("configuration", "fail")
    assert "line 1: device.site: is missing" in first["line"]
    assert "(and 2 more)" in first["line"]
    assert {one["check"]: one["state"] for one in rest}["memory"] == "ok"
    assert {one["check"]: one["state"] for one in rest}["camera"] == "skipped"
    done = borderpost("doctor", "--config", "/nowhere.toml")
    assert done.returncode == 2
    assert done.stderr.startswith(b"borderpost: /nowhere.toml: there is no such file")


def test_a_check_that_fails_itself_is_one_line_and_the_others_are_still_made() -> None:
    def broken(context: object) -> Any:
        yield ok("this much was well")
        raise RuntimeError("ERIKSSON")

    patient: Any = None
    first, second, third = examine(patient, [Check(broken), Check(lambda _: iter([ok("on")]))])
    assert (first.state, second.state, third.line) == (OK, FAIL, "on")
    assert "RuntimeError at test_doctor.py:" in second.line
    assert "ERIKSSON" not in second.line


def test_speed_is_told_beside_a_baseline_of_the_same_moment(
    patient: Patient, doctor: Doctor
) -> None:
    with_list(patient, datetime.now(UTC))
    write_keys(patient.folder / "list-keys" / "sltd.key", [KEY])
    code, told = doctor(patient.context().config, "--speed")
    assert code == 0
    assert [one["baseline"] for one in told] == [
        "decoding its JPEG",
        "SQLite asked for as many keys of 100,000",
        "writing 4 KiB and waiting for the disk",
    ]
    for one in told:
        assert one["ratio"] == pytest.approx(one["ms"] / one["baseline_ms"])
    assert os.listdir(patient.folder / "data") == []  # noqa: PTH208
    bare = doctor(Patient(patient.folder / "pages").context().config, "--speed")[1]
    assert bare[1]["state"] == "skipped"


def rounds(patient: Patient, *sources: SourceSays) -> Rounds:
    """The rounds of a desk with these sources, on this Pi."""
    context = patient.context()
    assert context.configured is not None

    def says() -> DeskSays:
        return DeskSays.now(
            sources, connected=False, link="link down", lamps="none", identity=None, updates=None
        )

    return Rounds(
        context.configured,
        Device(),
        lists_in(patient.folder / "lists"),
        says,
        kernel=Kernel(patient.root),
        every_s=0.05,
    )


def test_what_the_running_desk_says_is_read_while_it_runs_and_no_longer(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(RUNTIME, raising=False)
    (patient.root / "proc" / str(os.getpid())).mkdir(parents=True)
    assert only(patient.context(), "desk").state is SKIPPED
    one, stop = rounds(patient, SourceSays(name="pages", ok=True)), threading.Event()
    thread = threading.Thread(target=one.run, args=(stop,))
    thread.start()
    file = patient.folder / "data" / FILE
    wait_for(file.exists)
    context = patient.context()
    assert only(context, "desk").line.startswith(f"it runs (process {os.getpid()})")
    assert only(context, "link").state is WARN
    assert {one["check"] for one in json.loads(file.read_bytes())["findings"]} >= TOLD - {"power"}
    stop.set()
    thread.join()
    assert patient.context().desk is None
    one.go_round()
    (patient.root / "proc" / str(os.getpid())).rmdir()
    assert patient.context().desk is None, "its process has ended"


def test_beside_a_desk_that_runs_its_word_about_what_it_holds_counts(
    patient: Patient, doctor: Doctor
) -> None:
    Authority(patient.folder / "keys").enrol("desk-1", patient.folder / "identity")
    more = '[panel]\npins = "mock"\n[kiosk]\nenabled = false\n[broker]\ntls = false\nport = 1\n'
    with ScannerSimulator("elyctis", patient.folder / "reader") as reader:
        source = f'[[sources]]\nkind = "serial"\nname = "desk"\nport = "{reader.link}"\n'
        config = patient.context(f'{source}family = "elyctis"\n', more).config
        before = {one["check"]: one for one in doctor(config)[1]}
        assert before["scanner"]["line"].endswith("it answers as Elyctis ID BOX does")
        command = [sys.executable, "-m", "firmware.cli", "run", "--config", str(config)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as desk:
            try:
                wait_for((patient.folder / "data" / FILE).exists)
                wait_for(lambda: only(context_of(config), "scanner").state is OK)
                beside = {one["check"]: one for one in doctor(config)[1]}
            finally:
                desk.terminate()
                desk.communicate(timeout=20)
    assert beside["desk"]["line"].startswith(f"it runs (process {desk.pid})")
    assert "the running desk holds it, and it is well" in beside["scanner"]["line"]
    assert beside["link"]["line"].startswith("link down since")
    assert context_of(config).desk is None


def test_under_systemd_the_desk_writes_into_memory_and_not_onto_the_card(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = patient.root / "run" / "borderpost"
    runtime.mkdir(parents=True)
    (patient.root / "proc" / str(os.getpid())).mkdir(parents=True)
    monkeypatch.setenv(RUNTIME, str(runtime))
    rounds(patient).go_round()
    assert not (patient.folder / "data" / FILE).exists()
    assert patient.context().desk is not None


def faults(one: Rounds, patient: Patient) -> dict[str, str]:
    device = Device()
    wellbeing = Wellbeing(
        Place(site="Utopia"), lists_in(patient.folder), device, [], device, device, health=one
    )
    return {fault.part: fault.message for fault in wellbeing.status().faults}


def test_what_is_wrong_with_the_machine_is_in_the_status_until_it_is_not(patient: Patient) -> None:
    one = rounds(patient)
    one.go_round()
    assert not TOLD & set(faults(one, patient)) - {"certificate", "space"}
    patient.says(ZONE + "/temp", "81600")
    patient.says(FIRMWARE, "50001")
    one.go_round()
    told = faults(one, patient)
    assert told["temperature"].startswith("82 °C")
    assert told["power"].startswith("under-voltage")
    patient.says(ZONE + "/temp", "83100")
    one.go_round()
    assert faults(one, patient) == told, "a figure that moves is no news to headquarters"
    assert any(finding.line.startswith("83 °C") for finding in one.findings)
    patient.says(ZONE + "/temp", "50000")
    patient.says(FIRMWARE, "0")
    one.go_round()
    assert not {"temperature", "power"} & set(faults(one, patient))


def test_all_of_it_can_be_looked_at_while_the_desk_runs(patient: Patient) -> None:
    found = list(rounds(patient).examined())
    assert {one.check for one in found} == {check.name for check in CHECKS} - {"configuration"}
    assert found[0].check == "desk"
