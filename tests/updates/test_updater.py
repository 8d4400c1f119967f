"""The desk's updater: now and then, when woken, and from a stick by hand."""

import io
import json
import os
import pty
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from typer.testing import CliRunner

from central.cli import app as headquarters_app
from firmware.cli import app as device_app
from firmware.database import DiskFault
from firmware.delivery.outbox import Outbox
from firmware.lists import updater as updater_module
from firmware.lists.rollouts import Rollouts
from firmware.lists.update import Line
from firmware.lists.updater import Busy, Plan, Updater, update
from firmware.progress import CLEAR
from firmware.updates import fetched as fetched_module
from firmware.updates.attempt import Outcome, Result
from firmware.updates.repository import FetchFailed, Piece
from scanner.alert import UpdateData
from scanner.watchlist.keyring import write_keys
from tests.delivery.both_ends import wait_for
from tests.listing import KEY
from tests.updates.over_the_air import LIST, Device, Headquarters, Web


class Scene:
    def __init__(self, folder: Path) -> None:
        self.headquarters = Headquarters(folder / "headquarters")
        self.device = Device(folder / "device", self.headquarters.begin())
        self.headquarters.day("L898902C3")
        self.web = Web(self.headquarters.repository.folder)
        self.told: list[Result] = []

    def plan(self) -> Plan:
        return self.device.plan(self.web)

    @contextmanager
    def running(
        self,
        every: timedelta = timedelta(hours=1),
        tell: Callable[[Result], None] | None = None,
        spread_over: timedelta = timedelta(),
    ) -> Iterator[Updater]:
        updater = Updater(self.plan(), every, tell or self.told.append, spread_over)
        stop = Event()
        thread = threading.Thread(target=updater.run, args=(stop,))
        thread.start()
        try:
            yield updater
        finally:
            stop.set()
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_it_updates_at_the_start_and_at_once_when_woken(scene: Scene) -> None:
    with scene.running() as updater:
        wait_for(lambda: scene.told)
        scene.headquarters.day("D1")
        updater.wake()
        wait_for(lambda: len(scene.told) == 2)
    assert [result.version for result in scene.told] == [1, 2]
    assert scene.device.knows("D1")


def test_a_hint_is_followed_after_a_random_time_and_again_where_a_cache_has_the_old_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[float, float]] = []

    def uniform(*between: float) -> float:
        asked.append((between[0], between[1]))
        return 0.05 if between == (0.0, 3600.0) else 1.0

    monkeypatch.setattr("random.uniform", uniform)
    monkeypatch.setattr(updater_module, "AGAIN_AFTER_S", 0.05)
    cached: list[bytes] = []
    fetch = scene.web.read

    def read(path: str, start: int = 0) -> Iterator[Piece]:
        if path.endswith("timestamp.json") and cached:
            return iter([Piece(0, cached.pop())])
        return fetch(path, start)

    monkeypatch.setattr(scene.web, "read", read)
    hint = UpdateData(ring="all", counter=1, publication="sltd 2")
    with scene.running(spread_over=timedelta(hours=1)) as updater:
        wait_for(lambda: scene.told)
        timestamp = scene.headquarters.repository.metadata / "timestamp.json"
        cached.append(timestamp.read_bytes())
        scene.headquarters.day("D1")
        updater.hint(hint)
        wait_for(lambda: len(scene.told) == 2)
    assert (0.0, 3600.0) in asked
    assert not cached
    assert scene.told[-1].version == 2


def test_every_outcome_waits_in_the_outbox_and_one_that_the_disk_refuses_is_told_again(
    scene: Scene, tmp_path: Path
) -> None:
    outbox = Outbox(tmp_path / "outbox.db", "desk-1", b"marks" * 7)
    rollouts = Rollouts(outbox, "all", lambda: datetime.now(UTC))
    refusing = [DiskFault("the disk is full")]

    def tell(result: Result) -> None:
        if refusing:
            raise refusing.pop()
        rollouts.tell(result)

    with scene.running(tell=tell) as updater:
        wait_for(lambda: scene.web.asked and not refusing)
        scene.web.instead["timestamp.json"] = b"{}" + b" " * 300
        updater.wake()
        wait_for(lambda: len(outbox.waiting(9)) == 1)
        del scene.web.instead["timestamp.json"]
        updater.wake()
        wait_for(lambda: len(outbox.waiting(9)) == 2)
    outbox.close()
    bodies = [json.loads(one.body or b"")["data"] for one in outbox.waiting(9)]
    assert [(one["outcome"], one["code"], one["publication"]) for one in bodies] == [
        ("refused", "malformed", None),
        ("current", "", 1),
    ]
    assert {(one["list"], one["ring"], one["version"]) for one in bodies} == {(LIST, "all", 1)}


