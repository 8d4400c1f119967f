"""`borderpost list`: what a technician is told of lists that are whole, old, locked or damaged."""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware.cli import app
from firmware.idle import stand_back
from firmware.lists import cli as list_cli
from firmware.lists.verify import Course
from scanner.command_line import run_command
from scanner.watchlist.activation import alone
from scanner.watchlist.keyring import write_keys
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import PREVIOUS, read_manifest
from scanner.watchlist.parts import BASE, OVERLAY, Part, parts_in
from scanner.watchlist.scrub import Pace
from tests.list_versions import KEY, Published, put_base, records_of, span
from tests.listing import flip

LISTED = Counter({(n << 40, 1 << 32 | 5 << 16 | n % 4000): 1 for n in range(3000)})
CHANGED = LISTED - Counter(list(LISTED)[:7]) + Counter({(n, 0): 1 for n in range(1, 6)})
PARTS = (
    "base/directory",
    "base/keys",
    "base/details",
    "overlay/tombstones",
    "overlay/directory",
    "overlay/keys",
    "overlay/details",
    "ranges",
)
PAGED = {"base/keys", "base/details", "overlay/keys", "overlay/details"}


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Command = Callable[..., Said]


@pytest.fixture
def borderpost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Command:
    """Runs `borderpost list …` within this process, whose priority stays as it is."""
    monkeypatch.setattr(list_cli, "stand_back", lambda: None)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["borderpost", "list", *arguments])
        code = run_command(app, "borderpost")
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        assert "error of our own" not in told.err
        return Said(code, told.out, told.err)

    return run


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    write_keys(tmp_path / "keys" / "sltd.key", [KEY])
    return tmp_path / "keys"


@pytest.fixture
def lists(tmp_path: Path) -> Path:
    """A list in its second version, which is the first one's base and an overlay."""
    published = Published(tmp_path, LISTED, [span("A100", "A199")])
    published.day(CHANGED, [span("A100", "A199"), span("B100", "B199")])
    return published.lists


def version_parts(lists: Path, suffix: str = ".json") -> dict[str, Part]:
    return {part.kind: part for part in parts_in(lists, read_manifest(lists, "sltd", suffix))}


def place_of(lists: Path, part: str) -> Path:
    kind, _, file = part.partition("/")
    return version_parts(lists)[kind].path / file if file else version_parts(lists)[kind].path


