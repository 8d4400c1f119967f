from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.console.office import Office, an_office
from tests.delivery.postgres import Cluster


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL for the whole run."""
    with Cluster() as one:
        yield one


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store that is empty: SQLite, or what the test names by the parameter."""
    if getattr(request, "param", "sqlite") == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        return cluster.database()
    return f"sqlite:///{tmp_path}/central.db"


@pytest.fixture
def office(url: str) -> Iterator[Office]:
    """A console over that store, with STAFF and no alerts."""
    with an_office(url) as one:
        yield one
