"""The Debian package: what is in it, and what its scripts do on a device."""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from ensurepip import __file__ as ensurepip_file
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from firmware.delivery.outbox import Outbox
from firmware.settings import load
from tests.delivery.both_ends import NOW, alert

ROOT = Path(__file__).parents[2]
DEB = ROOT / "packaging" / "deb"
sys.path.insert(0, str(ROOT / "packaging"))
import build_deb  # noqa: E402  programs that are run by path
import device_wheels  # noqa: E402

SCRIPTS = build_deb.SCRIPTS
SECTION = "[console_scripts]\n"
BOOKWORM_AMD64, _, _, TRIXIE_ARM64 = device_wheels.TARGETS


def wheel(folder: Path, name: str, files: dict[str, str]) -> Path:
    """A wheel of ours with these files."""
    info = f"{name}-1.dist-info"
    every = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    made = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in every.items():
            archive.writestr(path, text)
        rows = "".join(f"{path},,\n" for path in [*every, f"{info}/RECORD"])
        archive.writestr(f"{info}/RECORD", rows)
    return made


def pip_wheel() -> Path:
    places = (Path(ensurepip_file).parent / "_bundled", Path("/usr/share/python-wheels"))
    return next(found for place in places for found in place.glob("pip-*.whl"))


class Device:
    """A root that packages are installed into, by their scripts alone. What only a device has
    stands beside it as programs that do nothing, or fail when told to."""

    def __init__(self, folder: Path) -> None:
        self.root, self.programs = folder / "root", folder / "programs"
        self.home = self.root / "opt/borderpost"
        self.data, self.etc = self.root / "var/lib/borderpost", self.root / "etc/borderpost"
        for place in (self.data, self.etc, self.programs, self.root / "usr/share/borderpost"):
            place.mkdir(parents=True)
        (self.root / "usr/share/borderpost/borderpost.toml").write_text("# as shipped\n")
        for name in ("systemd-sysusers", "systemd-tmpfiles", "udevadm", "deb-systemd-helper"):
            self.program(name, "exit 0")

    def program(self, name: str, does: str) -> None:
        file = self.programs / name
        file.write_text(f'#!/bin/sh\necho "$0 $*" >>{self.programs}/log\n{does}\n')
        file.chmod(0o755)

    @property
    def in_force(self) -> str | None:
        current = self.home / "current"
        return str(current.readlink()) if current.is_symlink() else None

    def unpack(self, *, answers: str = '"status": "read"', code: int = 0) -> None:
        """The wheels of a version, whose program answers so."""
        wheels = self.home / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)
        (wheels / "installer").mkdir(parents=True)
        (wheels / "installer" / pip_wheel().name).symlink_to(pip_wheel())
        program = f"import sys\ndef main():\n    print('''{answers}''')\n    sys.exit({code})\n"
        catalogue = "from pathlib import Path\nSPECIMENS_FOLDER = Path('/specimens')\n"
        files = {
            "stand_in.py": program,
            "firmware/__init__.py": "",
            "firmware/daemon.py": "",
            "firmware/demo/__init__.py": "",
            "firmware/demo/catalogue.py": catalogue,
            "borderpost-1.dist-info/entry_points.txt": f"{SECTION}borderpost=stand_in:main\n",
        }
        wheel(wheels, "borderpost", files)

    def script(
        self, name: str, *words: str, version: str = "1"
    ) -> subprocess.CompletedProcess[str]:
        text = (DEB / name).read_text().replace("@VERSION@", version)
        path = f"{self.programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", "-s", "--", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={"PATH": path, "DPKG_ROOT": str(self.root)},
        )

    def configure(self, version: str, code: int = 0) -> str:
        done = self.script("postinst", "configure", version=version)
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout


@pytest.fixture
def device(tmp_path: Path) -> Device:
    return Device(tmp_path)


@pytest.mark.parametrize("target", device_wheels.TARGETS, ids=lambda one: str(one.name))
def test_a_lock_names_all_that_a_device_needs_for_its_python(target: device_wheels.Target) -> None:
    rows = re.findall(
        r"^([a-z0-9-]+)==(\S+) --hash=sha256:[0-9a-f]{64}$", target.lock.read_text(), re.M
    )
    locked = dict(rows)
    assert len(rows) == len(target.lock.read_text().splitlines())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in (*project["dependencies"], *project["optional-dependencies"]["device"]):
        asked = Requirement(text)
        if asked.marker and (target.arch == "amd64" or target.pins_by_system):
            assert asked.name not in locked
        else:
            assert Version(locked[asked.name.replace("_", "-")]) in asked.specifier, asked.name
    assert "pip" in locked
    assert not device_wheels.NOT_NEEDED & set(locked)


