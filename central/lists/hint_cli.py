"""`borderpost-central lists hint`: wakes the devices of a ring."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from central.lists.publish_parts import Config, Repository, chosen_config, one_line_each
from central.opening import open_store
from central.publishing.repository import RepositoryFolder
from central.publishing.targets import published_in
from central.settings import load
from scanner.command_line import Failure, Refusal
from scanner.watchlist.publication import Publication


def hint(
    folder: Repository,
    ring: Annotated[str | None, typer.Option(help="One ring; else every one.")] = None,
    config: Config = None,
) -> None:
    """Wakes the devices: says again to each ring what is published for it."""
    chosen = chosen_config(config)
    if chosen is None:
        raise Refusal("central's key and broker are in its configuration: give --config")
    with one_line_each():
        found = list(published_in(RepositoryFolder(folder)))
    rings = [ring] if ring else sorted({one.ring for one in found})
    for each in rings:
        lists = [one for one in found if one.ring == each]
        if not lists:
            raise Failure(f"{folder}: nothing is published for ring {each}")
        if why := _hint(chosen, each, lists):
            raise Failure(why)
        print(f"ring {each} is told of {_what(lists)}")


def hint_after(config: Path | None, publication: Publication) -> None:
    """Wakes the devices that a publication was just opened to. It stands whether or not."""
    chosen = chosen_config(config)
    why = "no configuration of central's is here" if chosen is None else None
    if why is None and chosen is not None:
        why = _hint(chosen, publication.ring, [publication])
    if why is None:
        print(f"ring {publication.ring} is told of {_what([publication])}")
    else:
        print(
            f"published, and ring {publication.ring} is not told: {why}; its devices look by "
            "themselves now and then, or: borderpost-central lists hint",
            file=sys.stderr,
        )


def _hint(config: Path, ring: str, lists: Sequence[Publication]) -> str | None:
    """Says to a ring what is published for it; why that was not done, or None."""
    try:
        from central.lists import hints  # noqa: PLC0415  needs the extra `central`
        from central.receiving.inflow import LinkDown  # noqa: PLC0415
        from scanner.alert import KeyFault  # noqa: PLC0415
    except ModuleNotFoundError:
        return "this machine has no connection to the devices' broker (the extra central)"
    settings = load(config)
    try:
        with open_store(settings) as store:
            hints.say(settings, store, ring, _what(lists))
    except (LinkDown, KeyFault, Failure) as fault:
        return str(fault)
    return None


def _what(lists: Sequence[Publication]) -> str:
    return ", ".join(f"{one.name} {one.number}" for one in lists)
