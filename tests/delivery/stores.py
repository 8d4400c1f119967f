"""Stores with nothing in them yet. Their tables are made once in each process of tests, by a store
that is opened as ever; each store is a copy of that one, because to make one takes a tenth of a
second. A test about the making itself begins with `nothing_yet`."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

import pytest

from central.store.store import Store
from tests.delivery.postgres import Cluster


def new_store(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of an empty store: of the kind that a fixture was given as its parameter, else SQLite
    in `folder`."""
    if _kind(request) == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        return cluster.database(like=_empty_database(cluster))
    return sqlite_store(folder)


def sqlite_store(folder: Path) -> str:
    """The URL of the store in `folder`: an empty one, unless there is one already."""
    file = folder / "central.db"
    if not file.exists():
        shutil.copyfile(_empty_file(), file)
    return f"sqlite:///{file}"


def nothing_yet(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of a store, of the kind that is asked for, that nobody has opened."""
    if _kind(request) == "postgresql":
        cluster: Cluster = request.getfixturevalue("postgresql")
        return cluster.database()
    return f"sqlite:///{folder}/central.db"


def _kind(request: pytest.FixtureRequest) -> str:
    return str(getattr(request, "param", "sqlite"))


@functools.cache
def _empty_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="borderpost-store-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    Store(f"sqlite:///{folder}/central.db").close()
    return folder / "central.db"


@functools.cache
def _empty_database(cluster: Cluster) -> str:
    url = cluster.database()
    Store(url).close()
    return url.rpartition("/")[2]