def flip_a_bit(path: Path) -> None:
    flip(path, path.stat().st_size // 2)


def cut_short(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 1)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def make_longer(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"\0")


def put_a_folder_there(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = (flip_a_bit, cut_short, empty, make_longer, Path.unlink, put_a_folder_there)


def test_status_tells_version_age_records_changes_previous_and_key(
    borderpost: Command, lists: Path, keys: Path
) -> None:
    said = borderpost("status", "--json", "--lists", str(lists), "--list-keys", str(keys))
    (one,) = said.objects
    in_force, previous = one["in_force"], one["previous"]
    size = {kind: part.size() for kind, part in version_parts(lists).items()}
    assert said.code == 1
    assert (one["name"], one["version"], one["health"]) == ("sltd", 2, "over_age")
    assert (in_force["version"], in_force["records"], in_force["ranges"]) == (2, 2998, 2)
    assert in_force["bytes"] == sum(size.values())
    assert in_force["overlay"] == {"added": 5, "removed": 7, "bytes": size[OVERLAY]}
    assert (previous["version"], previous["records"], previous["overlay"]) == (1, 3000, None)
    assert (in_force["fault"], previous["fault"]) == (None, None)
    assert one["key"]["id"] == KEY.id
    assert one["key"]["file"] == f"{keys}/sltd.key"
    assert (one["key"]["kept"], one["key"]["live"]) == ("poor", 1)


def test_status_says_the_same_to_a_person(borderpost: Command, lists: Path, keys: Path) -> None:
    said = borderpost("status", "--lists", str(lists), "--list-keys", str(keys))
    assert re.search(r"^  answers +version 2, right as of 2026-\S+T\S+, .* old$", said.out, re.M)
    rows = dict(re.findall(r"^  (\w+(?: \w+)?)  +(.*)$", said.out, re.M))
    assert re.fullmatch(r"version 2, 2,998 records, 2 ranges, [\d.]+ KB", rows["in force"])
    assert rows["changes"].startswith("5 records added and 7 removed since the base, ")
    assert re.fullmatch(r"version 1, .*: all there, and of the right size", rows["previous"])
    assert rows["key"].startswith(f"{KEY.id} in {keys}/sltd.key: poor: it lies on the same")
    assert KEY.secret.hex() not in said.out


def _new(lists: Path, **options: Any) -> None:
    put_base(lists, records_of(LISTED), as_of=datetime.now(UTC) - timedelta(hours=5), **options)


def test_a_list_in_order_ends_with_0_and_one_that_is_too_old_with_1(
    borderpost: Command, tmp_path: Path, keys: Path
) -> None:
    lists = tmp_path / "lists"
    _new(lists)
    arguments = ("status", "--lists", str(lists), "--list-keys", str(keys))
    said = borderpost(*arguments)
    assert said.code == 0
    assert said.out.startswith("sltd: ok\n")
    assert "5 h old" in said.out
    assert re.search(r"^  changes +none since the base$", said.out, re.M)
    assert re.search(r"^  previous +none$", said.out, re.M)
    put_base(lists, records_of(LISTED), version=2, as_of=datetime(2026, 1, 1, tzinfo=UTC))
    said = borderpost(*arguments)
    assert said.code == 1
    assert said.out.startswith("sltd: over_age: it is ")


def test_a_key_that_is_being_changed_is_told(
    borderpost: Command, tmp_path: Path, keys: Path
) -> None:
    new = ListKey.new()
    write_keys(keys / "sltd.key", [new, KEY])
    _new(tmp_path / "lists", key=new)
    said = borderpost("status", "--lists", str(tmp_path / "lists"), "--list-keys", str(keys))
    assert said.code == 0
    assert f"{new.id} in {keys}/sltd.key, one of two live ones: " in said.out


def test_without_its_key_a_list_is_locked_and_still_verified(
    borderpost: Command, lists: Path
) -> None:
    said = borderpost("status", "--lists", str(lists))
    assert said.code == 1
    assert said.out.startswith(f"sltd: locked: the key {KEY.id} of list sltd is not at hand")
    assert "bring sltd.key from headquarters" in said.out
    assert "all there, and of the right size" in said.out
    assert borderpost("verify", "--lists", str(lists)).code == 0


def test_verify_reads_both_versions_and_a_shared_part_once(
    borderpost: Command, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    monkeypatch.setattr(Course, "read", lambda _, size: read.append(size))
    said = borderpost("verify", "--json", "--lists", str(lists))
    now, before = version_parts(lists), version_parts(lists, PREVIOUS)
    assert said.code == 0
    assert said.err == ""
    assert [(one["version"], one["in_force"], one["whole"]) for one in said.objects] == [
        (2, True, True),
        (1, False, True),
    ]
    assert now[BASE] == before[BASE]
    assert sum(read) == sum(part.size() for part in {*now.values(), *before.values()})


def test_verify_of_one_list_leaves_the_others(borderpost: Command, lists: Path) -> None:
    put_base(lists, records_of(LISTED), name="national")
    said = borderpost("verify", "--lists", str(lists))
    assert [line.split(",")[0] for line in said.out.splitlines()] == ["national", "sltd", "sltd"]
    said = borderpost("verify", "national", "--lists", str(lists))
    assert re.fullmatch(r"national, version 1: whole, [\d.]+ KB\n", said.out)


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("part", PARTS)
def test_damage_to_any_part_is_told_by_verify_with_the_file_and_exit_code_1(
    borderpost: Command, lists: Path, part: str, damage: Callable[[Path], None]
) -> None:
    path = place_of(lists, part)
    damage(path)
    said = borderpost("verify", "--lists", str(lists))
    in_force, *rest = said.out.splitlines()
    shared = part.startswith("base")
    assert said.code == 1
    assert in_force == "sltd, version 2: DAMAGED"
    assert rest[0].startswith(f"  {path}: ")
    assert "fetch or build the list again" in rest[0]
    assert rest[1].startswith(f"sltd, version 1 (previous): {'DAMAGED' if shared else 'whole'}")
    assert len(rest) == (3 if shared else 2)
    by_machine = borderpost("verify", "--json", "--lists", str(lists)).objects
    assert [one["whole"] for one in by_machine] == [False, not shared]
    assert by_machine[0]["damage"] == [rest[0].strip()]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda one: one.__name__)
@pytest.mark.parametrize("part", PARTS)
def test_damage_that_opening_shows_is_told_by_status(
    borderpost: Command, lists: Path, keys: Path, part: str, damage: Callable[[Path], None]
) -> None:
    path = place_of(lists, part)
    damage(path)
    said = borderpost("status", "--json", "--lists", str(lists), "--list-keys", str(keys))
    (one,) = said.objects
    if part in PAGED and damage is flip_a_bit:
        assert one["in_force"]["fault"] is None
        return
    assert said.code == 1
    assert str(path) in one["in_force"]["fault"]
    assert str(path) in one["reason"]
    if part.startswith("base"):
        assert (one["health"], one["version"]) == ("damaged", None)
        assert one["previous"]["fault"]
    else:
        assert one["version"] == 1
        assert "version 1 is asked instead: " in one["reason"]
        assert one["previous"]["fault"] is None


def test_the_directory_of_another_build_is_damage(
    borderpost: Command, lists: Path, tmp_path: Path
) -> None:
    put_base(tmp_path / "other", records_of(CHANGED))
    for file in ("directory", "keys", "details"):
        own = place_of(lists, f"base/{file}")
        kept = own.read_bytes()
        shutil.copy(place_of(tmp_path / "other", f"base/{file}"), own)
        said = borderpost("verify", "--lists", str(lists))
        assert said.code == 1
        assert f"  {own}: " in said.out
        own.write_bytes(kept)


def test_every_damaged_page_is_counted_and_the_rest_is_still_read(
    borderpost: Command, lists: Path
) -> None:
    keys, details = place_of(lists, "base/keys"), place_of(lists, "base/details")
    pages = keys.stat().st_size // 4096
    for page in range(pages):
        flip(keys, 4096 * page + 100)
    flip(details, 4096)
    said = borderpost("verify", "--json", "--lists", str(lists))
    first, second = said.objects[0]["damage"]
    assert first.startswith(f"{keys}: page 0 cannot be used")
    assert first.endswith(f"({pages} of its {pages} pages are damaged)")
    assert second.startswith(f"{details}: page 1 cannot be used")
    assert not second.endswith("damaged)")


def test_a_sector_that_cannot_be_read_is_told(
    borderpost: Command, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.pread

    def failing(file: int, size: int, place: int) -> bytes:
        if place == 4096:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return whole(file, size, place)

    monkeypatch.setattr(os, "pread", failing)
    said = borderpost("verify", "--lists", str(lists))
    assert said.code == 1
    assert f"{place_of(lists, 'base/keys')}: page 1 cannot be used: Input/output error" in said.out


@pytest.mark.parametrize("suffix", [".json", PREVIOUS])
def test_a_damaged_manifest_is_told_by_both(
    borderpost: Command, lists: Path, keys: Path, suffix: str
) -> None:
    path = lists / f"sltd{suffix}"
    path.write_bytes(path.read_bytes()[:-20])
    said = borderpost("verify", "--lists", str(lists))
    assert said.code == 1
    assert f"sltd, its manifest{' (previous)' if suffix == PREVIOUS else ''}: DAMAGED\n" in said.out
    assert f"  {path}: this is no list's manifest" in said.out
    told = borderpost("status", "--lists", str(lists), "--list-keys", str(keys))
    assert str(path) in told.out


def test_a_list_without_a_version_in_force_is_told(borderpost: Command, lists: Path) -> None:
    (lists / "sltd.json").unlink()
    said = borderpost("verify", "--lists", str(lists))
    assert said.code == 1
    assert f"{lists}/sltd.json is not there; build or fetch the list" in said.out
    said = borderpost("verify", "unknown", "--lists", str(lists))
    assert said.code == 1
    assert f"{lists}/unknown.json is not there" in said.out


def test_a_version_that_is_replaced_while_it_is_read_is_not_called_damaged(
    borderpost: Command, lists: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def replace(_: Pace) -> None:
        monkeypatch.setattr(Pace, "rest", lambda _: None)
        for version in (3, 4):
            put_base(lists, records_of(Counter({(version, 0): 1})), version=version)

    monkeypatch.setattr(Pace, "rest", replace)
    said = borderpost("verify", "--json", "--lists", str(lists))
    assert said.code == 1
    assert [one["whole"] for one in said.objects] == [None, None]
    assert [one["damage"] for one in said.objects] == [[], []]


def test_what_is_no_folder_of_lists_is_one_line(borderpost: Command, tmp_path: Path) -> None:
    said = borderpost("verify", "--lists", str(tmp_path / "none"))
    assert (said.code, said.err) == (1, f"borderpost: {tmp_path}/none: No such file or directory\n")
    said = borderpost("verify", "--lists", str(tmp_path))
    assert (said.code, said.err) == (
        1,
        f"borderpost: {tmp_path} holds no list; build or fetch one\n",
    )
    said = borderpost("status", "--lists", str(tmp_path))
    assert said.code == 1
    assert said.out.startswith("(none): missing: ")


@pytest.mark.parametrize("command", [["status"], ["verify"], ["rollback", "sltd"]])
def test_without_a_configuration_a_folder_must_be_named(
    borderpost: Command, command: list[str]
) -> None:
    said = borderpost(*command)
    assert said.code == 2
    assert said.err == (
        "borderpost: no folder of lists: there is no /etc/borderpost/borderpost.toml; give --lists "
        "FOLDER\n"
    )


@pytest.mark.parametrize("name", ["../sltd", "", "SLTD", "a/b", "sltd.json"])
def test_a_name_that_no_list_has_is_wrong_usage(
    borderpost: Command, lists: Path, name: str
) -> None:
    said = borderpost("rollback", name, "--lists", str(lists))
    assert said.code == 2
    assert "a list's name has small letters" in said.err


def test_the_configuration_says_where_lists_and_keys_are_and_how_old_a_list_may_be(
    borderpost: Command, tmp_path: Path, keys: Path
) -> None:
    _new(tmp_path / "lists")
    example = Path("config/borderpost.toml").read_text()
    for setting, value in (
        ("data", f'"{tmp_path}"'),
        ("folder", f'"{tmp_path}/lists"'),
        ("keys", f'"{keys}"'),
        ("max_age_hours", "1.0"),
        ("trust", '"machine"'),
    ):
        example, changed = re.subn(
            rf"^# {setting} = .*$", f"{setting} = {value}", example, count=1, flags=re.M
        )
        assert changed
    config = tmp_path / "borderpost.toml"
    config.write_text(example)
    said = borderpost("status", "--json", "--config", str(config))
    (one,) = said.objects
    assert said.code == 1
    assert (one["health"], one["version"]) == ("over_age", 1)
    assert one["reason"] == "it is 5 h old and may be 1 h; fetch a newer version"
    assert one["key"]["file"] == f"{keys}/sltd.key"


def test_rollback_says_from_which_version_to_which_and_back_again(
    borderpost: Command, lists: Path, keys: Path
) -> None:
    arguments = ("rollback", "sltd", "--lists", str(lists), "--list-keys", str(keys))
    said = borderpost(*arguments)
    assert said.code == 0
    assert said.out.startswith("sltd: version 2 was in force; version 1 is now, right as of 2026-")
    assert said.out.endswith(" old; the other is kept as the previous one\n")
    assert read_manifest(lists, "sltd").version == 1
    assert read_manifest(lists, "sltd", PREVIOUS).version == 2
    assert borderpost("verify", "--lists", str(lists)).code == 0
    assert "version 1 was in force; version 2 is now" in borderpost(*arguments).out


@pytest.mark.parametrize("part", ["base/keys", "base/directory", "ranges"])
def test_rollback_to_a_version_that_is_not_whole_is_refused(
    borderpost: Command, lists: Path, keys: Path, part: str
) -> None:
    kind, _, file = part.partition("/")
    path = version_parts(lists, PREVIOUS)[kind].path / file
    flip_a_bit(path)
    before = (lists / "sltd.json").read_bytes()
    said = borderpost("rollback", "sltd", "--lists", str(lists), "--list-keys", str(keys))
    assert said.code == 1
    assert said.err.startswith(
        f"borderpost: nothing was changed: version 1 of list sltd is not whole: {path}: "
    )
    assert (lists / "sltd.json").read_bytes() == before


def test_rollback_without_a_previous_version_is_refused(
    borderpost: Command, tmp_path: Path, keys: Path
) -> None:
    lists = tmp_path / "lists"
    _new(lists)
    arguments = ("--lists", str(lists), "--list-keys", str(keys))
    said = borderpost("rollback", "sltd", *arguments)
    assert said.code == 1
    assert said.err == (
        f"borderpost: {lists}/sltd.previous is not there: list sltd has no previous version\n"
    )
    said = borderpost("rollback", "national", *arguments)
    assert "has no previous version" in said.err
    assert not (lists / "national").exists()
    (lists / "sltd.previous").write_bytes(b"{")
    said = borderpost("rollback", "sltd", *arguments)
    assert said.code == 1
    assert f"list sltd has no whole previous version: {lists}/sltd.previous: this is no" in said.err


def test_rollback_to_a_version_whose_key_is_gone_is_refused(
    borderpost: Command, lists: Path
) -> None:
    said = borderpost("rollback", "sltd", "--lists", str(lists))
    assert said.code == 1
    assert said.err.startswith(f"borderpost: nothing was changed: the key {KEY.id} of list sltd")


def test_rollback_while_the_list_is_being_written_is_refused(
    borderpost: Command, lists: Path, keys: Path
) -> None:
    with alone(lists, "sltd"):
        said = borderpost("rollback", "sltd", "--lists", str(lists), "--list-keys", str(keys))
    assert said.code == 1
    assert "another process is writing list sltd" in said.err


@pytest.mark.parametrize("damage", ["gone", "damaged"])
def test_rollback_helps_where_the_manifest_in_force_is_lost(
    borderpost: Command, lists: Path, keys: Path, damage: str
) -> None:
    if damage == "gone":
        (lists / "sltd.json").unlink()
    else:
        (lists / "sltd.json").write_bytes(b"{}")
    said = borderpost("rollback", "sltd", "--lists", str(lists), "--list-keys", str(keys))
    assert said.code == 0
    assert "version 1 is now" in said.out
    assert read_manifest(lists, "sltd").version == 1


def _running(lists: Path) -> subprocess.Popen[bytes]:
    """A verification in a process of its own that rests very long after the first portion."""
    slow = (
        "import time; from firmware import cli; from scanner.watchlist.scrub import Pace; "
        "Pace.rest = lambda self: (print('resting', flush=True), time.sleep(60)); cli.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", slow, "list", "verify", "--lists", str(lists)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_a_verification_stands_back_and_ctrl_c_ends_it_with_a_word_on_how_far_it_was(
    lists: Path,
) -> None:
    running = _running(lists)
    assert running.stdout is not None
    assert running.stdout.readline() == b"resting\n"
    assert os.getpriority(os.PRIO_PROCESS, running.pid) == 19
    assert _io_class(running.pid) in ("idle", "unknown")
    running.send_signal(signal.SIGINT)
    _, told = running.communicate(timeout=60)
    assert running.returncode == 1
    assert re.fullmatch(rb"borderpost: interrupted: [\d.]+ KB of [\d.]+ KB read, .* left\n", told)


def _io_class(pid: int) -> str:
    """The class of a process as util-linux tells it; its own words for what was asked for."""
    if shutil.which("ionice") is None:
        return "unknown"
    done = subprocess.run(["ionice", "-p", str(pid)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_kernel_that_refuses_a_lower_priority_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: int) -> int:
        raise PermissionError

    monkeypatch.setattr(os, "nice", refuse)
    monkeypatch.setattr("platform.machine", lambda: "vax")
    stand_back()


def test_a_verification_rests_as_long_as_it_read_and_no_longer_than_half_a_second() -> None:
    now, slept = [0.0], []
    pace = Pace(clock=lambda: now[0], sleep=slept.append)
    for took in (0.1, 0.02, 7.0):
        now[0] += took
        pace.rest()
    assert slept == pytest.approx([0.1, 0.02, 0.5])


class _Terminal:
    def __init__(self, live: bool) -> None:
        self.live, self.text = live, ""

    def isatty(self) -> bool:
        return self.live

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        return


def test_a_terminal_sees_how_far_it_is_and_a_file_a_line_every_half_minute() -> None:
    for live, told in ((True, 4), (False, 2)):
        now, stream = [0.0], _Terminal(live)
        course = Course(stream, clock=lambda now=now: now[0])  # type: ignore[misc,arg-type]
        course.begin(4_000_000)
        for _ in range(4):
            now[0] += 20
            course.read(1_000_000)
        assert stream.text.count("MB read") == told
        assert "2.0 MB of 4.0 MB read, about 40 s left" in stream.text
    assert course.told() == "4.0 MB of 4.0 MB read"
