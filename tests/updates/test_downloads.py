"""A file that was signed comes whole, however often the link is cut, or it does not come at all."""

import hashlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from threading import Event

import pytest
from tuf.api.metadata import TargetFile

from firmware.updates import download
from firmware.updates.download import Interrupted, fetch, path_of
from firmware.updates.repository import (
    FetchFailed,
    FolderRepository,
    NotThere,
    TooSlow,
    WebRepository,
)
from firmware.updates.trust import Refused
from tests.updates.web_server import WebServer

CONTENT = hashlib.shake_256(b"a base").digest(3_000_000)
TARGET = TargetFile.from_data("lists/sltd/whole-1-x/base-keys", CONTENT, ["sha256"])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    folder = tmp_path / "repository"
    file = folder / path_of(TARGET)
    file.parent.mkdir(parents=True)
    file.write_bytes(CONTENT)
    with WebServer(folder).serving() as serving:
        yield serving


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "fetched"
    folder.mkdir()
    return folder


def fetched(server: WebServer, into: Path, stop: Event | None = None) -> Path:
    return fetch(WebRepository(server.url, silence_s=0.3), TARGET, into, stop or Event())


def until_whole(server: WebServer, into: Path) -> Path:
    """Tries as often as the link is cut."""
    for _ in range(200):
        try:
            return fetched(server, into)
        except FetchFailed:
            continue
    raise AssertionError("it never came")


def test_a_download_that_is_cut_goes_on_where_it_was(server: WebServer, into: Path) -> None:
    server.cut_every = len(CONTENT) // 26
    assert until_whole(server, into).read_bytes() == CONTENT
    assert server.cuts >= 25
    assert server.sent <= len(CONTENT) * 1.001


def test_a_server_without_ranges_sends_all_of_it_again(server: WebServer, into: Path) -> None:
    server.cut_every = len(CONTENT) // 2
    with pytest.raises(FetchFailed):
        fetched(server, into)
    server.cut_every, server.ranges = None, False
    assert fetched(server, into).read_bytes() == CONTENT


def test_what_was_joined_from_two_files_is_fetched_once_more(server: WebServer, into: Path) -> None:
    server.cut_every = len(CONTENT) // 2
    with pytest.raises(FetchFailed):
        fetched(server, into)
    (part,) = into.glob("*.part")
    part.write_bytes(bytes(part.stat().st_size))
    server.cut_every = None
    assert fetched(server, into).read_bytes() == CONTENT


def test_after_a_power_cut_only_what_was_synced_is_gone_on_from(
    server: WebServer, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "NOTED_EVERY", 500_000)
    server.cut_every = 1_900_000
    with pytest.raises(FetchFailed):
        fetched(server, into)
    (note,) = into.glob("*.json")
    synced = json.loads(note.read_bytes())["synced"]
    assert 1_000_000 <= synced <= 1_900_000
    (part,) = into.glob("*.part")
    part.write_bytes(CONTENT[:synced] + bytes(part.stat().st_size - synced))
    monkeypatch.setattr(download, "boot_id", lambda: "another")
    server.cut_every, server.sent = None, 0
    assert fetched(server, into).read_bytes() == CONTENT
    assert server.sent == len(CONTENT) - synced


def test_what_is_there_already_is_not_asked_for(server: WebServer, into: Path) -> None:
    fetched(server, into)
    server.sent = 0
    fetched(server, into)
    assert server.sent == 0


def test_one_that_is_told_to_stop_stops_and_goes_on_later(server: WebServer, into: Path) -> None:
    stop = Event()
    stop.set()
    with pytest.raises(Interrupted):
        fetched(server, into, stop)
    assert fetched(server, into).read_bytes() == CONTENT


def test_a_server_that_falls_silent_is_given_up(server: WebServer, into: Path) -> None:
    server.trickle = threading.Event()
    with pytest.raises(TooSlow, match="nothing came for"):
        fetched(server, into)
    server.trickle.set()


@pytest.mark.parametrize("status", [302, 500, 503])
def test_an_answer_that_is_no_file_is_an_error_and_followed_nowhere(
    server: WebServer, into: Path, status: int
) -> None:
    server.status = status
    with pytest.raises(FetchFailed, match=f"the server answers {status}"):
        fetched(server, into)


def test_a_file_that_is_not_there_is_told_as_such(server: WebServer, into: Path) -> None:
    (server.folder / path_of(TARGET)).unlink()
    with pytest.raises(NotThere):
        fetched(server, into)


def test_a_server_that_is_away_is_told_with_its_address(into: Path) -> None:
    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1:1"):
        fetch(WebRepository("http://127.0.0.1:1"), TARGET, into, Event())


def test_a_longer_file_is_cut_off_and_forgotten(server: WebServer, into: Path) -> None:
    (server.folder / path_of(TARGET)).write_bytes(CONTENT + b"!")
    with pytest.raises(Refused, match="more comes than was signed"):
        fetched(server, into)
    assert list(into.iterdir()) == []


@pytest.mark.parametrize("path", ["../outside", "/etc/hostname", "inside/../../outside", "link"])
def test_a_stick_gives_nothing_from_outside_its_folder(tmp_path: Path, path: str) -> None:
    (tmp_path / "outside").write_text("secret")
    folder = tmp_path / "stick"
    (folder / "inside").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(NotThere):
        list(FolderRepository(folder).read(path))
