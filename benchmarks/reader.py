"""Scores a reader of pictures on a folder of pages whose true lines are known.

    python benchmarks/reader.py --reader passporteye --corpus DIR [--limit N] [--json OUT]

DIR holds pictures and `manifest.csv` (or `specimens.csv`) with the columns file, format, line1,
line2, line3, and conditions where known. Pages go through the same seams as at the desk: `Replay`
opens them, the reader reads them one at a time, and only its `Reading` is scored. Ctrl-C stops and
prints the score so far.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean, median
from threading import Event
from time import perf_counter

from scanner.mrz.parse import parse
from scanner.mrz.reading import Status
from scanner.sources.capture import Frame
from scanner.sources.replay import Replay
from scanner.vision.engine import READERS, open_reader
from scanner.vision.reader import Reader, ReaderUnavailable

MANIFESTS = ("manifest.csv", "specimens.csv")

NOT_MEASURED = (
    "Not measured: the camera and its document-present test (pages come from files); the time to "
    "open a file and to load the reader; several frames of one page; memory; other machines than "
    "this one. Pages without lines of their own are left out. A corpus says how a reader does on "
    "its pages, not how it does on documents at large."
)


@dataclass(frozen=True)
class Page:
    path: Path
    layout: str
    conditions: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Mark:
    """How one page was read. `character_error` is the edit distance over all lines divided by
    their true length, at most 1."""

    file: str
    layout: str
    conditions: str
    status: str
    exact: bool
    number: bool
    character_error: float
    sure_but_wrong: bool
    ms: float
    note: str | None


def pages_in(corpus: Path) -> list[Page]:
    """The pages of the corpus in the order of its manifest. Raises ValueError with one line."""
    manifest = next((corpus / name for name in MANIFESTS if (corpus / name).is_file()), None)
    if manifest is None:
        raise ValueError(f"{corpus}: there is no {' or '.join(MANIFESTS)}")
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = {"file", "format", "line1", "line2"} - set(rows.fieldnames or ())
        if missing:
            raise ValueError(f"{manifest}: no column {', '.join(sorted(missing))}")
        return [
            Page(
                corpus / row["file"],
                row["format"],
                row.get("conditions") or "",
                tuple(line for n in (1, 2, 3) if (line := row.get(f"line{n}") or "")),
            )
            for row in rows
            if row["line1"]
        ]


def edits(a: str, b: str) -> int:
    """The least number of characters to insert, delete or replace (Levenshtein)."""
    above = list(range(len(b) + 1))
    for row, x in enumerate(a, 1):
        here = [row]
        for column, y in enumerate(b, 1):
            here.append(min(above[column] + 1, here[-1] + 1, above[column - 1] + (x != y)))
        above = here
    return above[-1]


def number_of(lines: Sequence[str]) -> str | None:
    document = parse(lines, datetime.now(UTC).date()).document
    return document.number if document else None


def frames_of(page: Page) -> tuple[tuple[Frame, ...], str | None]:
    """The page's frames as a source gives them, or none and why."""
    for capture in Replay([page.path]).captures(Event()):
        return capture.frames, capture.fault.message if capture.fault else None
    return (), "the source gave nothing"


def mark(reader: Reader, page: Page) -> Mark:
    frames, fault = frames_of(page)
    started = perf_counter()
    reading = reader.read(frames)
    ms = (perf_counter() - started) * 1000
    truth, read = "\n".join(page.lines), "\n".join(reading.lines)
    exact = reading.lines == page.lines
    number = number_of(page.lines)
    return Mark(
        file=page.path.name,
        layout=page.layout,
        conditions=page.conditions,
        status=reading.status.value,
        exact=exact,
        number=bool(reading.lines) and number is not None and number_of(reading.lines) == number,
        character_error=min(1.0, edits(truth, read) / len(truth)),
        sure_but_wrong=reading.status is Status.READ and not exact,
        ms=ms,
        note=fault or reading.note,
    )


def show_progress(one: Mark, done: int, whole: int) -> None:
    """A line a page on standard error."""
    told = "exact" if one.exact else f"error {one.character_error:.0%}"
    line = f"{done}/{whole} {one.file}: {one.status}, {told}, {one.ms:.0f} ms"
    print(line, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Score:
    """The figures over all pages that were marked."""

    pages: int
    lines_exact: int
    number_exact: int
    mean_character_error: float
    sure: int
    doubtful: int
    unreadable: int
    sure_but_wrong: tuple[str, ...]
    median_ms: float


def score(done: Sequence[Mark]) -> Score:
    status = Counter(one.status for one in done)
    return Score(
        pages=len(done),
        lines_exact=sum(one.exact for one in done),
        number_exact=sum(one.number for one in done),
        mean_character_error=mean(one.character_error for one in done),
        sure=status[Status.READ.value],
        doubtful=status[Status.DOUBTFUL.value],
        unreadable=status[Status.UNREADABLE.value],
        sure_but_wrong=tuple(one.file for one in done if one.sure_but_wrong),
        median_ms=median(one.ms for one in done),
    )


def tell(figures: Score, reader: str, corpus: Path, whole: int) -> None:
    def share(count: int) -> str:
        return f"{count} of {figures.pages} ({count / figures.pages:.1%})"

    wrong = figures.sure_but_wrong
    print(f"reader {reader} on {corpus}: {figures.pages} of {whole} pages")
    print(f"  every line exact        {share(figures.lines_exact)}")
    print(f"  document number exact   {share(figures.number_exact)}")
    print(f"  mean character error    {figures.mean_character_error:.2%}")
    print(f"  sure (status read)      {share(figures.sure)}")
    print(f"  sure but wrong          {len(wrong)}{': ' if wrong else ''}{', '.join(wrong)}")
    print(f"  doubtful, unreadable    {figures.doubtful}, {figures.unreadable}")
    print(f"  median time a page      {figures.median_ms:.0f} ms")
    print(NOT_MEASURED)


def main() -> int:
    parser = argparse.ArgumentParser(description="Score a reader on pages with known lines.")
    parser.add_argument("--reader", default="passporteye", help=f"one of: {', '.join(READERS)}")
    parser.add_argument("--corpus", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument("--limit", type=int, help="read the first N pages only")
    parser.add_argument("--json", type=Path, help="write the score and every page's mark here")
    arguments = parser.parse_args()
    try:
        pages = pages_in(arguments.corpus)
        reader = open_reader(arguments.reader)
    except (ValueError, ReaderUnavailable) as error:
        print(f"benchmarks/reader.py: {error}", file=sys.stderr)
        return 2
    done: list[Mark] = []
    try:
        chosen = pages[: arguments.limit]
        for page in chosen:
            done.append(mark(reader, page))
            show_progress(done[-1], len(done), len(chosen))
    except KeyboardInterrupt:
        print("stopped: the score so far", file=sys.stderr)
    if not done:
        print("benchmarks/reader.py: no page was read", file=sys.stderr)
        return 1
    figures = score(done)
    tell(figures, arguments.reader, arguments.corpus, len(pages))
    if arguments.json:
        told = {
            "reader": arguments.reader,
            "corpus": str(arguments.corpus),
            **asdict(figures),
            "marks": [asdict(one) for one in done],
        }
        arguments.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
