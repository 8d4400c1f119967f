"""Stages that build lists from a source file, CSV, of two sizes: what each row costs by stage, and
whether it costs the same in a file four times as long.

The rows are numbers in national formats (`formats`), so keys here are hashes of numbers: their
pages are held against the bound as those of drawn keys are.
"""

from contextlib import closing
from pathlib import Path

from benchmarks.listing import peers
from benchmarks.listing.building import AS_OF, secret_of
from benchmarks.listing.formats import ISSUED
from benchmarks.listing.measure import memory_mb, spent
from benchmarks.listing.results import DIRECTORY_BYTES_A_PAGE, bound_bytes
from benchmarks.listing.settings import LIST, Json, Settings
from benchmarks.listing.travellers import SIZES
from benchmarks.listing.world import World, write_source
from scanner.watchlist.build import build_list
from scanner.watchlist.layout import base_folder
from scanner.watchlist.listkey import ListKey
from scanner.watchlist.table import KEYS, open_table


def write(settings: Settings, part: int) -> Json:
    """Writes a source of the run's rows, or a part of them: of a smaller world, listed as densely
    as the whole one."""
    rows = max(100, settings.csv_rows // part)
    path = source_path(settings, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = write_source(path, World(rows, ISSUED * rows // SIZES[0], settings.seed))
    return {"rows": written, "bytes": path.stat().st_size}


def build(settings: Settings, part: int) -> Json:
    """Builds it, with bad rows and replaced ones reported to nobody: there are none."""
    lists = settings.work / f"csv-lists-{part}"
    peers.removed(lists)
    source = source_path(settings, part)
    key = ListKey(secret_of(settings))
    with spent() as used:
        built = build_list(source, lists, LIST, key=key, as_of=AS_OF)
    records, root = built.manifest.records, built.manifest.base
    folder = base_folder(lists, LIST, root)
    with closing(open_table(folder, root)) as table:
        pages = table.directory.pages
    keys = ((folder / KEYS).stat().st_size + DIRECTORY_BYTES_A_PAGE * pages - records) / records
    peers.removed(lists)
    return {
        "records": records,
        "ranges": built.manifest.ranges,
        "bad_rows": built.bad_rows,
        "superseded": built.superseded,
        "stage_cpu_s": built.seconds,
        "build_cpu_s": used.cpu_s,
        "build_wall_s": used.wall_s,
        "most_mb": memory_mb("VmHWM"),
        "key_store_to_bound": keys / bound_bytes(records),
    }


def source_path(settings: Settings, part: int) -> Path:
    return settings.work / "sources" / f"{part}.csv"
