"""`borderpost scan`: pictures against the lists."""

from pathlib import Path
from typing import Annotated

import typer

from firmware.choice import chosen_lists, settings_if_any
from firmware.clock import machine_clock
from firmware.options import DEFAULT_CONFIG, AsJson, Config, ListFolder, ListKeys
from firmware.overlays import FolderRefused, OverlayFolder
from firmware.scan import scan_all
from firmware.settings import Reader as ReaderSettings
from scanner.command_line import Refusal
from scanner.examine import Examiner
from scanner.sources.replay import Replay
from scanner.vision.engine import open_reader
from scanner.vision.reader import ReaderUnavailable
from scanner.vision.readers import READERS


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