def test_a_server_that_is_away_is_told_once_and_tried_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updater_module, "FIRST_PAUSE_S", 0.02)
    tries = 0

    def away(path: str, start: int = 0) -> Iterator[Piece]:
        nonlocal tries
        tries += 1
        raise FetchFailed("no route to host")
        yield

    read: Callable[..., Iterator[Piece]] = scene.web.read
    monkeypatch.setattr(scene.web, "read", away)
    with scene.running():
        wait_for(lambda: tries >= 3)
        assert [result.code for result in scene.told] == ["unreachable"]
        monkeypatch.setattr(scene.web, "read", read)
        wait_for(lambda: len(scene.told) == 2)
    assert scene.told[-1].outcome is Outcome.UPDATED


def test_two_updates_at_once_are_one(scene: Scene) -> None:
    entered, go_on = Event(), Event()
    read = scene.web.read

    def waiting(path: str, start: int = 0) -> Iterator[Piece]:
        entered.set()
        go_on.wait(10)
        return read(path, start)

    scene.web.read = waiting  # type: ignore[method-assign]
    thread = threading.Thread(target=update, args=(scene.plan(), Event()))
    thread.start()
    assert entered.wait(10)
    with pytest.raises(Busy, match="another update is running"):
        update(scene.plan(), Event())
    go_on.set()
    thread.join(10)
    assert scene.device.knows("L898902C3")


def test_a_full_disk_is_told_and_the_desk_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    update(scene.plan(), Event())
    scene.headquarters.day("D1")
    monkeypatch.setattr(fetched_module, "SPARE_BYTES", 1 << 60)
    (result,) = update(scene.plan(), Event())
    assert (result.outcome, result.code) == (Outcome.FAILED, "no_space")
    assert "make room" in result.reason
    assert scene.device.knows("L898902C3")
    monkeypatch.undo()
    (result,) = update(scene.plan(), Event())
    assert result.outcome is Outcome.UPDATED


def test_a_damaged_list_is_fetched_whole_and_healed(scene: Scene) -> None:
    update(scene.plan(), Event())
    (keys,) = scene.device.lists.glob("sltd/base-*/keys")
    keys.write_bytes(bytes(keys.stat().st_size))
    scene.device.damaged = frozenset({LIST})
    assert scene.device.update(scene.web).outcome is Outcome.UPDATED
    assert scene.device.knows("L898902C3")


DEVICE = """
[device]
name = "desk-1"
site = "Utopia North"
data = "{folder}/data"
[[sources]]
kind = "folder"
name = "replay"
path = "{folder}"
[lists]
folder = "{folder}/lists"
keys = "{folder}/list-keys"
[[lists.use]]
name = "sltd"
[updates]
root = "{repository}/metadata/1.root.json"
[clock]
trust = "machine"
"""


