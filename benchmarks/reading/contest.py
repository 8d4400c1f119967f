"""Every reader reads every page: one page after the other, each reader in turn.

Taking turns page by page keeps the comparison fair on a machine that is busy with other things now
and then. Ours get the file as it is; peers get the same pixels, decoded and upright, as a bitmap,
and one picture at a time, for none of them adds frames up.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter

import cv2

from benchmarks.reading.marks import Answer, Mark, mark
from benchmarks.reading.pages import Page, spread
from benchmarks.reading.process import ReaderDied, ReaderProcess
from scanner.sources.replay import Replay

MOST_DEATHS = 3
"""A reader that dies on so many pages one after the other is given up."""

COLD_STARTS = 3

Paths = Sequence[Path] | str
"""Pictures of one page, or why there are none."""

Progress = Callable[[str, Mark, int, int], None]


@dataclass
class Contestant:
    """A reader and what became of it. `not_run` says why where it did not."""

    name: str
    command: list[str]
    ours: bool
    model: str = ""
    limit: int | None = None
    not_run: str | None = None
    about: str = ""
    marks: dict[str, Mark] = field(default_factory=dict)
    from_before: int = 0
    load_ms: float | None = None
    cold_ms: float | None = None
    before_mb: float = 0.0
    peak_mb: float = 0.0
    process: ReaderProcess | None = None
    deaths: int = 0

    @property
    def title(self) -> str:
        """What stands above its column."""
        told = self.about or self.name
        return f"{told}, {self.model}" if self.model else told

    def start(self) -> ReaderProcess:
        """Raises ReaderDied."""
        self.process = process = ReaderProcess(self.command)
        self.about, self.load_ms = process.about, process.load_ms
        self.before_mb = process.before_mb
        return process

    def stop(self) -> None:
        if self.process is not None:
            self.peak_mb = max(self.peak_mb, self.process.peak_mb)
            self.process.stop()
            self.process = None


def run(
    pages: Sequence[Page],
    contestants: Sequence[Contestant],
    progress: Progress,
    cold_starts: int = COLD_STARTS,
) -> None:
    """Marks every page of every contestant; whoever stops it (Ctrl-C) keeps the marks so far."""
    chosen = {id(one): {page.key for page in spread(pages, one.limit)} for one in contestants}
    try:
        for one in contestants:
            _try_to_start(one, pages)
        for page in pages:
            turn = [one for one in contestants if page.key in chosen[id(one)]]
            _read_in_turn(page, [one for one in turn if _is_to_read(one, page)], progress, chosen)
        for one in contestants:
            if one.not_run is None and one.marks:
                one.cold_ms = cold_start(one, pages[0], cold_starts)
    finally:
        for one in contestants:
            one.stop()


def _is_to_read(one: Contestant, page: Page) -> bool:
    return one.not_run is None and page.key not in one.marks


def _try_to_start(one: Contestant, pages: Sequence[Page]) -> None:
    if one.not_run is None and not one.ours and any(len(page.paths) > 1 for page in pages):
        one.not_run = "reads one picture at a time; frames of one document do not add up"
    if one.not_run is not None:
        return
    try:
        one.start()
    except ReaderDied as died:
        one.not_run = str(died)


def _read_in_turn(
    page: Page, turn: Sequence[Contestant], progress: Progress, chosen: dict[int, set[str]]
) -> None:
    if not turn:
        return
    with _paths_for(turn, page) as paths:
        for one in turn:
            made = mark(page, _answer(one, paths[one.ours]))
            if one.not_run is None:
                one.marks[page.key] = made
                progress(one.name, made, len(one.marks), len(chosen[id(one)]))


@contextmanager
def _paths_for(turn: Sequence[Contestant], page: Page) -> Iterator[dict[bool, Paths]]:
    """What ours are given to open, and what peers are."""
    if all(one.ours for one in turn):
        yield {True: page.paths}
        return
    with _bitmap(page) as bitmap:
        yield {True: page.paths, False: bitmap}


def _answer(one: Contestant, paths: Paths) -> Answer:
    if isinstance(paths, str):
        return Answer((), 0.0, note=paths)
    started = perf_counter()
    try:
        process = one.process or one.start()
        answer = process.read(paths)
    except ReaderDied as died:
        one.stop()
        one.deaths += 1
        if one.deaths >= MOST_DEATHS:
            one.not_run = f"given up after {one.deaths} pages on which {died}"
        return Answer((), (perf_counter() - started) * 1000, note=str(died))
    one.deaths = 0
    return answer


@contextmanager
def _bitmap(page: Page) -> Iterator[Paths]:
    """The page's first picture, upright, as a file that every library opens alike; or why not."""
    with tempfile.TemporaryDirectory(prefix="borderpost-bench-") as folder:
        capture = next(iter(Replay([page.paths[0]]).captures(Event())))
        if not capture.frames:
            yield capture.fault.message if capture.fault else "this is no picture"
            return
        path = Path(folder) / "page.bmp"
        cv2.imwrite(str(path), capture.frames[0])
        yield [path]


def cold_start(one: Contestant, page: Page, starts: int) -> float | None:
    """Milliseconds from the start of a fresh process to its reading of one page: the median of a
    few, with its files in the machine's cache. None where it fails, or is not to be measured."""
    times = []
    with _paths_for([one], page) as both:
        paths = both[one.ours]
        if isinstance(paths, str):
            return None
        for _ in range(starts):
            started = perf_counter()
            try:
                process = ReaderProcess(one.command)
            except ReaderDied:
                return None
            try:
                process.read(paths)
                times.append((perf_counter() - started) * 1000)
            except ReaderDied:
                return None
            finally:
                process.stop()
    return median(times) if times else None
