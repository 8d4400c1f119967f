from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.both_ends import Desk, HeadOffice, Protocol
from tests.delivery.broker import Broker
from tests.delivery.postgres import Cluster


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


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL for this process of tests; take a new `database()` of it for each test."""
    with Cluster() as one:
        yield one


@pytest.fixture
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new store: SQLite, or what the test asks for with `over_both_databases`."""
    if getattr(request, "param", "sqlite") == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        return cluster.database()
    return f"sqlite:///{tmp_path}/central.db"