class Commands:
    """Both ends' commands, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository = folder / "repository"
        write_keys(folder / "list-keys" / "sltd.key", [KEY])
        (folder / "lists").mkdir()
        (folder / "borderpost.toml").write_text(
            DEVICE.format(folder=folder, repository=self.repository)
        )

    def headquarters(self, *arguments: object) -> str:
        done = CliRunner().invoke(headquarters_app, ["lists", *map(str, arguments)])
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        return done.output

    def device(self, *arguments: object) -> str:
        config = ("--config", self.folder / "borderpost.toml")
        done = CliRunner().invoke(device_app, ["list", *map(str, (*arguments, *config))])
        assert done.exit_code == 0, (arguments, done.output, done.exception)
        return done.output


def test_from_the_first_ceremony_to_a_stick_at_the_desk(tmp_path: Path) -> None:
    both = Commands(tmp_path)
    keys, repository = tmp_path / "keys", both.repository
    for name in ("r1", "r2", "r3", "targets", "builder", "online"):
        both.headquarters("keys", "new", keys / name, "--no-passphrase")
    roots = [part for n in (1, 2, 3) for part in ("--root", keys / f"r{n}.pub")]
    others = ("--targets", keys / "targets.pub", "--online", keys / "online.pub")
    both.headquarters("keys", "start", repository, *roots, *others)
    both.headquarters("keys", "delegate", repository, "sltd", "--key", keys / "builder.pub")
    for role, name in (("root", "r1"), ("root", "r3"), ("targets", "targets")):
        draft = repository / "drafts" / f"1.{role}.json"
        both.headquarters("keys", "sign", draft, "--key", keys / name)
    online = ("--online-key", keys / "online")
    assert "is in force" in both.headquarters("keys", "commit", repository, *online)
    source = tmp_path / "sltd.csv"
    source.write_text(
        "issuer,number,number_to,kind,status,recorded,reference\n"
        "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n"
    )
    canaries = tmp_path / "canaries.csv"
    canaries.write_text("issuer,number,kind,listed\nUTO,L898902C3,passport,yes\n")
    key = ("--key", tmp_path / "list-keys" / "sltd.key")
    both.headquarters("build", source, tmp_path / "built", *key)
    signers = ("--sign-with", keys / "builder", *online)
    told = both.headquarters(
        "publish", repository, tmp_path / "built", "sltd", *signers, *key,
        "--ring", "canary", "--canaries", canaries,
    )  # fmt: skip
    assert "ring canary: version 1" in told
    both.headquarters("open", repository, "sltd", "all", "--after", "canary", *signers, "--anyway")
    both.headquarters("renew", repository, *online)
    status = json.loads(both.headquarters("status", repository, "--json"))
    assert [one["ring"] for one in status] == ["all", "canary"]
    assert "list-sltd: 1 of" in both.headquarters("keys", "status", repository)
    assert "updated from none to version 1" in both.device("update", "--from", repository)
    assert "version 1 is the one published" in both.device("update", "--from", repository)
    assert "version 1" in both.device("status")
    outbox = Outbox(tmp_path / "data" / "outbox.db", "desk-1", b"")
    told_to_central = [json.loads(one.body or b"")["data"] for one in outbox.waiting(9)]
    outbox.close()
    assert [(one["outcome"], one["publication"]) for one in told_to_central] == [
        ("updated", 1),
        ("current", 1),
    ]


def test_a_terminal_is_shown_how_far_an_update_is_and_a_pipe_now_and_then() -> None:
    now = 0.0
    master, slave = pty.openpty()
    tty.setraw(slave)
    with os.fdopen(slave, "w") as terminal, io.StringIO() as pipe:
        lines = [Line(stream, lambda: now) for stream in (terminal, pipe)]
        for second, done in ((0, 0), (20, 100), (40, 250), (80, 400)):
            now = float(second)
            for line in lines:
                line("sltd", done << 10, 400 << 10)
        lines[0].make_room()
        told = ""
        while told.count(CLEAR) < 5:
            told += os.read(master, 4096).decode()
        piped = pipe.getvalue()
    os.close(master)
    shown = told.split(CLEAR)
    assert shown[2] == "list sltd: 100 of 400 kB, 25%, about 60 s left"
    assert shown[-2:] == ["list sltd: 400 of 400 kB; putting it together", ""]
    assert piped.splitlines() == [
        "list sltd: 250 of 400 kB, 62%, about 24 s left",
        "list sltd: 400 of 400 kB; putting it together",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("no stick", "this holds no repository"),
        ("no root", "the first root of trust cannot be read"),
        ("no server", "no server is configured"),
    ],
)
def test_what_cannot_be_fetched_from_is_one_line(tmp_path: Path, change: str, told: str) -> None:
    both = Commands(tmp_path)
    (both.repository / "metadata").mkdir(parents=True)
    if change != "no root":
        (both.repository / "metadata" / "1.root.json").write_text("{}")
    source = {"no stick": ["--from", str(tmp_path)], "no server": []}
    given = source.get(change, ["--from", str(both.repository)])
    done = CliRunner().invoke(
        device_app, ["list", "update", *given, "--config", str(tmp_path / "borderpost.toml")]
    )
    assert told in str(done.exception)
