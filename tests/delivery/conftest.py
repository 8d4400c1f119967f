from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.delivery.both_ends import Desk, HeadOffice, Protocol
from tests.delivery.broker import Broker


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
def office(tmp_path: Path, broker: Broker, protocol: Protocol) -> Iterator[HeadOffice]:
    one = HeadOffice(tmp_path, broker.port, protocol)
    yield one
    one.store.close()


@pytest.fixture
def desk(tmp_path: Path, broker: Broker, office: HeadOffice, protocol: Protocol) -> Desk:
    keys = office.enrol("desk-1")
    return Desk(tmp_path / "desk-1", "desk-1", keys, broker.port, protocol)
