"""`borderpost-central lists publish` and `renew`: what devices are to have."""

import csv
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from central.course import Course
from central.lists.hint_cli import hint_after
from central.lists.keys import key_of
from central.lists.publish_keys_cli import one_line, signer_of
from central.lists.publish_parts import (
    Config,
    Name,
    OnlineKey,
    Repository,
    SignWith,
    check_ring,
    now_utc,
    one_line_each,
    publisher_of,
    told,
)
from central.publishing.repository import RepositoryFolder
from central.publishing.steps import Wish
from scanner.command_line import Refusal
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.publication import Canary


def publish(
    folder: Repository,
    lists: Annotated[Path, typer.Argument(help="The folder of lists that it was built in.")],
    name: Name,
    sign_with: SignWith,
    online_key: OnlineKey,
    ring: Annotated[str, typer.Option(help="The ring that gets it first.")] = "all",
    canaries: Annotated[
        Path | None, typer.Option(help="A CSV file: issuer,number,kind,listed (yes or no).")
    ] = None,
    base: Annotated[bool, typer.Option("--base", help="Fold a new base now.")] = False,
    afresh: Annotated[
        int,
        typer.Option(
            min=0,
            help="After a loss: publish it whole, and count all versions on by so many (100).",
        ),
    ] = 0,
    key: Annotated[Path | None, typer.Option("--key", help="The list's key file.")] = None,
    config: Config = None,
) -> None:
    """Publishes what was built last: the day's delta, or a base when one is due."""
    check_ring(ring)
    known = _canaries(canaries) if canaries else ()
    with Course() as course, one_line_each():
        manifest = read_manifest(lists, name)
        wish = Wish(lists, name, ring, key_of(manifest, lists, key), known, base, afresh)
        publisher = publisher_of(folder, sign_with, online_key, course)
        publication = publisher.publish(wish, now_utc())
    print(told(publication))
    hint_after(config, publication)


def renew(folder: Repository, online_key: OnlineKey) -> None:
    """Signs snapshot and timestamp anew, so that devices know that there is nothing newer. For a
    timer; nothing else needs to be online."""
    with one_line():
        repository = RepositoryFolder(folder)
        repository.publish(signer_of(online_key), now_utc())
        ends = repository.of("timestamp").signed.expires
    print(f"{folder}: signed anew, until {ends:%Y-%m-%d %H:%M} UTC")


def _canaries(path: Path) -> tuple[Canary, ...]:
    try:
        with path.open(newline="") as file:
            rows = list(csv.DictReader(file))
        return tuple(
            Canary.model_validate(
                {**row, "listed": {"yes": True, "no": False}.get(row.get("listed") or "")},
                strict=False,
            )
            for row in rows
        )
    except OSError as error:
        raise Refusal(f"{path}: {error.strerror}") from None
    except (ValidationError, csv.Error, UnicodeDecodeError):
        raise Refusal(
            f"{path}: this is no file of canaries; it has the columns issuer,number,kind,listed, "
            "and listed is yes or no"
        ) from None
