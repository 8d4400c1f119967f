from collections.abc import Iterator

import pytest

from tests.console.browser.conftest import browser, people
from tests.delivery.both_ends import HeadOffice
from tests.delivery.broker import Broker
from tests.desk.browser.booth import Booth

__all__ = ["browser", "people"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HeadOffice]:
    """Headquarters behind a real broker."""
    folder = tmp_path_factory.mktemp("office")
    with Broker(folder) as broker:
        broker.start()
        yield HeadOffice(folder, broker.port, "5")


@pytest.fixture(scope="module")
def one_booth(office: HeadOffice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booth]:
    """A booth that is open for all tests of a file."""
    booth = Booth(tmp_path_factory.mktemp("booth"), office, drill={"allowed": True})
    with office.receiving():
        booth.open()
        yield booth
        booth.close()


@pytest.fixture
def booth(one_booth: Booth) -> Iterator[Booth]:
    """The same, with nothing on the desk and no referral open."""
    one_booth.clear()
    yield one_booth
    one_booth.clear()
