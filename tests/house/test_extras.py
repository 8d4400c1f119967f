"""What is installed without an extra still works, and what needs one says which, in one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from firmware.demo.catalogue import SPECIMENS_FOLDER

ROOT = Path(__file__).parents[2]
WITHOUT = """
import importlib, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {missing}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
importlib.import_module("{program}.cli").main()
"""
OF_EXTRAS = (
    "paho", "serial", "gpiozero", "lgpio", "tomlkit", "sqlalchemy",
    "passporteye", "pytesseract", "skimage", "amqtt",
)  # fmt: skip
MRZ = """P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<
L898902C36UTO7408122F1204159ZE184226B<<<<<10
"""
SOURCE = """issuer,number,number_to,kind,status,recorded,reference
UTO,L898902C3,,passport,stolen,2026-01-05,R-1
"""


def run(
    folder: Path, program: str, *arguments: str, missing: tuple[str, ...] = OF_EXTRAS
) -> subprocess.CompletedProcess[str]:
    """A command where the packages `missing` are not installed."""
    code = WITHOUT.format(missing=missing, program=program)
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        input=MRZ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder / "home")},
    )


def test_lists_keys_and_typed_lines_need_no_extra(tmp_path: Path) -> None:
    (tmp_path / "sltd.csv").write_text(SOURCE)
    for program, *arguments in (
        ("central", "lists", "build", "sltd.csv", "lists/"),
        ("central", "enrol", "desk-1", "out/", "--keys", "keys/"),
        ("central", "enrol", "token", "desk-2", "--keys", "keys/"),
        ("firmware", "enrol", "--request", "asks", "--device", "desk-3", "--folder", "id/"),
        ("central", "enrol", "sign", "asks", "--keys", "keys/"),
        ("firmware", "enrol", "--accept", "asks.answer", "--device", "desk-3", "--folder", "id/"),
        ("central", "enrol", "worker", "receiver-1", "worker/", "--keys", "keys/"),
        ("central", "broker", "config", "broker/", "--host", "localhost", "--keys", "keys/"),
        ("central", "enrol", "revoke", "desk-3", "--keys", "keys/"),
        ("central", "enrol", "list", "--keys", "keys/"),
        ("firmware", "parse"),
        ("firmware", "check", "--lists", "lists/"),
    ):
        done = run(tmp_path, program, *arguments)
        assert (done.returncode, done.stderr) == (0, "")
    assert "HIT" in done.stdout


def test_pictures_are_read_without_any_extra(tmp_path: Path) -> None:
    done = run(tmp_path, "firmware", "scan", str(SPECIMENS_FOLDER / "01-passport.jpg"), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["reading"]["status"] == "read"


@pytest.mark.parametrize(
    ("program", "arguments", "missing", "extra"),
    [
        ("central", ("alerts",), "sqlalchemy", "central"),
        ("central", ("receive",), "paho", "device,central"),
        ("firmware", ("run",), "serial", "device"),
        ("firmware", ("setup",), "tomlkit", "device"),
        ("firmware", ("demo", "--once"), "amqtt", "demo"),
    ],
)
def test_a_command_without_its_extra_says_which_it_needs_in_one_line(
    tmp_path: Path, program: str, arguments: tuple[str, ...], missing: str, extra: str
) -> None:
    config = tmp_path / "some.toml"
    config.write_text("")
    given = () if arguments[0] == "demo" else ("--config", str(config))
    done = run(tmp_path, program, *arguments, *given, missing=(missing,))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert f"the Python package {missing} is not installed" in line
    assert f"pip install 'borderpost[{extra}]'" in line


@pytest.mark.parametrize("program", ["firmware", "central"])
def test_no_command_at_all_is_one_line_and_exit_code_2(tmp_path: Path, program: str) -> None:
    done = run(tmp_path, program)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "--help" in line
