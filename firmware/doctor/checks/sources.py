"""Sources of documents that are files, and what the running desk says of those that are devices."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.desk_says import DeskSays
from firmware.doctor.finding import Finding, State, fail, of_message, ok, skipped
from firmware.settings import FolderSource
from scanner.said import said
from scanner.sources.replay import Replay


def check(context: Context) -> Iterator[Finding]:
    folders = [one for one in context.settings.sources if isinstance(one, FolderSource)]
    if not folders:
        yield skipped(said("no folder of pictures is configured"))
    for folder in folders:
        if not folder.path.is_dir():
            yield fail(
                said("{name}: {path} is no folder", name=folder.name, path=folder.path),
                said("make it, or correct the path under [[sources]]"),
            )
            continue
        files = Replay([folder.path]).files()
        yield ok(
            said(
                "{name}: {path}, {files} files to read",
                name=folder.name,
                path=folder.path,
                files=files,
            )
        )


def as_the_desk_says(desk: DeskSays, name: str) -> Finding:
    """A device that the running desk holds."""
    says = desk.source(name)
    if says is None:
        return fail(
            said("{name}: the running desk knows no such source", name=name),
            said("restart the desk: its configuration has changed since it began"),
        )
    if says.ok:
        well = said("{name}: the running desk holds it, and it is well", name=name)
        if says.message:
            well = said("{told} ({message})", told=well, message=says.message)
        return ok(well)
    return of_message(State.FAIL, f"{name}: the running desk says: {says.message}", _LOG)


def naming_those_here(context: Context, message: str, pattern: str) -> str:
    """The message, with the devices that are here by names that stay, before what to do."""
    there = context.kernel.there(pattern)
    here = f" (here are: {', '.join(f'/{one}' for one in there)})" if there else ""
    what, semicolon, fix = message.rpartition("; ")
    return f"{what}{here}{semicolon}{fix}" if semicolon else f"{message}{here}"


_LOG = said("look at the desk's log (`journalctl -u borderpost`)")