def test_everything_lands_where_a_device_looks_for_it(tmp_path: Path) -> None:
    build_deb.put_files(tmp_path, BOOKWORM_AMD64)
    units = {one.name for one in (ROOT / "systemd").iterdir() if one.is_file()}
    assert {one.name for one in (tmp_path / "usr/lib/systemd/system").iterdir()} == units
    for place in ("sysusers.d/borderpost.conf", "tmpfiles.d/borderpost.conf"):
        assert (tmp_path / "usr/lib" / place).is_file()
    assert (tmp_path / "usr/lib/udev/rules.d/70-borderpost.rules").is_file()
    assert (tmp_path / "usr/lib/systemd/journald.conf.d/borderpost.conf").is_file()
    assert (tmp_path / "opt/borderpost/bin").readlink() == Path("current/bin")
    command = (tmp_path / "usr/bin/borderpost").readlink()
    assert command == Path("/opt/borderpost/current/bin/borderpost")
    assert not (tmp_path / "etc").exists()
    load(tmp_path / "usr/share/borderpost/borderpost.toml")


def test_the_control_file_says_which_python_it_is_for(tmp_path: Path) -> None:
    for target, version in ((BOOKWORM_AMD64, "3.11"), (TRIXIE_ARM64, "3.13")):
        tree = tmp_path / target.name
        build_deb.put_files(tree, target)
        work = build_deb.Work(tmp_path, "1.2.3", 0)
        build_deb.put_control(tree, target, work, installed_kb=1000)
        build_deb.settle(tree, 0)
        rows = (tree / "DEBIAN/control").read_text()
        fields = dict(re.findall(r"^([A-Z][\w-]+): (.*)$", rows, re.M))
        assert "@" not in rows.replace("borderpost@localhost", "")
        assert fields["Version"] == f"1.2.3+deb{target.debian}"
        assert fields["Architecture"] == target.arch
        assert f"python3 (>= {version}), python3 (<< 3.{int(version[2:]) + 1})" in fields["Depends"]
        assert int(fields["Installed-Size"]) > 1000
        for name in SCRIPTS:
            assert (tree / "DEBIAN" / name).stat().st_mode & 0o777 == 0o755
        assert (tree / "usr/share/borderpost/borderpost.toml").stat().st_mtime == 0
    pins = tmp_path / "trixie-arm64/opt/borderpost/system"
    assert sorted(one.name.split(".")[0] for one in pins.iterdir()) == ["_lgpio", "lgpio"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_plain_shell_and_stops_at_an_error(name: str) -> None:
    done = subprocess.run(["sh", "-n", str(DEB / name)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "\nset -eu\n" in (DEB / name).read_text()


def test_a_slim_wheel_is_the_same_without_what_no_device_uses(tmp_path: Path) -> None:
    whole = wheel(
        tmp_path / "whole",
        "borderpost",
        {
            "firmware/cli.py": "x = 1\n",
            "firmware/tests/test_cli.py": "assert True\n",
            "central/cli.py": "x = 2\n",
            "babel/locale-data/fr.dat": "oui",
            "babel/locale-data/fi.dat": "joo",
            "borderpost-1.dist-info/entry_points.txt": (
                f"{SECTION}borderpost = firmware.cli:main\nborderpost-central = central.cli:main\n"
            ),
        },
    )
    made = []
    for folder in (tmp_path / "one", tmp_path / "two"):
        folder.mkdir()
        sizes = device_wheels.make_slim(whole, folder)
        made.append((folder / whole.name).read_bytes())
    assert made[0] == made[1]
    assert sizes["what central alone uses"] == 6
    with zipfile.ZipFile(io.BytesIO(made[0])) as slim:
        names = set(slim.namelist())
        assert {"firmware/cli.py", "babel/locale-data/fr.dat"} < names
        assert not any("test" in one or "central" in one or one.endswith("fi.dat") for one in names)
        assert b"central" not in slim.read("borderpost-1.dist-info/entry_points.txt")
        record = slim.read("borderpost-1.dist-info/RECORD").decode()
        assert {row[0] for row in csv.reader(record.splitlines())} == names


def test_every_script_that_a_device_runs_is_one() -> None:
    boot = ROOT / "packaging" / "boot"
    for script in (*(DEB / name for name in SCRIPTS), boot / "device.sh", boot / "overlay-init"):
        done = subprocess.run(["bash", "-n", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_a_version_is_put_in_force_once_it_has_answered(device: Device) -> None:
    device.unpack()
    assert "now run: sudo borderpost setup" in device.configure("1")
    assert device.in_force == "venvs/1"
    assert (device.etc / "borderpost.toml").read_text() == "# as shipped\n"
    assert not (device.home / "wheels").exists()
    (device.etc / "borderpost.toml").write_text("# ours\n")

    device.unpack()
    assert device.configure("2") == ""
    assert device.configure("2") == "", "once more, as after a power cut at the end"
    assert device.in_force == "venvs/2"
    device.unpack()
    device.configure("2")
    assert device.in_force == "venvs/2-2"
    assert [one.name for one in (device.home / "venvs").iterdir()] == ["2-2"]
    assert (device.etc / "borderpost.toml").read_text() == "# ours\n"


def test_a_configuration_that_nobody_touched_is_the_newest_versions(device: Device) -> None:
    config = device.etc / "borderpost.toml"
    for text, stays in (("# as shipped\n", False), ("# ours\n", True)):
        config.write_text(text)
        assert device.script("preinst", "install").returncode == 0
        assert config.exists()
        assert device.script("preinst", "upgrade", "1").returncode == 0
        assert config.exists() is stays


def test_a_version_that_does_not_answer_leaves_the_one_before_and_says_why(device: Device) -> None:
    device.unpack(answers="no library", code=1)
    assert device.configure("1", code=1) == (
        "borderpost: version 1 could not be installed: no library\n"
    )
    assert device.in_force is None
    device.unpack()
    device.configure("1")
    device.unpack(answers="unreadable")
    assert device.configure("2", code=1) == (
        "borderpost: version 2 does not work here, so 1 goes on: it does not read a specimen\n"
    )
    assert device.in_force == "venvs/1"
    assert [one.name for one in (device.home / "venvs").iterdir()] == ["1"]


def test_a_desk_that_does_not_start_with_a_new_version_goes_on_with_the_old(device: Device) -> None:
    device.unpack()
    device.configure("1")
    (device.root / "run/systemd/system").mkdir(parents=True)
    started = f'[ "$1" != restart ] || [ "$(readlink {device.home}/current)" = venvs/1 ]'
    device.program("systemctl", started)
    device.unpack()
    assert device.configure("2", code=1) == (
        "borderpost: version 2 does not work here, so 1 goes on: "
        "the desk does not start with it (journalctl -u borderpost)\n"
    )
    assert device.in_force == "venvs/1"
    restarts = (device.programs / "log").read_text().count("systemctl restart borderpost.service")
    assert restarts == 2


def test_nothing_is_removed_while_central_does_not_have_every_alert(device: Device) -> None:
    outbox = Outbox(device.data / "outbox.db", "desk-1", b"m" * 32)
    outbox.put_alert(alert(), NOW)
    outbox.close()
    done = device.script("prerm", "remove")
    assert done.returncode == 1
    assert "not removed: alerts and outcomes that central does not have yet: 1;" in done.stderr
    assert device.script("prerm", "upgrade", "2").returncode == 0
    (device.etc / "keep-data").touch()
    assert device.script("prerm", "remove").returncode == 0


def test_a_removal_leaves_nothing_of_anybody_unless_it_is_told_to(device: Device) -> None:
    kept, personal = (
        ("identity", "lists"),
        ("outbox.db", "outbox.db-wal", "journal.db", "drills", ".x"),
    )
    for name in (*kept, *personal):
        (device.data / name).mkdir()
    (device.etc / "keep-data").touch()
    for what in ("remove", "purge"):
        assert "stay" in device.script("postrm", what).stdout
        assert len(list(device.data.iterdir())) == len(kept) + len(personal)
    (device.etc / "keep-data").unlink()
    device.script("postrm", "upgrade", "2")
    assert len(list(device.data.iterdir())) == len(kept) + len(personal)
    device.script("postrm", "remove")
    assert {one.name for one in device.data.iterdir()} == set(kept)
    assert device.etc.exists()
    device.script("postrm", "purge")
    assert not device.data.exists()
    assert not device.etc.exists()
