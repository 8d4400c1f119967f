"""`borderpost-central lists`: builds lists of documents, says what is in them, and makes what
brings a device from one version to the next."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from central.course import Course, time_left
from central.lists import contents as list_inspect
from central.lists.keys import KeyRefused, key_for, key_of, new_key_for
from scanner.command_line import Failure, Refusal
from scanner.commands import Commands, Table
from scanner.watchlist.activation import Busy
from scanner.watchlist.build import BuildRefused, Built, Problem, Progress, build_list
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.delta import NoDelta, make_delta, ranges_of
from scanner.watchlist.delta_apply import apply_delta
from scanner.watchlist.delta_header import DeltaRefused
from scanner.watchlist.fold import FoldRefused, fold
from scanner.watchlist.manifest import IN_FORCE, PREVIOUS, Manifest, read_manifest
from scanner.watchlist.source import SourceUnusable, check_source
from scanner.watchlist.version import open_version


class ListCommands(Commands):
    """Those of publishing, beside the list engine's own below."""

    table: ClassVar[Table] = {
        "publish": (
            "central.lists.publish_cli:publish",
            "Publishes what was built last: the day's delta, or a base when one is due.",
        ),
        "open": (
            "central.lists.rings_cli:open_ring",
            "Opens a publication to the next ring, unless devices that have it report errors.",
        ),
        "hint": (
            "central.lists.hint_cli:hint",
            "Wakes the devices: says again to each ring what is published for it.",
        ),
        "renew": (
            "central.lists.publish_cli:renew",
            "Signs snapshot and timestamp anew, so that devices know that there is nothing newer.",
        ),
        "status": (
            "central.lists.rings_cli:status",
            "Says what each ring's devices are to have of each list, and how they fare with it.",
        ),
        "keys": (
            "central.lists.publish_keys_cli:keys_app",
            "Who may sign lists: keys, drafts, signatures.",
        ),
    }


lists_app = typer.Typer(cls=ListCommands, help="The lists of documents.")

Key = Annotated[
    Path | None,
    typer.Option("--key", help="The list's key file; else the one in your own folder of keys."),
]
Folder = Annotated[Path, typer.Argument(help="The folder of lists.")]
OneOf = Annotated[
    str | None, typer.Option("--name", help="The list, where the folder has several.")
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
    past: Annotated[
        int, typer.Option(min=0, help="After a loss: a version above this one, which devices have.")
    ] = 0,
) -> None:
    """Builds a list from its source; every bad row is reported, and stops it unless skipped. A
    build that was interrupted goes on when the same command is given again."""
    name = name or source.stem.lower()
    moment = _moment(as_of)
    kept = 0
    with Course() as course:

        def report(problem: Problem) -> None:
            course.make_room()
            print(f"{source}: line {problem.line}: {problem.reason}", file=sys.stderr)

        def progress(now: Progress) -> None:
            nonlocal kept
            kept = now.kept
            left = time_left(now.left_s)
            course.show(f"{now.stage}: {now.share:.0%}, {now.rows:,} rows{left}")

        def resumed(rows: int) -> None:
            print(
                f"going on after row {rows:,} of an interrupted build; what was wrong before is "
                "told again",
                flush=True,
            )

        try:
            with _one_line():
                check_source(source)
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
                    past=past,
                    report=report,
                    progress=progress,
                    resumed=resumed,
                )
        except KeyboardInterrupt:
            raise Failure(
                f"interrupted; list {name} is as it was, and the same command goes on "
                f"{f'after row {kept}' if kept else 'from the beginning'}"
            ) from None
    print(_told(built, out))


@lists_app.command("new-key")
def lists_new_key(
    name: Annotated[str, typer.Argument(help="The list's name.")], key: Key = None
) -> None:
    """Makes a new key for a list; the one in force stays beside it. The next build is under the
    new one: bring the file to every desk first."""
    with _one_line():
        path, made = new_key_for(name, key)
    print(f"{path}: made key {made.id} for list {name}; bring this file to its desks, then build")


