"""Random keys against our table: none of them is listed, so every one that is found is a false
alarm. Most go in sorted order through every page, verified and unpacked as a fold does it; some go
through the look-up that a scan uses.
"""

from collections.abc import Iterator
from contextlib import closing

import numpy as np

from benchmarks.listing import columns
from benchmarks.listing.building import table_folder
from benchmarks.listing.settings import Json, Settings
from scanner.watchlist.page_writer import decode
from scanner.watchlist.questions import BUDGET
from scanner.watchlist.record_arrays import U64
from scanner.watchlist.table import Table, open_table

_PAGES_AT_ONCE = 256
_LOOKED_UP_SHARE = 100
_SEED = 3


def probes(settings: Settings) -> Json:
    folder, root = table_folder(settings)
    with closing(open_table(folder, root)) as table:
        by_page, alarms, records = _through_pages(table, settings)
        looked_up = max(1, settings.probes // _LOOKED_UP_SHARE)
        source = np.random.default_rng((settings.seed, _SEED, 1))
        asked = source.integers(0, 1 << 64, looked_up, np.uint64).tolist()
        found = sum(1 for key in asked if table.find(key))
    if records != settings.records:
        raise ValueError(f"the pages hold {records} records and should hold {settings.records}")
    return {
        "by_page": by_page,
        "by_page_alarms": alarms,
        "looked_up": looked_up,
        "looked_up_alarms": found,
        "pages": table.directory.pages,
        "expected_a_key": settings.records / 2**64,
        "expected_in_all": settings.records / 2**64 * (by_page + looked_up),
        "budget": BUDGET,
        "expected_a_scan": settings.records / 2**64 * BUDGET,
    }


def _through_pages(table: Table, settings: Settings) -> tuple[int, int, int]:
    """Probes, those that were found, and records that the pages hold."""
    asked = alarms = records = 0
    coming = columns.drawn(settings.probes, (settings.seed, _SEED, 0))
    held = [np.empty(0, np.uint64)]
    for keys in _keys(table):
        while not len(held[-1]) or held[-1][-1] <= keys[-1]:
            more = next(coming, None)
            if more is None:
                break
            held.append(more)
        whole = np.concatenate(held)
        now = int(np.searchsorted(whole, keys[-1], side="right"))
        alarms += _how_many_in(whole[:now], keys)
        asked, records, held = asked + now, records + len(keys), [whole[now:]]
    return asked + len(held[0]) + sum(map(len, coming)), alarms, records


def _how_many_in(asked: U64, keys: U64) -> int:
    places = np.searchsorted(keys, asked)
    return int((keys[np.minimum(places, len(keys) - 1)] == asked).sum())


def _keys(table: Table) -> Iterator[U64]:
    """All keys in order, page after page, every page verified."""
    for begin in range(0, table.directory.pages, _PAGES_AT_ONCE):
        end = min(begin + _PAGES_AT_ONCE, table.directory.pages)
        yield np.concatenate(
            [decode(table.key_page(at), table.directory.firsts[at])[0] for at in range(begin, end)]
        )
