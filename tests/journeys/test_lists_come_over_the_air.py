"""A list that headquarters publishes is asked at the desk while documents go on being read, and a
forged one is not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.delivery.broker import Broker
from tests.journeys.whole_site import DEVICE, WholeSite, wait_for
from tests.updates.over_the_air import LIST, Headquarters
from tests.updates.web_server import WebServer

NEW = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "X0000000<1UTO7408122F3404159<<<<<<<<<<<<<<<4",
)


@contextmanager
def scanned_all_the_while(site: WholeSite) -> Iterator[None]:
    """The same document is read again as soon as its outcome is there."""
    stop = threading.Event()

    def scan() -> None:
        while not stop.is_set():
            before = len(site.outcomes())
            site.scan(NEW)
            wait_for(lambda seen=before: len(site.outcomes()) > seen)

    thread = threading.Thread(target=scan)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


@pytest.mark.timeout(180)
def test_a_published_list_is_asked_while_documents_are_read_and_a_tampered_one_is_told_to_central(
    tmp_path: Path,
) -> None:
    headquarters = Headquarters(tmp_path / "headquarters")
    headquarters.begin()
    headquarters.day("L898902C3")
    repository = headquarters.repository
    with (
        Broker(tmp_path) as broker,
        WebServer(repository.folder).serving() as server,
        WholeSite(tmp_path, broker.port) as site,
    ):
        broker.start()
        root = repository.metadata / "1.root.json"
        site.add_source(
            f'[updates]\nurl = "{server.url}/"\nroot = "{root}"\nspread_seconds = 0.1\n'
        )
        site.start_headquarters()
        site.start_desk()
        wait_for(lambda: "list sltd: updated from version 1" in site.desk_log())
        folder = str(repository.folder)
        wait_for(lambda: "have it: 1" in site.central("lists", "status", folder))

        with scanned_all_the_while(site):
            wait_for(lambda: "CLEAR" in site.outcomes())
            headquarters.build("X0000000")
            key = ("--key", str(tmp_path / "list-keys" / "sltd.key"))
            built = (folder, str(headquarters.lists), LIST, *headquarters.signers(), *key)
            assert "ring all is told of sltd 2" in site.central("lists", "publish", *built)
            wait_for(lambda: "HIT" in site.outcomes())
        seen = site.outcomes()
        assert set(seen) == {"CLEAR", "HIT"}
        assert "CLEAR" not in seen[seen.index("HIT") :]
        status = wait_for(
            lambda: (
                (told := site.central("lists", "status", folder)) and "have it: 1" in told and told
            )
        )
        assert "publication 2" in status

        timestamp = repository.metadata / "timestamp.json"
        timestamp.write_bytes(timestamp.read_bytes().replace(b'"expires": "20', b'"expires": "21'))
        site.central("lists", "hint", folder)
        why = f"{DEVICE}: signature: too few of the right keys signed it"
        wait_for(lambda: why in site.central("lists", "status", folder))
        wait_for(lambda: "too few of the right keys" in site.central("devices", "--json"))
        site.scan(NEW)
        wait_for(lambda: len(site.outcomes()) > len(seen))
        assert site.outcomes()[-1] == "HIT"
