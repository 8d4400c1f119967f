import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from central.store.store import Store
from tests.console.browser.at_the_console import People, Room, now
from tests.console.sample_site import Site, fill
from tests.delivery.stores import sqlite_store

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. It ends with each file of tests: Playwright keeps an event loop running in this
    thread for as long as it is there, and other tests start one of their own."""
    with sync_playwright() as playwright:
        one = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield one
        one.close()


@pytest.fixture
def people(browser: Browser) -> Iterator[People]:
    one = People(browser)
    yield one
    one.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(sqlite_store(tmp_path))
    yield one
    one.close()


@pytest.fixture
def room(store: Store) -> Iterator[Room]:
    """An open console over an empty store with its staff."""
    with Room(store).open() as one:
        yield one


@pytest.fixture(scope="session")
def a_week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a store with a week of alerts and counts, and its staff; made once, to copy."""
    file = tmp_path_factory.mktemp("a-week") / "central.db"
    store = Store(f"sqlite:///{file}")
    fill(Site(store), now())
    store.close()
    return file


@pytest.fixture
def full_room(tmp_path: Path, a_week: Path) -> Iterator[Room]:
    """An open console over a week of alerts."""
    shutil.copy(a_week, tmp_path / "week.db")
    store = Store(f"sqlite:///{tmp_path}/week.db")
    with Room(store, staffed=True).open() as one:
        yield one
    store.close()
