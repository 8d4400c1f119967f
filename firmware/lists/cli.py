"""`borderpost list`: how the device's lists stand, whether they are whole, and the way back to the
version before.

`status` and `verify` end with exit code 1 where a list is not in order.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from firmware.choice import ListChoice, chosen_lists, configured_clock, settings_if_any
from firmware.clock import machine_clock
from firmware.idle import stand_back
from firmware.lists import status as list_status
from firmware.lists import verify as list_verify
from firmware.lists.verify import Course, Verification, names_in
from firmware.options import DEFAULT_CONFIG, AsJson, Config, ListFolder, ListKeys
from firmware.settings import Settings
from scanner.command_line import Failure, Refusal
from scanner.watchlist.activation import Busy, NoPrevious, alone, rolled_back
from scanner.watchlist.age import ClockReading, age_of, span
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.keyring import KeyMissing
from scanner.watchlist.manifest import NAME, PREVIOUS, Manifest, manifest_path, read_manifest
from scanner.watchlist.parts import parts_in
from scanner.watchlist.scrub import Pace, Scrub

list_app = typer.Typer(help="The device's lists: how they stand, whether they are whole.")


@list_app.command()
def status(
    as_json: AsJson = False,
    lists: ListFolder = None,
    list_keys: ListKeys = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Says how each list stands: version, age, records, health, and how well its key is kept."""
    settings = settings_if_any(config)
    chosen, folder = _lists(lists, list_keys, settings)
    in_order = True
    for one in list_status.standings(chosen.lists(), folder, chosen.keys, _clock(settings)):
        in_order = in_order and one.in_order
        _tell(list_status.as_object(one), list_status.lines(one), as_json)
    if not in_order:
        raise typer.Exit(1)


@list_app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One list; else every list.")] = None,
    as_json: AsJson = False,
    lists: ListFolder = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Reads every page of every list against its digest, and stands back for the desk meanwhile."""
    _, folder = _lists(lists, None, settings_if_any(config))
    names = (_checked(name),) if name else names_in(folder)
    if not names:
        raise Failure(f"{folder} holds no list; build or fetch one")
    stand_back()
    whole = True
    with _told_when_interrupted() as course:
        for one in Verification(folder, names, Pace().rest, course).run():
            course.make_room()
            whole = whole and not one.damage and not one.replaced
            _tell(list_verify.as_object(one), list_verify.lines(one), as_json)
    if not whole:
        raise typer.Exit(1)


@list_app.command()
def rollback(
    name: Annotated[str, typer.Argument(help="The list.")],
    lists: ListFolder = None,
    list_keys: ListKeys = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Puts a list's previous version in force again, once it has been read whole."""
    settings = settings_if_any(config)
    chosen, folder = _lists(lists, list_keys, settings)
    previous = _previous(folder, _checked(name))
    try:
        chosen.keys.key(name, previous.key_id)
        with alone(folder, name):
            now = _version_in_force(folder, name)
            _read_whole(folder, previous)
            if _previous(folder, name) != previous:
                raise Failure(f"{folder}: list {name} was changed meanwhile; try again")
            restored = rolled_back(folder, name)
    except (Busy, NoPrevious, KeyMissing) as refused:
        raise Failure(f"nothing was changed: {refused}") from None
    age = age_of(restored.as_of, _clock(settings))
    print(
        f"{name}: {now} was in force; version {restored.version} is now, right as of "
        f"{list_status.moment(restored.as_of)}, {span(age.seconds)} old; the other is kept as the "
        "previous one"
    )


@list_app.command("update")
def update(
    as_json: AsJson = False,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="A folder with the repository, as on a USB stick."),
    ] = None,
    config: Config = DEFAULT_CONFIG,
) -> None:
    """Fetches what is published for this device's ring, once; the desk goes on meanwhile."""
    from firmware.lists.update import list_update  # noqa: PLC0415  loads what speaks to servers

    list_update(config, source, as_json=as_json)


def _lists(
    folder: Path | None, keys: Path | None, settings: Settings | None
) -> tuple[ListChoice, Path]:
    chosen = chosen_lists(folder, keys, settings)
    if chosen.folder is None:
        raise Refusal(f"no folder of lists: there is no {DEFAULT_CONFIG}; give --lists FOLDER")
    return chosen, chosen.folder


def _clock(settings: Settings | None) -> ClockReading:
    return machine_clock() if settings is None else configured_clock(settings).reading()


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise Refusal(
            "a list's name has small letters, digits, hyphens and underscores, and begins with a "
            "letter or digit"
        )
    return name


def _previous(folder: Path, name: str) -> Manifest:
    try:
        return read_manifest(folder, name, PREVIOUS)
    except FileNotFoundError:
        path = manifest_path(folder, name, PREVIOUS)
        raise Failure(f"{path} is not there: list {name} has no previous version") from None
    except ListDamaged as damage:
        raise Failure(f"list {name} has no whole previous version: {damage}") from None


def _version_in_force(folder: Path, name: str) -> str:
    try:
        return f"version {read_manifest(folder, name).version}"
    except FileNotFoundError:
        return "no version"
    except ListDamaged:
        return "a version whose manifest is damaged"


def _read_whole(folder: Path, manifest: Manifest) -> None:
    """Reads a version, without resting. Raises Failure where it is not whole."""
    parts = parts_in(folder, manifest)
    with _told_when_interrupted() as course:
        course.begin(sum(part.size() for part in parts))
        for part in parts:
            scrub = Scrub(part, rest=lambda: None)
            for size in scrub.run():
                course.read(size)
            if scrub.damage:
                raise Failure(
                    f"nothing was changed: version {manifest.version} of list {manifest.name} is "
                    f"not whole: {scrub.damage[0]}"
                )


@contextmanager
def _told_when_interrupted() -> Iterator[Course]:
    """Raises Failure on Ctrl-C."""
    course = Course(sys.stderr)
    try:
        yield course
    except KeyboardInterrupt:
        course.make_room()
        raise Failure(f"interrupted: {course.told()}") from None
    finally:
        course.make_room()


def _tell(said: dict[str, object], lines: Iterator[str], as_json: bool) -> None:
    for line in (json.dumps(said),) if as_json else lines:
        print(line, flush=True)
