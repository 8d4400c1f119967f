"""`borderpost doctor --speed`: how long this very device takes, beside a baseline of that moment.

Milliseconds say little without a machine to compare with, so each measure stands beside something
that anybody can picture and that the same processor or card just did: reading a specimen beside
decoding its JPEG, asking the lists about a document beside SQLite, committing an alert
beside writing a page and waiting for it. The ratio is what travels from one machine to another.
"""

import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from firmware.delivery.outbox import Outbox, OutboxFault
from firmware.demo.catalogue import SPECIMENS_FOLDER
from firmware.doctor.checks.reader import SPECIMEN
from firmware.doctor.context import Context
from firmware.doctor.finding import CannotLook, Finding, skipped
from scanner.alert import Place, alert_data
from scanner.mrz.parse import parse
from scanner.mrz.text import reading_of
from scanner.mrz.write import write
from scanner.said import said
from scanner.sources.picture import decode
from scanner.vision.engine import open_reader
from scanner.vision.reader import ReaderUnavailable
from scanner.watchlist.questions import Questions, questions

READS, DOCUMENTS, COMMITS = 5, 50, 30
PAGE, ROWS = 4096, 100_000
_KEY_BYTES = 16
_MARKS = bytes(32)


@dataclass(frozen=True)
class Measure:
    """What something took, in milliseconds (the median), and what its baseline did."""

    what: str
    ms: float
    baseline: str
    baseline_ms: float
    runs: int

    @property
    def ratio(self) -> float:
        return self.ms / max(self.baseline_ms, 1e-6)

    @property
    def line(self) -> str:
        """The measure for a person."""
        return (
            f"{self.what}: {self.ms:.2f} ms, {self.ratio:.1f} × {self.baseline} "
            f"({self.baseline_ms:.2f} ms; medians of {self.runs})"
        )

    def as_object(self) -> dict[str, Any]:
        """The measure for other programs."""
        return {
            "measure": self.what,
            "ms": self.ms,
            "baseline": self.baseline,
            "baseline_ms": self.baseline_ms,
            "ratio": self.ratio,
            "runs": self.runs,
        }


def measures(context: Context) -> Iterator[Measure | Finding]:
    """Each measure, when it has been taken; what cannot be measured here is said to be skipped."""
    for name, measure in (("reader", _reader), ("lists", _lists), ("outbox", _outbox)):
        try:
            yield measure(context)
        except (CannotLook, ReaderUnavailable, OutboxFault) as cannot:
            yield replace(skipped(str(cannot)), check=name)
        except OSError as error:
            said = f"{error.filename or name}: {error.strerror}"
            yield replace(skipped(said), check=name)


def _reader(context: Context) -> Measure:
    engine = context.configured.reader.engine if context.configured else "litert"
    reader = open_reader(engine)
    content = (SPECIMENS_FOLDER / SPECIMEN.file).read_bytes()
    frame = decode(content).frame
    encoded = np.frombuffer(content, np.uint8)
    reader.read([frame])  # what is done once at the start is not the speed
    taken = _median([lambda: reader.read([frame])] * READS)
    decoded = _median([lambda: cv2.imdecode(encoded, cv2.IMREAD_COLOR)] * READS)
    return Measure(f"reading a specimen ({engine})", taken, "decoding its JPEG", decoded, READS)


def _lists(context: Context) -> Measure:
    """Asks about made-up numbers, each its own, so that no page is asked for twice; and SQLite for
    as many keys, out of a table that is made for it."""
    settings, clock = context.settings, context.clock
    if not any(state.version is not None for state in context.lists.states(clock)):
        raise CannotLook(said("no list here answers"))
    asked = [_asked(clock.now.date()) for _ in range(DOCUMENTS)]
    taken = _median([partial(context.lists.ask, one, clock) for one in asked])
    with _scratch(context) as scratch, closing(sqlite3.connect(scratch / "table.db")) as table:
        table.execute("CREATE TABLE listed (key BLOB PRIMARY KEY, value INTEGER) WITHOUT ROWID")
        rows = ((os.urandom(_KEY_BYTES), n) for n in range(ROWS))
        table.executemany("INSERT INTO listed VALUES (?, ?)", rows)
        table.commit()
        peer = _median([partial(_look_up, table, len(one.asked)) for one in asked])
    keys = round(statistics.mean(len(one.asked) for one in asked))
    what = f"asking about a document ({keys} keys, lists: {len(settings.lists.use)})"
    return Measure(what, taken, f"SQLite asked for as many keys of {ROWS:,}", peer, DOCUMENTS)


def _look_up(table: sqlite3.Connection, keys: int) -> None:
    for _ in range(keys):
        wanted = (os.urandom(_KEY_BYTES),)
        table.execute("SELECT value FROM listed WHERE key = ?", wanted).fetchone()


@contextmanager
def _scratch(context: Context) -> Iterator[Path]:
    """A folder on the disk of the device's data, gone at the end. Raises OSError."""
    data = context.settings.device.data
    with tempfile.TemporaryDirectory(dir=data, prefix=".speed-") as folder:
        yield Path(folder)


def _asked(today: date) -> Questions:
    """What a scan of somebody invented would ask."""
    assert SPECIMEN.document is not None  # noqa: S101  the first specimen shows a document
    number = f"X{random.randrange(10**8):08d}"  # noqa: S311
    reading = reading_of(
        write(replace(SPECIMEN.document, number=number)), reader="typed", today=today
    )
    return questions(parse(reading.lines, today), reading)


def _outbox(context: Context) -> Measure:
    """In a file of its own, on the disk of the real one, that is gone afterwards."""
    assert SPECIMEN.document is not None  # noqa: S101
    now = context.clock.now
    alert = alert_data(
        SPECIMEN.document,
        outcome="HIT",
        matches=(),
        lists=(),
        place=Place(site="measure"),
        captured_at=now,
        answer_until=None,
    )
    with _scratch(context) as scratch:
        outbox = Outbox(scratch / "outbox.db", "measure", _MARKS)
        outbox.put_alert(alert, now)
        taken = _median([lambda: outbox.put_alert(alert, now)] * COMMITS)
        outbox.close()
        with (scratch / "page").open("wb", buffering=0) as file:
            written = _median([lambda: _written(file.fileno())] * COMMITS)
    return Measure(
        "committing an alert", taken, "writing 4 KiB and waiting for the disk", written, COMMITS
    )


def _written(number: int) -> None:
    os.write(number, b"\0" * PAGE)
    os.fsync(number)


def _median(actions: Sequence[Callable[[], object]]) -> float:
    """In milliseconds."""
    taken = []
    for action in actions:
        began = time.perf_counter()
        action()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
