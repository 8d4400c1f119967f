"""`borderpost-central lists`: builds the lists of documents, and says what is in them."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from central.list_keys import KeyRefused, key_for, new_key_for
from scanner.command_line import Failure, Refusal
from scanner.watchlist.build import BuildRefused, Built, Problem, Progress, build_list
from scanner.watchlist.source import SourceUnusable

lists_app = typer.Typer(help="The lists of documents.")

Key = Annotated[
    Path | None,
    typer.Option("--key", help="The list's key file; else the one in your own folder of keys."),
]


@lists_app.command("build")
def lists_build(
    source: Annotated[Path, typer.Argument(help="The list's source, a CSV file.")],
    out: Annotated[Path, typer.Argument(help="The folder of lists to build into.")],
    key: Key = None,
    name: Annotated[
        str | None, typer.Option(help="The list's name; else the source's file name.")
    ] = None,
    as_of: Annotated[
        str | None,
        typer.Option(help="Until when the source is right, as 2026-11-23T04:00:00Z; else now."),
    ] = None,
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Build without the rows that are bad.")
    ] = False,
) -> None:
    """Builds a list from its source; every bad row is reported, and stops it unless skipped. A
    build that was interrupted goes on when the same command is given again."""
    name = name or source.stem.lower()
    moment = _moment(as_of)
    course = _Course()

    def report(problem: Problem) -> None:
        course.make_room()
        print(f"{source}: line {problem.line}: {problem.reason}", file=sys.stderr)

    try:
        chosen = key_for(name, out, key)
        for line in chosen.said:
            print(line, flush=True)
        built = build_list(
            source,
            out,
            name,
            key=chosen.key,
            as_of=moment,
            skip_bad_rows=skip_bad_rows,
            report=report,
            progress=course.show,
        )
    except (BuildRefused, SourceUnusable, KeyRefused) as refusal:
        raise Failure(str(refusal)) from None
    except KeyboardInterrupt:
        raise Failure(
            f"interrupted; list {name} is as it was, and the same command goes on "
            f"{f'after row {course.kept}' if course.kept else 'from the beginning'}"
        ) from None
    finally:
        course.make_room()
    print(_told(built, out))


@lists_app.command("new-key")
def lists_new_key(
    name: Annotated[str, typer.Argument(help="The list's name.")], key: Key = None
) -> None:
    """Makes a new key for a list; the one in force stays beside it. The next build is under the
    new one: bring the file to every desk first."""
    try:
        path, made = new_key_for(name, key)
    except KeyRefused as refusal:
        raise Failure(str(refusal)) from None
    print(f"{path}: made key {made.id} for list {name}; bring this file to its desks, then build")


def _told(built: Built, out: Path) -> str:
    manifest = built.manifest
    resumed = f"; resumed after row {built.resumed_at}" if built.resumed_at else ""
    return (
        f"{out}: list {manifest.name} version {manifest.version}, {manifest.records} records and "
        f"{manifest.ranges} ranges under key {manifest.key_id}; {built.bad_rows} bad rows, "
        f"{built.superseded} replaced{resumed}"
    )


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{text!r} is no time; it looks like 2026-11-23T04:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Course:
    """How far a build is, on one line of a terminal."""

    def __init__(self) -> None:
        self._shown = 0
        self.kept = 0

    def show(self, progress: Progress) -> None:
        self.kept = progress.kept
        if not sys.stderr.isatty():
            return
        left = "" if progress.left_s is None else f", {_minutes(progress.left_s)} left"
        line = f"{progress.stage}: {progress.share:.0%}, {progress.rows} rows{left}"
        print(f"\r{line:<{self._shown}}", end="", file=sys.stderr, flush=True)
        self._shown = len(line)

    def make_room(self) -> None:
        """Leaves the line to what is told next."""
        if self._shown:
            print(f"\r{'':<{self._shown}}\r", end="", file=sys.stderr, flush=True)
            self._shown = 0


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{max(1, seconds):.0f} s"
