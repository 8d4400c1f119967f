"""What every test runs under."""

import gc
import os
from collections.abc import Iterator

import pytest

from tests.delivery.postgres import Cluster

MANY = 300
"""Open files from which on what nobody holds any more is let go of."""


@pytest.fixture(autouse=True)
def few_files_stay_open() -> Iterator[None]:
    """A test leaves stores, brokers and devices behind that refer to each other; the collector
    comes by too seldom for thousands of tests in one process."""
    yield
    if len(os.listdir("/proc/self/fd")) > MANY:  # noqa: PTH208  it is asked after each test
        gc.collect()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL for this process of tests; take a new `database()` of it for each test."""
    with Cluster() as one:
        yield one
