from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.office import Office, an_office
from tests.delivery.stores import new_store


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is empty: SQLite, or what the test names by the parameter."""
    return new_store(request, tmp_path)


@pytest.fixture
def office(url: str) -> Iterator[Office]:
    """A console over that store, with STAFF and no alerts."""
    with an_office(url) as one:
        yield one
