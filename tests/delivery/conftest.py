from collections.abc import Iterator
from pathlib import Path

import pytest

from central.store.store import Store
from firmware.delivery.uplink import Uplink
from tests.delivery.both_ends import Desk, HeadOffice, Protocol, Stranger, wait_for
from tests.delivery.broker import Broker
from tests.delivery.stores import new_store


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A Mosquitto that the test starts."""
    with Broker(tmp_path) as one:
        yield one


@pytest.fixture
def protocol() -> Protocol:
    """MQTT 5; a test that is about the wire is given 3.1.1 as well."""
    return "5"


@pytest.fixture
def office(
    tmp_path: Path, broker: Broker, protocol: Protocol, store_url: str
) -> Iterator[HeadOffice]:
    one = HeadOffice(tmp_path, broker.port, protocol, store_url)
    yield one
    one.store.close()


@pytest.fixture
def desk(tmp_path: Path, broker: Broker, office: HeadOffice, protocol: Protocol) -> Desk:
    keys = office.enrol("desk-1")
    return Desk(tmp_path / "desk-1", "desk-1", keys, broker.port, protocol)


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new store: SQLite, or what the test asks for with `over_both_databases`."""
    return new_store(request, tmp_path)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    one = Store(store_url)
    yield one
    one.close()


@pytest.fixture
def stranger(broker: Broker) -> Iterator[Stranger]:
    """Somebody at the broker, which runs."""
    broker.start()
    with Stranger(broker.port) as one:
        yield one


@pytest.fixture
def uplink(desk: Desk, stranger: Stranger) -> Iterator[Uplink]:
    """A desk that is up, and nobody at headquarters."""
    with desk.running() as one:
        wait_for(lambda: one.connected)
        yield one
