"""The outbox: commits a second beside SQLite alone, and what 100,000 queued alerts take."""

import sqlite3
import time
import zlib
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.delivering.processes import alone
from benchmarks.delivering.sizes import Json, Sizes
from benchmarks.listing.measure import memory_mb
from tests.delivery.both_ends import Desk, HeadOffice, alert
from tests.delivery.broker import Broker

_UPLINK_FOR_S = 5.0


def measure(sizes: Sizes, work: Path) -> Json:
    ours, bare = [], []
    with TemporaryDirectory(dir=work) as name:
        desk = _desk(Path(name), 1)
        row = len(zlib.compress(alert().model_dump_json().encode()))
        for number in range(sizes.rounds):
            ours.append(_our_rate(desk, sizes.commits))
            bare.append(_bare_rate(Path(name) / f"bare-{number}.db", row, sizes.commits))
        desk.outbox.close()
    queued = alone(_fill, sizes.queued, work)
    return {
        "commits_per_s": round(median(ours)),
        "sqlite_alone_per_s": round(median(bare)),
        "ratio": round(median(bare) / median(ours), 2),
        "rounds": {"ours": [round(one) for one in ours], "bare": [round(one) for one in bare]},
        "row_bytes": row,
        **queued,
    }


def _desk(folder: Path, port: int) -> Desk:
    office = HeadOffice(folder, port, "5")
    office.store.close()
    desk = Desk(folder / "desk", "desk-1", office.enrol("desk-1"), port, "5")
    desk.folder.mkdir(exist_ok=True)
    return desk


def _our_rate(desk: Desk, count: int) -> float:
    began = time.perf_counter()
    for number in range(count):
        desk.raise_alert(f"X{number:08d}")
    return count / (time.perf_counter() - began)


def _bare_rate(path: Path, row: int, count: int) -> float:
    """One insert of as many bytes as a row of ours has, committed by itself."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE message (n INTEGER PRIMARY KEY, payload BLOB)")
    payload = bytes(row)
    began = time.perf_counter()
    for _ in range(count):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO message (payload) VALUES (?)", (payload,))
        connection.execute("COMMIT")
    took = time.perf_counter() - began
    connection.close()
    return count / took


def _fill(count: int, work: Path) -> Json:
    """Queues `count` alerts, then tries to say them for a while to a broker where nobody hears."""
    with TemporaryDirectory(dir=work) as name, Broker(Path(name)) as broker:
        desk = _desk(Path(name), broker.port)
        desk.raise_alert()
        before = memory_mb("VmRSS")
        began = time.perf_counter()
        for number in range(count):
            desk.raise_alert(f"X{number:08d}")
        took = time.perf_counter() - began
        broker.start()
        with desk.running():
            time.sleep(min(_UPLINK_FOR_S, count / 1_000))
        if desk.outbox.queued() != count + 1:
            raise RuntimeError("the outbox has not kept what was queued")
        asked = time.perf_counter()
        desk.outbox.queued()
        asked = time.perf_counter() - asked
        files = sum(path.stat().st_size for path in desk.folder.glob("outbox.db*"))
        desk.outbox.close()
    return {
        "queued": count,
        "filled_per_s": round(count / took),
        "files_mb": round(files / 2**20, 1),
        "memory_before_mb": round(before, 1),
        "memory_most_mb": round(memory_mb("VmHWM"), 1),
        "memory_grown_mb": round(memory_mb("VmHWM") - before, 1),
        "count_ms": round(asked * 1000, 2),
    }
