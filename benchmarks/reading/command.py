"""The command behind `benchmarks/reader.py`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.frames.make import KINDS, make
from benchmarks.reading import contest, through_cli
from benchmarks.reading.contest import Contestant
from benchmarks.reading.marks import Mark
from benchmarks.reading.pages import Page, have_no_mrz, pages_in, spread
from benchmarks.reading.peers import PEERS, WORKERS, CannotSetUp, set_up
from benchmarks.reading.record import Json, earlier_marks, suite_as_object, write
from benchmarks.reading.table import COLUMNS_SAY, NOT_MEASURED, markdown
from scanner.vision.readers import DEFAULT, READERS

SUITES = ("corpus", *KINDS)


class Unusable(Exception):
    """What was asked for cannot be done; the message is one line."""


def main() -> int:
    arguments = _arguments()
    try:
        if arguments.resume and not arguments.json:
            raise Unusable("--resume needs --json FILE, where the earlier run left its marks")
        return _run_suites(arguments, _contestants(arguments))
    except (ValueError, Unusable) as error:
        print(f"benchmarks/reader.py: {error}", file=sys.stderr)
        return 2


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Score readers on pages with known lines.")
    parser.add_argument("--corpus", type=Path, required=True, help="folder with manifest.csv")
    parser.add_argument(
        "--reader", action="append", help=f"ours: {', '.join(READERS)} (may be given several times)"
    )
    parser.add_argument(
        "--peers", default="all", help=f"{','.join(PEERS)}; all (the default) or none"
    )
    parser.add_argument("--suite", default="corpus", help=f"{','.join(SUITES)} or all")
    parser.add_argument("--through-cli", action="store_true", help="ours by borderpost scan too")
    parser.add_argument("--limit", type=int, help="read N pages only, spread over all")
    parser.add_argument("--peer-limit", type=int, help="let peers read N of them only, likewise")
    parser.add_argument("--mrz-model", type=Path, help="Tesseract model trained on MRZs, for peers")
    parser.add_argument("--frames", type=Path, help="where frames are kept (default: your cache)")
    parser.add_argument("--seed", type=int, default=1, help="of the frames")
    parser.add_argument("--cold-starts", type=int, default=3, help="first readings to time")
    parser.add_argument("--json", type=Path, help="write scores and every page's mark here")
    parser.add_argument("--resume", action="store_true", help="take peers' marks from --json")
    return parser.parse_args()


def _run_suites(arguments: argparse.Namespace, contestants: Sequence[Contestant]) -> int:
    told: list[Json] = []
    whole = True
    for kind in _chosen(arguments.suite, SUITES):
        folder = _folder_of(kind, arguments)
        pages = spread(pages_in(folder), arguments.limit)
        if not pages:
            raise Unusable("no page was read")
        fresh = [_afresh(one, kind, pages, arguments) for one in contestants]
        whole = _contest(pages, fresh, arguments.cold_starts)
        if not any(one.marks for one in fresh):
            why = "; ".join(f"{one.name}: {one.not_run}" for one in fresh if one.not_run)
            raise Unusable(f"no page was read{f': {why}' if why else ''}")
        print(f"## {kind}: {folder}\n\n{markdown(fresh, have_no_mrz(pages))}\n", flush=True)
        told.append(suite_as_object(kind, folder, fresh))
        if arguments.json:
            write(arguments.json, told)
        if not whole:
            break
    print(f"{COLUMNS_SAY}\n{NOT_MEASURED}")
    return 0


def _contest(pages: Sequence[Page], contestants: Sequence[Contestant], cold_starts: int) -> bool:
    """Whether it came to its end."""
    commands = [one for one in contestants if one.name.endswith(through_cli.SUFFIX)]
    try:
        in_turn = [one for one in contestants if one not in commands]
        contest.run(pages, in_turn, show_progress, cold_starts)
        for one in commands:
            through_cli.run(pages, one, show_progress, cold_starts)
    except KeyboardInterrupt:
        print("stopped: the score so far", file=sys.stderr)
        return False
    return True


def _contestants(arguments: argparse.Namespace) -> list[Contestant]:
    """Ours first: the ratios are to the first of them."""
    ours = arguments.reader or [DEFAULT]
    for name in ours:
        if name not in READERS:
            raise Unusable(f"no reader {name!r}; there is {', '.join(READERS)}")
    found = [
        Contestant(name, [sys.executable, str(WORKERS / "ours.py"), name], ours=True)
        for name in ours
    ]
    if arguments.through_cli:
        found += [through_cli.contestant(name) for name in ours]
    names = () if arguments.peers == "none" else _chosen(arguments.peers, tuple(PEERS))
    return found + [_peer(name, arguments) for name in names]


def _peer(name: str, arguments: argparse.Namespace) -> Contestant:
    one = Contestant(f"peer-{name}", [], ours=False, limit=arguments.peer_limit, about=name)
    try:
        one.command, one.model = set_up(PEERS[name], arguments.mrz_model, _say)
    except CannotSetUp as error:
        one.not_run = str(error)
    return one


def _afresh(
    one: Contestant, kind: str, pages: Sequence[Page], arguments: argparse.Namespace
) -> Contestant:
    """The contestant as it was set up, with the marks of an earlier run where they are wanted."""
    fresh = Contestant(
        one.name, one.command, one.ours, one.model, one.limit, one.not_run, one.about
    )
    if arguments.resume:
        wanted = {page.key for page in spread(pages, one.limit)}
        earlier = earlier_marks(arguments.json, kind, one)
        fresh.marks = {key: made for key, made in earlier.items() if key in wanted}
        fresh.from_before = len(fresh.marks)
    return fresh


def _folder_of(kind: str, arguments: argparse.Namespace) -> Path:
    corpus: Path = arguments.corpus
    if kind == "corpus":
        return corpus
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    frames = arguments.frames or cache / "borderpost" / "frames" / corpus.resolve().name
    return make(corpus, frames / f"{kind}-{arguments.seed}", kind, arguments.seed, _say)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _chosen(named: str, known: Sequence[str]) -> list[str]:
    if named == "all":
        return list(known)
    names = named.split(",")
    for name in names:
        if name not in known:
            raise Unusable(f"no {name!r}; there is {', '.join(known)}, or all")
    return names


def show_progress(reader: str, one: Mark, done: int, whole: int) -> None:
    """A line a page on standard error."""
    told = "exact" if one.exact else f"error {one.character_error:.0%}"
    line = f"{reader} {done}/{whole} {one.file}: {one.status}, {told}, {one.ms:.0f} ms"
    print(line, file=sys.stderr, flush=True)
