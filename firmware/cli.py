"""`borderpost`: the commands of the box.

Exit codes: 0 done, 2 wrong usage or configuration, 1 anything else. An error is one clear line on
stderr; a traceback is a bug of ours.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from firmware.choice import (
    DEFAULT_CONFIG,
    AsJson,
    Config,
    ListFolder,
    ListKeys,
    chosen_lists,
    settings_if_any,
)
from firmware.clock import machine_clock
from firmware.drill_cli import drills
from firmware.identity.cli import enrol
from firmware.lists.cli import list_app
from firmware.logs import log_at
from firmware.officers.cli import officers_app
from firmware.overlays import FolderRefused, OverlayFolder
from firmware.record.cli import journal_app
from firmware.scan import scan_all
from firmware.settings import Reader as ReaderSettings
from firmware.settings import load
from firmware.terminal import checked_lines, parsed_lines
from scanner.command_line import Failure, Refusal, run_command
from scanner.examine import Examiner
from scanner.mrz.parse import parse as parse_lines
from scanner.mrz.text import blocks, reading_of
from scanner.report import checked_as_object, parsed_as_object
from scanner.sources.capture import Capture
from scanner.sources.replay import Replay
from scanner.vision.engine import READERS, open_reader
from scanner.vision.reader import ReaderUnavailable

app = typer.Typer(
    help="Reads travel documents and checks them against lists, on the device.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
config_app = typer.Typer(help="The device's configuration.")
app.add_typer(config_app, name="config")
app.add_typer(list_app, name="list")
app.add_typer(journal_app, name="journal")
app.add_typer(officers_app, name="officers")
app.command()(drills)


@app.command()
def scan(
    paths: Annotated[list[Path], typer.Argument(help="Pictures, or folders of them.")],
    as_json: AsJson = False,
    lists: ListFolder = None,
    list_keys: ListKeys = None,
    reader: Annotated[
        str | None, typer.Option("--reader", help=f"One of: {', '.join(READERS)}.")
    ] = None,
    second_opinion: Annotated[
        bool | None,
        typer.Option(
            "--second-opinion/--no-second-opinion",
            help="Ask PassportEye too where the reader is doubtful.",
        ),
    ] = None,
    overlay: Annotated[
        Path | None,
        typer.Option(
            "--overlay",
            help="Draw what was read of each picture into this folder. The drawings show persons.",
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Reads pictures of documents and checks them."""
    settings = settings_if_any(config)
    chosen = settings.reader if settings else ReaderSettings()
    name = reader or chosen.engine
    configured = "none" if chosen.second_opinion == name else chosen.second_opinion
    asked = {None: configured, True: "passporteye", False: "none"}[second_opinion]
    try:
        engine = open_reader(name, asked)
        overlays = OverlayFolder(overlay, paths) if overlay else None
    except (ReaderUnavailable, FolderRefused) as refused:
        raise Refusal(str(refused)) from None
    examiner = Examiner(engine, chosen_lists(lists, list_keys, settings).lists(), machine_clock)
    if not scan_all(Replay(paths), examiner, overlays, as_json):
        raise typer.Exit(1)


@app.command()
def check(
    as_json: AsJson = False,
    lists: ListFolder = None,
    list_keys: ListKeys = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Checks MRZ lines from standard input, one document a block between blank lines."""
    asked = chosen_lists(lists, list_keys, settings_if_any(config)).lists()
    examiner = Examiner(None, asked, machine_clock)
    for number, rows in enumerate(_blocks_on_stdin(), start=1):
        text = reading_of(rows, reader="typed", today=machine_clock().now.date())
        examination = examiner.examine(Capture(source=f"stdin:{number}", text=text))
        if as_json:
            _print_json(checked_as_object(examination))
        else:
            _print_lines(checked_lines(examination))


@app.command()
def parse(as_json: AsJson = False) -> None:
    """Says what MRZ lines from standard input say, one document a block between blank lines."""
    for rows in _blocks_on_stdin():
        parsed = parse_lines(rows, machine_clock().now.date())
        if as_json:
            _print_json(parsed_as_object(parsed))
        else:
            _print_lines(parsed_lines(parsed))


@app.command()
def run(config: Config = DEFAULT_CONFIG) -> None:
    """Runs the desk until SIGTERM."""
    from firmware.box import CannotStart  # noqa: PLC0415  needs the extra `device`
    from firmware.daemon import run_until_told  # noqa: PLC0415
    from firmware.supervisor import GaveUp  # noqa: PLC0415

    settings = load(config)
    log_at(settings.log.level)
    try:
        run_until_told(settings)
    except (CannotStart, GaveUp) as failure:
        raise Failure(str(failure)) from None


app.command()(enrol)


@app.command()
def setup(
    unattended: Annotated[
        bool,
        typer.Option(
            "--unattended", help="Ask nothing: take /boot/firmware/borderpost-setup.toml."
        ),
    ] = False,
    given: Annotated[
        Path | None,
        typer.Option(
            "--from", help="The folder of files from headquarters; else /boot/firmware/borderpost."
        ),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Makes a desk of this device: asks what it cannot see, configures, enrols, fetches lists."""
    from firmware.setup.command import set_up  # noqa: PLC0415  needs the extra `device`
    from firmware.setup.course import Where  # noqa: PLC0415

    set_up(Where(config=config, given=given), unattended=unattended)


@app.command()
def doctor(
    as_json: AsJson = False,
    speed: Annotated[
        bool, typer.Option("--speed", help="Measure reader, lists and outbox on this device.")
    ] = False,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Looks whether the device is well, and says what to do where it is not."""
    from firmware.doctor.command import doctor as look  # noqa: PLC0415  needs the extra `device`

    look(config, as_json=as_json, speed=speed)


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Once through, then a summary.")] = False,
) -> None:
    """Shows the whole product on this machine: specimens, mock lamps, a broker, headquarters."""
    from firmware.demo.show import DemoFailed, show  # noqa: PLC0415  needs the extra `demo`

    try:
        complete = show(once=once)
    except DemoFailed as failure:
        raise Failure(str(failure)) from None
    if not complete:
        raise typer.Exit(1)


@config_app.command("check")
def config_check(
    file: Annotated[Path, typer.Argument(help="The configuration file.")] = DEFAULT_CONFIG,
) -> None:
    """Reports every error of a configuration file at once."""
    load(file)
    typer.echo(f"{file}: in order")


def main() -> None:
    """The way in: turns every error into one line and an exit code."""
    sys.exit(run_command(app, "borderpost"))


def _blocks_on_stdin() -> Iterator[list[str]]:
    if sys.stdin is None:
        raise Refusal("standard input is closed; give the lines of an MRZ there")
    yield from blocks(sys.stdin.buffer.read())


def _print_json(value: object) -> None:
    print(json.dumps(value), flush=True)


def _print_lines(lines: Iterator[str]) -> None:
    for line in lines:
        print(line, flush=True)


if __name__ == "__main__":
    main()