@lists_app.command("inspect")
def lists_inspect(
    lists: Folder,
    name: Annotated[str | None, typer.Argument(help="One list; else every list.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Says what lies in a folder of lists: versions, records, sizes, keys, roots, ages, and whether
    it is all there. Ends with exit code 1 where it is not."""
    names = [name] if name else list_inspect.names_in(lists)
    seen = [one for each in names for one in list_inspect.versions_in(lists, each, _now())]
    if not seen:
        raise Failure(f"{lists} holds no {f'list {name}' if name else 'list'}")
    if as_json:
        print(json.dumps([list_inspect.as_object(one) for one in seen]))
    else:
        for one in seen:
            print("\n".join(list_inspect.lines(one)))
    if any(one.fault for one in seen):
        raise typer.Exit(1)


@lists_app.command("diff")
def lists_diff(
    old: Annotated[Path, typer.Argument(help="The folder of lists that has the old version.")],
    new: Annotated[
        Path, typer.Argument(help="The folder that has the new one; may be the same folder.")
    ],
    out: Annotated[Path, typer.Argument(help="The file to write the delta into.")],
    name: OneOf = None,
    key: Key = None,
) -> None:
    """Makes the delta from the version in force in one folder to that in another; where both are
    one folder, from its previous version to the one in force."""
    same = old.resolve() == new.resolve()
    chosen = name or _only_list(new)
    with Course() as course, _one_line(), ExitStack() as stack:
        before = _manifest(old, chosen, PREVIOUS if same else IN_FORCE)
        after = _manifest(new, chosen, IN_FORCE)
        from_version, to_version = (
            stack.enter_context(closing(open_version(lists, one, key_of(one, lists, key))))
            for lists, one in ((old, before), (new, after))
        )
        ranges = ranges_of(new, to_version)
        made = make_delta(from_version, to_version, ranges, out, course.show_records)
    header = made.header
    print(
        f"{out}: {made.size:,} bytes, list {chosen} from version {header.from_version} to "
        f"{header.to_version}: {header.additions:,} records added, {header.removals:,} removed, "
        f"{'new ranges' if header.ranges_bytes else 'the same ranges'}; from root "
        f"{header.from_root} to root {header.to_root}"
    )


@lists_app.command("apply")
def lists_apply(
    delta: Annotated[Path, typer.Argument(help="The delta's file.")],
    lists: Folder,
    name: OneOf = None,
    key: Key = None,
) -> None:
    """Brings a list to the version that a delta leads to, as a device does. The next day's delta
    starts from what this comes to."""
    chosen = name or _only_list(lists)
    with _one_line():
        before = _manifest(lists, chosen, IN_FORCE)
        after = apply_delta(lists, chosen, delta, key_of(before, lists, key))
    print(
        f"{lists}: list {chosen} version {after.version} is in force: {after.records} records, "
        f"root {after.root()}"
    )


@lists_app.command("fold")
def lists_fold(
    lists: Folder,
    name: OneOf = None,
    key: Key = None,
    root: Annotated[
        str | None, typer.Option(help="The root that the folded version must have.")
    ] = None,
) -> None:
    """Makes one base of a version's base and what changed since, and puts that in force."""
    chosen = name or _only_list(lists)
    with Course() as course, _one_line():
        before = _manifest(lists, chosen, IN_FORCE)
        folded = fold(
            lists,
            chosen,
            key_of(before, lists, key),
            expected_root=root,
            progress=course.show_records,
        )
    if before.overlay is None:
        print(f"{lists}: list {chosen} version {folded.version} has no overlay to fold")
    else:
        print(
            f"{lists}: list {chosen} version {folded.version} is folded: {folded.records} records, "
            f"root {folded.root()}"
        )


_REFUSALS = (
    *(BuildRefused, SourceUnusable, KeyRefused, ListDamaged, NoDelta, DeltaRefused, FoldRefused),
    Busy,
)


@contextmanager
def _one_line() -> Iterator[None]:
    """Ends the command with what a part of the list engine refuses."""
    try:
        yield
    except _REFUSALS as refusal:
        raise Failure(str(refusal)) from None


def _told(built: Built, out: Path) -> str:
    manifest = built.manifest
    resumed = f"; resumed after row {built.resumed_at}" if built.resumed_at else ""
    return (
        f"{out}: list {manifest.name} version {manifest.version}, {manifest.records} records and "
        f"{manifest.ranges} ranges under key {manifest.key_id}; {built.bad_rows} bad rows, "
        f"{built.superseded} replaced{resumed}"
    )


def _only_list(lists: Path) -> str:
    names = list_inspect.names_in(lists)
    if not names:
        raise Failure(f"{lists} holds no list")
    if names[1:]:
        raise Refusal(f"{lists} has several lists; say which with --name: {', '.join(names)}")
    return names[0]


def _manifest(lists: Path, name: str, suffix: str) -> Manifest:
    try:
        return read_manifest(lists, name, suffix)
    except FileNotFoundError:
        which = "previous version of list" if suffix == PREVIOUS else "list"
        raise Failure(f"{lists} has no {which} {name}") from None


def _moment(text: str | None) -> datetime:
    if text is None:
        return _now()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Refusal(f"{text!r} is no time; it looks like 2026-11-23T04:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _now() -> datetime:
    return datetime.now(UTC)
