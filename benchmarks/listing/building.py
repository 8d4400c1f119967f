"""Stages that fill a store from the sorted columns, and what it then holds on the disk."""

from collections import deque
from contextlib import closing
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from benchmarks.listing import columns, peers
from benchmarks.listing.measure import bytes_below, spent
from benchmarks.listing.settings import LIST, Json, Settings

ALL_FIELDS, KEY_AND_THREE = 5, 3
AS_OF = datetime(2026, 11, 25, tzinfo=UTC)


def secret_of(settings: Settings) -> bytes:
    """The secret of the benchmark's list: of no worth, and the same for a seed."""
    return blake2b(b"benchmark %d" % settings.seed, digest_size=32).digest()


def ours(settings: Settings) -> Json:
    """Our table, from the columns alone: what `TableWriter` takes."""
    from scanner.watchlist.layout import base_folder  # noqa: PLC0415
    from scanner.watchlist.listkey import ListKey  # noqa: PLC0415
    from scanner.watchlist.table import DETAILS, DIRECTORY, KEYS, open_table  # noqa: PLC0415
    from scanner.watchlist.table_writer import TableWriter  # noqa: PLC0415

    building = settings.lists / LIST / ".building-benchmark"
    peers.removed(settings.lists / LIST)
    key_id = ListKey(secret_of(settings)).id
    with spent() as used, TableWriter(building, key_id) as writer:
        for records in columns.portions(settings):
            writer.append(records)
        root = writer.finish()
    folder = building.rename(base_folder(settings.lists, LIST, root))
    sizes = {name: (folder / name).stat().st_size for name in (KEYS, DETAILS, DIRECTORY)}
    with closing(open_table(folder, root)) as table:
        pages, detail_pages = table.directory.pages, table.directory.detail_pages
    return {
        "root": root,
        "build_cpu_s": used.cpu_s,
        "build_wall_s": used.wall_s,
        "sizes": sizes,
        "pages": pages,
        "detail_pages": detail_pages,
    }


def peer(settings: Settings, name: str, value_bytes: int) -> Json:
    """One peer's store, with all fields or with three bytes beside the key."""
    folder = settings.peer(f"{name}-{value_bytes}")
    peers.removed(folder)
    with spent() as used:
        peers.PEERS[name].build(folder, columns.portions(settings), value_bytes)
    size = bytes_below(folder)
    if value_bytes != ALL_FIELDS:
        peers.removed(folder)
    return {
        "library": peers.library_of(name),
        "build_cpu_s": used.cpu_s,
        "build_wall_s": used.wall_s,
        "bytes": size,
    }


def rows_alone(settings: Settings) -> Json:
    """What of SQLite's and LMDB's time is Python making the rows that they take."""
    told = {}
    for name, form in (("sqlite", peers.signed), ("lmdb", peers.ordered_bytes)):
        with spent() as used:
            for part in columns.portions(settings):
                deque(zip(form(part.keys), peers.values_of(part), strict=True), maxlen=0)
        told[name] = used.cpu_s
    return told


def table_folder(settings: Settings) -> tuple[Path, str]:
    """Where our table lies, and its root."""
    from scanner.watchlist.layout import base_folder  # noqa: PLC0415

    built = settings.result("build-ours")
    if built is None:
        raise ValueError("our table has not been built")
    return base_folder(settings.lists, LIST, built["root"]), built["root"]


def in_force(settings: Settings) -> Json:
    """Puts our table in force as version 1 of a list without ranges, as a build does."""
    from scanner.watchlist.activation import activate  # noqa: PLC0415
    from scanner.watchlist.layout import ranges_path  # noqa: PLC0415
    from scanner.watchlist.listkey import ListKey  # noqa: PLC0415
    from scanner.watchlist.manifest import Manifest  # noqa: PLC0415
    from scanner.watchlist.ranges import write_ranges  # noqa: PLC0415

    key, root = ListKey(secret_of(settings)), table_folder(settings)[1]
    digest = write_ranges(lambda one: ranges_path(settings.lists, LIST, one), (), key)
    manifest = Manifest(
        LIST, 1, AS_OF, key.id, settings.records, 0, root, None, ranges_digest=digest
    )
    activate(settings.lists, manifest)
    return {"root": manifest.root()}
