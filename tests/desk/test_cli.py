"""The commands as a technician meets them: answers, exit codes, one clear line for every error."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scanner.watchlist.keyring import user_folder, write_keys
from scanner.watchlist.questions import BUDGET
from tests.desk.desk_fixture import CLEAN, HEADER, LISTED
from tests.in_process import borderpost
from tests.listing import KEY, built

COMMANDS = (
    "scan",
    "parse",
    "check",
    "run",
    "demo",
    "config",
    "list",
    "doctor",
    "journal",
    "officers",
)


def started(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "firmware.cli", *arguments],
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def objects(done: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def _text(*documents: tuple[str, ...]) -> bytes:
    return "\n\n".join("\n".join(lines) for lines in documents).encode()


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a list, whose key is where a user's keys are."""
    folder = tmp_path_factory.mktemp("lists")
    source = folder / "source.csv"
    source.write_text(HEADER + "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n")
    built(source, folder / "lists", "sltd", as_of=datetime.now(UTC))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_DATA_HOME", str(folder / "home"))
        write_keys(user_folder() / "sltd.key", [KEY])
        yield folder / "lists"


def test_parse_answers_each_block_in_order_and_says_why_one_is_no_document() -> None:
    done = started("parse", "--json", stdin=_text(LISTED, ("NOTHING",), CLEAN))
    first, second, third = objects(done)
    assert done.returncode == 0
    assert list(first) == ["format", "lines", "document", "findings", "reason"]
    assert first["document"]["number"] == "L898902C3"
    assert first["reason"] is None
    assert second["document"] is None
    assert set(second["reason"]) == {"code", "message"}
    assert third["document"]["surname"] == "LINDQVIST"


def test_parse_takes_any_bytes_without_a_word_on_stderr() -> None:
    done = borderpost("parse", stdin=bytes(range(256)) * 20)
    assert done.returncode == 0
    assert done.stderr == b""


@pytest.mark.parametrize("terminal", ["ascii:strict", "iso-8859-1:strict", "utf-8:strict"])
def test_a_terminal_that_lacks_a_character_is_told_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, terminal: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", terminal)
    text = "P<UTO\u00c9\u4e2d\nX\n".encode()
    (said,) = objects(started("parse", "--json", stdin=text))
    assert said["lines"] == ["P<UTO\u00c9\u4e2d", "X"]
    odd = os.fsdecode(bytes(tmp_path) + b"/\xff.txt")
    for arguments, stdin in (
        (("parse",), text),
        (("scan", odd), b""),
        (("scan", odd, "--json"), b""),
    ):
        done = borderpost(*arguments, stdin=stdin, terminal=terminal)
        assert done.stdout
        assert done.stderr == b""


def test_a_full_disk_behind_the_output_is_one_line_that_says_so() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "firmware.cli", "parse"],
            input=_text(CLEAN),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == b"borderpost: standard input or output: No space left on device\n"


def test_closed_standard_input_is_wrong_usage() -> None:
    command = f"exec {sys.executable} -m firmware.cli check <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, timeout=60, check=False)
    assert done.returncode == 2
    assert b"standard input is closed" in done.stderr


def test_check_tells_the_listed_from_the_clean(lists: Path) -> None:
    done = started("check", "--lists", str(lists), "--json", stdin=_text(LISTED, CLEAN))
    hit, clear = objects(done)
    assert done.returncode == 0
    assert hit["verdict"]["outcome"] == "HIT"
    assert 0 < hit["verdict"]["asked"] <= BUDGET
    assert hit["verdict"]["unasked"] == 0
    assert hit["verdict"]["lists"][0]["reason"] is None
    (match,) = hit["verdict"]["matches"]
    assert match["list"] == "sltd"
    assert match["certainty"] == "exact"
    assert match["status"] == "stolen"
    assert match["kind"] == "passport"
    assert match["recorded"] == "2026-01-05"
    assert match["asked_as"] == "number"
    assert clear["verdict"]["outcome"] == "CLEAR"
    assert "box" not in clear["reading"]


