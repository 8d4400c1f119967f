"""`borderpost-central backup` and `restore`: headquarters as one file, and back."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from central.enrolment.trail import note_by_command
from central.opening import DEFAULT_CONFIG
from central.settings import load
from scanner.command_line import Failure, Refusal

if TYPE_CHECKING:  # needs the extra `central`
    from central.backup.form import Contents
    from central.backup.restore import Restored

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]
_PIPE = Path("-")


def backup(
    out: Annotated[
        Path, typer.Argument(help="A new file, a folder for one with a name of its own, or -.")
    ],
    keep: Annotated[
        int | None,
        typer.Option(min=1, help="Of such files in the folder, keep so many of the newest."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Copies store, keys and configuration into one file, while everything goes on working. It
    holds every key: keep it as you keep those, or encrypt it on its way."""
    from central.backup import make  # noqa: PLC0415  needs the extra `central`

    if keep is not None and not out.is_dir():
        raise Refusal("--keep goes with a folder")
    settings = load(config)
    with _one_line():
        if out == _PIPE:
            print(_told(make.make(config, settings, sys.stdout.buffer)), file=sys.stderr)
            note_by_command(None, config, "backup made", "standard output")
            return
        path, contents = make.make_file(config, settings, out)
        gone = make.forget_old(out, keep) if keep is not None else []
    print(f"{path}: {_told(contents)}")
    for old in gone:
        print(f"{old}: removed")
    note_by_command(None, config, "backup made", path.name)


def restore(
    file: Annotated[Path, typer.Argument(help="The backup, or - for standard input.")],
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether it is whole and can be used.")
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="configuration, keys, files, brokers or store; several."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Brings a backup back to where the configuration says, or to where it was where there is no
    configuration yet. Writes over nothing."""
    from central.backup import restore as restoring  # noqa: PLC0415  needs the extra `central`
    from central.backup.form import Part  # noqa: PLC0415

    try:
        parts = frozenset(Part(word) for word in only) if only else restoring.EVERY_PART
    except ValueError:
        raise Refusal(f"--only is one of {', '.join(Part)}") from None
    with _one_line(), _opened(file) as opened, restoring.unpacked(opened) as unpacked:
        print(f"{file}: {_told(unpacked.contents)}")
        if check:
            for line in restoring.check(unpacked):
                print(line)
            return
        restored = restoring.restore(unpacked, config, parts)
    _tell(restored, unpacked.contents)
    note_by_command(None, config, "restored from a backup", unpacked.contents.made_at)


def _tell(restored: "Restored", contents: "Contents") -> None:
    for name in restored.without_place:
        print(f"{name}: this machine's configuration names no place for it; left out")
    for path in restored.staying:
        print(f"{path}: was there, and stays as it is")
    store = f", and the store (alerts: {restored.store.alerts})" if restored.store else ""
    print(f"brought back: {restored.files} files{store}")
    print(
        f"this is how it was at {contents.made_at}. Do again what was done since then: "
        "enrolments, revocations, changes of keys, users, answers"
    )


def _told(contents: "Contents") -> str:
    devices = sum(name.startswith("keys/devices/") for name in contents.members)
    age = datetime.now(UTC) - datetime.fromisoformat(contents.made_at)
    store = contents.store
    return (
        f"made at {contents.made_at} ({age.total_seconds() / 3600:.1f} h ago): {store.kind} with "
        f"{store.alerts} alerts, {devices} devices, {len(contents.members)} files"
    )


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == _PIPE:
        yield sys.stdin.buffer
        return
    with file.open("rb") as opened:
        yield opened


@contextmanager
def _one_line() -> Iterator[None]:
    """Ends the command with what the store refused."""
    from central.store.database import StoreFault  # noqa: PLC0415  needs the extra `central`

    try:
        yield
    except StoreFault as fault:
        raise Failure(str(fault)) from None
