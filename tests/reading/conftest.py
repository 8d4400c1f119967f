"""Our own reader with its real networks, loaded once for all tests."""

import pytest

from scanner.vision.litert import LitertReader


@pytest.fixture(scope="session")
def our_reader() -> LitertReader:
    return LitertReader()