def test_without_any_list_nothing_is_clear() -> None:
    (said,) = objects(borderpost("check", "--json", stdin=_text(CLEAN)))
    assert said["verdict"]["outcome"] == "NOT_CHECKED"


def test_an_empty_folder_of_lists_is_not_checked_either(tmp_path: Path) -> None:
    done = borderpost("check", "--lists", str(tmp_path), "--json", stdin=_text(CLEAN))
    (said,) = objects(done)
    assert said["verdict"]["outcome"] == "NOT_CHECKED"


def test_scan_gives_one_object_a_file_in_order_also_for_files_that_fail(
    tmp_path: Path, lists: Path
) -> None:
    text = tmp_path / "b.txt"
    text.write_bytes(_text(LISTED))
    (tmp_path / "a.jpg").write_bytes(b"this is no picture")
    missing = tmp_path / "c.png"
    paths = [str(tmp_path / "a.jpg"), str(text), str(missing)]
    done = borderpost("scan", *paths, "--json", "--lists", str(lists))
    bad, good, gone = objects(done)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert [bad["source"], good["source"], gone["source"]] == paths
    assert set(bad["error"]) == {"code", "message"}
    assert "error" not in good
    assert good["verdict"]["outcome"] == "HIT"
    assert gone["verdict"] is None
    assert list(good) == ["source", "reading", "document", "findings", "verdict", "ms"]
    assert list(good["ms"]) == ["load", "locate", "recognise", "decode", "look_up", "total"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("scan",),
        ("scan", "x.jpg", "--reader", "tesseract"),
        ("check", "--jsn"),
        ("nonsense",),
        ("config", "check", "/nonexistent.toml"),
        ("run", "--config", "/nonexistent.toml"),
        ("check", "--config", "/nonexistent.toml"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(arguments: tuple[str, ...]) -> None:
    done = borderpost(*arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(b"borderpost: ")


def test_a_misspelt_reader_is_told_with_what_was_perhaps_meant() -> None:
    done = borderpost("scan", "x.jpg", "--reader", "pasporteye")
    assert done.returncode == 2
    assert b"no reader 'pasporteye'" in done.stderr
    assert b"did you mean passporteye?" in done.stderr


def test_the_configured_reader_is_that_of_a_scan(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    file.write_text(
        """
[device]
name = "desk-1"
site = "x"
[reader]
engine = "passporteye"
[[sources]]
kind = "folder"
name = "s"
path = "x"
[lists]
[[lists.use]]
name = "sltd"
"""
    )
    done = borderpost("scan", "x.jpg", "--config", str(file), "--second-opinion")
    assert done.returncode == 2
    assert b"passporteye cannot be its own second opinion" in done.stderr


def test_every_error_of_a_configuration_is_a_line_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    file.write_text("[device]\nname = 3\n[brocker]\nport = 1\n")
    done = borderpost("config", "check", str(file))
    assert done.returncode == 2
    assert b"line 3: brocker: is not a setting; did you mean broker?" in done.stderr
    assert len(done.stderr.splitlines()) >= 4


def test_a_desk_without_keys_does_not_start_and_says_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "b.toml"
    file.write_text(
        f"""
[device]
name = "desk-1"
site = "x"
data = "{tmp_path}"
[[sources]]
kind = "serial"
name = "s"
port = "/dev/none"
[lists]
[[lists.use]]
name = "sltd"
[identity]
folder = "{tmp_path}/none"
"""
    )
    done = started("run", "--config", str(file))
    assert done.returncode == 1
    assert b"enrol the device" in done.stderr
    assert b"Traceback" not in done.stderr


def test_help_names_every_command() -> None:
    told = borderpost("--help").stdout.decode()
    assert all(re.search(rf"^\s+{command}\s", told, re.MULTILINE) for command in COMMANDS)
