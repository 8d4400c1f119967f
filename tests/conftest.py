"""What every test runs under."""

import gc
import os
from collections.abc import Iterator

import cv2
import pytest

from tests.delivery.postgres import Cluster

MANY = 300
"""By how many more open files what nobody holds any more is let go of."""


def pytest_collection_finish() -> None:
    """Every core has a process of tests, where OpenCV's threads would wait for each other, busily.
    And what is there once every test is known stays until the end: the collector need not look
    through it again and again."""
    cv2.setNumThreads(1)
    gc.collect()
    gc.freeze()


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208  it is asked after each test


@pytest.fixture(scope="session")
def open_files_that_stay() -> list[int]:
    """How many files were still open when what nobody holds was last let go of."""
    return [0]


@pytest.fixture(autouse=True)
def few_files_stay_open(open_files_that_stay: list[int]) -> Iterator[None]:
    """A test leaves stores, brokers and devices behind that refer to each other; the collector
    comes by too seldom for thousands of tests in one process."""
    yield
    if _open_files() > open_files_that_stay[0] + MANY:
        gc.collect()
        open_files_that_stay[0] = _open_files()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL for this process of tests; take a new `database()` of it for each test."""
    with Cluster() as one:
        yield one
