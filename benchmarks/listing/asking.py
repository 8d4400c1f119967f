"""Stages that ask stores for keys: warm and timed, and cold with what is read from the disk.

Listed keys, keys that are not listed, and both mixed, in an order of chance, in one process. Ours
is asked twice over: for key and class alone, and with day and tag of what is found, which is what
the peers give. Keys are put into each store's form ahead of the clock.
"""

import gc
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

from benchmarks.listing import columns, peers
from benchmarks.listing.building import ALL_FIELDS, secret_of, table_folder
from benchmarks.listing.measure import disk_bytes, drop_from_cache, make_durable
from benchmarks.listing.settings import LIST, Json, Settings
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.record_arrays import U64, Records
from scanner.watchlist.table import Table, open_table
from scanner.watchlist.version import open_version

_ROUNDS = 7
_RECORDS_A_COLD_KEY = 10_000


def warm(settings: Settings) -> Json:
    """All stores in turn, round by round, so that what else the machine does meets them alike."""
    hits, misses = _hits(settings)[: settings.asked], _misses(settings)[: settings.asked]
    told: Json = {"not_run": {}, "us": {}, "wall_us": {}}
    with ExitStack() as opened:
        folder, root = table_folder(settings)
        table = opened.enter_context(closing(open_table(folder, root)))
        keys = (hits.keys.tolist(), misses.tolist())
        _check(lambda key: _fields(table, key), keys[0], hits.rest.tolist())
        asking = [
            _Asking("ours, key and class", table.find, *keys),
            _Asking("ours", lambda key: _all_fields(table, key), *keys),
        ]
        for name in built_peers(settings):
            try:
                store = opened.enter_context(closing(_open(settings, name)))
            except ImportError as error:
                told["not_run"][name] = str(error)
                continue
            asked = store.asked_by(hits.keys)
            _check(store.get, asked, peers.values_of(hits))
            asking.append(_Asking(name, store.get, asked, store.asked_by(misses)))
        for one in _in_turn(asking):
            told["us"][one.name] = {kind: median(times) for kind, times in one.cpu_us.items()}
            told["wall_us"][one.name] = {kind: median(times) for kind, times in one.wall_us.items()}
    return told


def cold_ours(settings: Settings) -> Json:
    """Bytes and pages read for each key, none of the store in the machine's cache before."""
    folder, root = table_folder(settings)
    told: Json = {}
    for kind, keys in _cold_keys(settings):
        _chill(folder)
        with closing(open_table(folder, root)) as table:
            asked: list[int] = keys.tolist()
            before = disk_bytes()[0]
            for key in asked:
                table.find(key)
            told[f"{kind}_key_and_class"] = (disk_bytes()[0] - before) / len(asked)
            told[f"{kind}_pages"] = table.pages_read / len(asked)
        _chill(folder)
        with closing(open_table(folder, root)) as table:
            before = disk_bytes()[0]
            for key in asked:
                _all_fields(table, key)
            told[f"{kind}_all_fields"] = (disk_bytes()[0] - before) / len(asked)
            told[f"{kind}_all_pages"] = table.pages_read / len(asked)
    return told


def cold_overlay(settings: Settings) -> Json:
    """Likewise of a version with every day's changes in its overlay."""
    key = ListKey(secret_of(settings))
    told: Json = {}
    for kind, keys in _cold_keys(settings):
        _chill(settings.lists)
        manifest = read_manifest(settings.lists, LIST)
        with closing(open_version(settings.lists, manifest, key)) as version:
            if version.overlay is None:
                raise ValueError("the version in force has no overlay")
            before, tables = disk_bytes()[0], (version.base, version.overlay.adds)
            for one in keys.tolist():
                version.find(one)
            told[f"{kind}_all_fields"] = (disk_bytes()[0] - before) / len(keys)
            told[f"{kind}_all_pages"] = sum(table.pages_read for table in tables) / len(keys)
    return told


def cold_peer(settings: Settings, name: str) -> Json:
    told: Json = {}
    for kind, keys in _cold_keys(settings):
        _chill(settings.peer(f"{name}-{ALL_FIELDS}"))
        with closing(_open(settings, name)) as store:
            asked = store.asked_by(keys)
            before = disk_bytes()[0]
            for key in asked:
                store.get(key)
            told[f"{kind}_all_fields"] = (disk_bytes()[0] - before) / len(asked)
    return told


@dataclass
class _Asking:
    """One store with the keys that it is asked, and microseconds a key for every round."""

    name: str
    ask: Callable[[Any], object]
    hits: Sequence[Any]
    misses: Sequence[Any]
    cpu_us: dict[str, list[float]] = field(default_factory=dict)
    wall_us: dict[str, list[float]] = field(default_factory=dict)

    def round_of(self, kind: str, *, timed: bool) -> None:
        keys = self._keys(kind)
        wall, cpu = perf_counter(), process_time()
        for key in keys:
            self.ask(key)
        used, passed = process_time() - cpu, perf_counter() - wall
        if timed:
            self.cpu_us.setdefault(kind, []).append(used / len(keys) * 1e6)
            self.wall_us.setdefault(kind, []).append(passed / len(keys) * 1e6)

    def _keys(self, kind: str) -> Sequence[Any]:
        if kind == "hits":
            return self.hits
        if kind == "misses":
            return self.misses
        return [key for pair in zip(self.hits, self.misses, strict=True) for key in pair]


def _in_turn(asking: Sequence[_Asking]) -> Sequence[_Asking]:
    """Every round of every kind, after one that is not timed."""
    gc.disable()
    try:
        for kind in ("hits", "misses", "mixed"):
            for at in range(_ROUNDS + 1):
                for one in asking:
                    one.round_of(kind, timed=at > 0)
    finally:
        gc.enable()
    return asking


def _check(get: Callable[[Any], object], asked: Sequence[Any], wanted: Sequence[object]) -> None:
    """A store that answers wrongly is not timed."""
    if any(get(key) != value for key, value in zip(asked, wanted, strict=True)):
        raise ValueError("the store does not answer with what was put into it")


def _fields(table: Table, key: int) -> int | None:
    found = table.find(key)
    return table.record(key, found[0]).rest if len(found) == 1 else None


def _all_fields(table: Table, key: int) -> None:
    for found in table.find(key):
        table.record(key, found)


def built_peers(settings: Settings) -> list[str]:
    """The stores of peers that hold all fields and have been filled in this run."""
    return [
        name
        for name in peers.PEERS
        if settings.result(f"build-{name}") is not None
        and settings.peer(f"{name}-{ALL_FIELDS}").exists()
    ]


def _open(settings: Settings, name: str) -> peers.Store:
    return peers.PEERS[name].open(settings.peer(f"{name}-{ALL_FIELDS}"))


def _chill(folder: Path) -> None:
    make_durable(folder)
    drop_from_cache(folder)


def _cold_keys(settings: Settings) -> tuple[tuple[str, U64], ...]:
    """Not those that are asked warm; few beside the pages, so that hardly one is read twice."""
    count = min(settings.cold, max(10, settings.records // _RECORDS_A_COLD_KEY))
    return (
        ("hits", _hits(settings).keys[-count:]),
        ("misses", _misses(settings)[-count:]),
    )


def _hits(settings: Settings) -> Records:
    folder = settings.columns
    return Records(
        columns.numbers_in(folder / columns.HITS), columns.numbers_in(folder / columns.HIT_RESTS)
    )


def _misses(settings: Settings) -> U64:
    return columns.numbers_in(settings.columns / columns.MISSES)
