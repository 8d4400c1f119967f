"""A list that headquarters publishes is asked at the desk, and a forged one is not."""

from pathlib import Path

import pytest

from tests.delivery.broker import Broker
from tests.journeys.whole_site import WholeSite, wait_for
from tests.updates.over_the_air import Headquarters
from tests.updates.web_server import WebServer

NEW = (
    "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<",
    "X0000000<1UTO7408122F3404159<<<<<<<<<<<<<<<4",
)


@pytest.mark.timeout(180)
def test_a_published_list_is_asked_and_a_tampered_one_is_refused_and_told_to_central(
    tmp_path: Path,
) -> None:
    headquarters = Headquarters(tmp_path / "headquarters")
    headquarters.begin()
    headquarters.day("L898902C3", "X0000000")
    repository = headquarters.repository
    with (
        Broker(tmp_path) as broker,
        WebServer(repository.folder).serving() as server,
        WholeSite(tmp_path, broker.port) as site,
    ):
        broker.start()
        root = repository.metadata / "1.root.json"
        site.add_source(f'[updates]\nurl = "{server.url}/"\nroot = "{root}"\n')
        site.start_headquarters()
        desk = site.start_desk()
        wait_for(lambda: "list sltd: updated from version 1" in site.desk_log())
        site.scan(NEW)
        wait_for(lambda: site.outcomes() == ["HIT"])

        headquarters.day("D1")
        timestamp = repository.metadata / "timestamp.json"
        timestamp.write_bytes(timestamp.read_bytes().replace(b'"version": ', b'"version": 9'))
        site.stop(desk)
        site.start_desk()
        wait_for(lambda: "update of sltd" in site.central("devices", "--json"))
        assert "too few of the right keys signed it" in site.central("devices", "--json")
        site.scan(NEW)
        wait_for(lambda: site.outcomes() == ["HIT", "HIT"])
