"""The units under systemd: hardened as far as was promised, in order, and naming what there is."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from firmware.cli import app
from scanner import credentials
from tests.house.test_docs import commands_of

UNITS = Path(__file__).parents[2] / "systemd"
OUR_OWN, BROWSER, SET_UP = 15, 30, 24
"""The highest exposure that `systemd-analyze security` may give, in tenths. What sets a device up
is no daemon: it runs before there is a desk, as root, with the network, and then no more."""
MOST = {
    "borderpost.service": OUR_OWN,
    "borderpost-update.service": OUR_OWN,
    "borderpost-scrub.service": OUR_OWN,
    "borderpost-kiosk.service": BROWSER,
    "borderpost-setup.service": SET_UP,
}
DESKS = ("borderpost.service", "borderpost-update.service", "borderpost-scrub.service")
ANALYZE = shutil.which("systemd-analyze")
with_systemd = pytest.mark.skipif(
    ANALYZE is None, reason="systemd-analyze is missing (Debian: apt-get install systemd)"
)
NOT_HERE = re.compile(r"is not executable: No such file|Unit seatd\.service not found")
"""What only a device has: the installed program, the compositor, its broker of seats."""


def analyzed(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=UNITS,
    )


def settings(unit: str) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            said.setdefault(name, []).append(value)
    return said


def test_every_service_has_its_limit() -> None:
    assert set(MOST) == {path.name for path in UNITS.glob("*.service")}


@with_systemd
@pytest.mark.parametrize("unit", MOST)
def test_no_service_is_more_exposed_than_was_promised(unit: str) -> None:
    done = analyzed("security", "--offline=yes", f"--threshold={MOST[unit]}", unit)
    assert f"Overall exposure level for {unit}" in done.stdout
    assert done.returncode == 0, done.stdout[-400:]


@with_systemd
def test_systemd_finds_nothing_wrong_with_any_unit() -> None:
    units = sorted(path.name for path in UNITS.iterdir() if path.is_file())
    said = analyzed("verify", "--man=no", *units).stderr.splitlines()
    assert [line for line in said if not NOT_HERE.search(line)] == []


@pytest.mark.parametrize("unit", MOST)
def test_every_service_runs_as_a_user_that_is_made_and_within_limits(unit: str) -> None:
    said = settings(unit)
    made = (UNITS / "sysusers.d" / "borderpost.conf").read_text()
    (user,), (powers,) = said["User"], said["CapabilityBoundingSet"]
    if unit == "borderpost-setup.service":
        assert (user, powers) == ("root", "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER")
    else:
        assert powers == ""
        assert re.search(rf"^u {user} ", made, re.MULTILINE)
    assert said["AmbientCapabilities"] == [""]
    assert {"MemoryMax", "MemoryHigh", "TasksMax"} <= set(said)
    assert said["ProtectSystem"] == ["strict"]


def test_every_command_that_a_unit_starts_is_there() -> None:
    known = commands_of(app)
    for unit in DESKS:
        program, *words = settings(unit)["ExecStart"][0].split()
        assert program == "/opt/borderpost/bin/borderpost"
        command = " ".join(word for word in words[:2] if not word.startswith("-"))
        assert command in known, unit
        assert words[-2:] == ["--config", "/etc/borderpost/borderpost.toml"]


def test_the_browser_can_speak_to_this_machine_alone_and_keeps_nothing() -> None:
    said = settings("borderpost-kiosk.service")
    assert (said["IPAddressDeny"], said["IPAddressAllow"]) == (["any"], ["localhost"])
    (command,) = said["ExecStart"]
    assert command.endswith(" http://127.0.0.1:8711/")
    assert "--user-data-dir=/run/borderpost-kiosk/" in command
    assert "StateDirectory" not in said


@pytest.mark.parametrize("unit", DESKS)
def test_secrets_are_opened_for_the_desks_own_services_alone(unit: str) -> None:
    (given,) = settings(unit)["LoadCredentialEncrypted"]
    name, _, folder = given.partition(":")
    assert (f"{name}_", Path(folder)) == (credentials.PREFIX, credentials.SEALED)
    assert f"d {folder} 0700 root " in (UNITS / "tmpfiles.d" / "borderpost.conf").read_text()
    assert "LoadCredentialEncrypted" not in settings("borderpost-kiosk.service")


def test_the_desk_is_watched_and_waits_for_no_network() -> None:
    said = settings("borderpost.service")
    assert (said["Type"], said["Restart"]) == (["notify"], ["always"])
    assert int(said["WatchdogSec"][0]) > 0
    assert not any("network" in one for name in ("After", "Wants") for one in said.get(name, []))


@with_systemd
def test_users_and_folders_are_made_as_the_units_need_them(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    for tool, kind in (("systemd-sysusers", "sysusers.d"), ("systemd-tmpfiles", "tmpfiles.d")):
        create = ["--create"] if kind == "tmpfiles.d" else []
        command = [tool, f"--root={tmp_path}", *create, str(UNITS / kind / "borderpost.conf")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if done.returncode and "Permission denied" in done.stderr:
            pytest.skip("only root may make files of other users")
        assert done.returncode == 0, done.stderr
    groups = (tmp_path / "etc" / "group").read_text()
    assert re.search(r"^dialout:.*:borderpost$", groups, re.MULTILINE)
    assert re.search(r"^video:.*:borderpost,borderpost-kiosk$", groups, re.MULTILINE)
    assert (tmp_path / "var/lib/borderpost").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "etc/borderpost/list-keys").stat().st_mode & 0o777 == 0o750
