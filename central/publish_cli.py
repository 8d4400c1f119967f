"""`borderpost-central lists publish`, `open`, `renew` and `status`: what devices are to have."""

import csv
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from central.course import Course
from central.list_keys import KeyRefused, key_of
from central.publish_keys_cli import one_line, signer_of
from central.publishing.publish import Publisher, PublishRefused, Wish, published_in
from central.publishing.published import HistoryDamaged
from central.publishing.repository import RepositoryFolder
from scanner.command_line import Failure, Refusal
from scanner.watchlist.activation import Busy
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.manifest import read_manifest
from scanner.watchlist.publication import (
    RING,
    Canary,
    Publication,
    PublicationUnusable,
)

Repository = Annotated[Path, typer.Argument(help="The repository's folder.")]
Name = Annotated[str, typer.Argument(help="The list.")]
SignWith = Annotated[
    list[Path], typer.Option("--sign-with", help="A private key of the list's; several.")
]
OnlineKey = Annotated[Path, typer.Option("--online-key", help="Snapshot's and timestamp's key.")]
_SHOWN = 16


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
    key: Annotated[Path | None, typer.Option("--key", help="The list's key file.")] = None,
) -> None:
    """Publishes what was built last: the day's delta, or a base when one is due."""
    _checked(ring)
    known = _canaries(canaries) if canaries else ()
    with Course() as course, _one_line():
        manifest = read_manifest(lists, name)
        wish = Wish(lists, name, ring, key_of(manifest, lists, key), known, base)
        publisher = _publisher(folder, sign_with, online_key, course)
        publication = publisher.publish(wish, _now())
    print(_told(publication))


def open_ring(
    folder: Repository,
    name: Name,
    ring: Annotated[str, typer.Argument(help="The ring to open it to.")],
    after: Annotated[str, typer.Option(help="The ring that has it already.")],
    sign_with: SignWith,
    online_key: OnlineKey,
) -> None:
    """Opens a publication to the next ring."""
    _checked(ring)
    with Course() as course, _one_line():
        publisher = _publisher(folder, sign_with, online_key, course)
        publication = publisher.open_ring(name, ring, after, _now())
    print(_told(publication))


def renew(folder: Repository, online_key: OnlineKey) -> None:
    """Signs snapshot and timestamp anew, so that devices know that there is nothing newer. For a
    timer; nothing else needs to be online."""
    with one_line():
        repository = RepositoryFolder(folder)
        repository.publish(signer_of(online_key), _now())
        ends = repository.of("timestamp").signed.expires
    print(f"{folder}: signed anew, until {ends:%Y-%m-%d %H:%M} UTC")


def status(
    folder: Repository, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """Says what each ring's devices are to have of each list."""
    with _one_line():
        found = list(published_in(RepositoryFolder(folder)))
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found]))
        return
    for one in found:
        print(_told(one))
    if not found:
        raise Failure(f"{folder}: nothing is published yet")


def _told(one: Publication) -> str:
    deltas = sum(1 for step in one.steps if step.path)
    return (
        f"list {one.name}, ring {one.ring}: version {one.version}, {one.root[:_SHOWN]}, right as "
        f"of {one.as_of:%Y-%m-%d %H:%M} UTC; {deltas} deltas, whole from version "
        f"{one.whole.version} ({one.whole.bytes:,} bytes)"
    )


def _publisher(folder: Path, keys: Sequence[Path], online: Path, course: Course) -> Publisher:
    signers = [signer_of(path) for path in keys]
    return Publisher(RepositoryFolder(folder), signers, signer_of(online), course.show_records)


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


def _checked(ring: str) -> None:
    if not RING.fullmatch(ring):
        raise Refusal("a ring has letters, digits, '.', '_' and '-', at most 63")


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        with one_line():
            yield
    except (PublishRefused, HistoryDamaged, ListDamaged, Busy, KeyRefused) as refused:
        raise Failure(str(refused)) from None
    except PublicationUnusable as unusable:
        raise Failure(f"{unusable}; publish the list anew") from None
    except FileNotFoundError as missing:
        raise Failure(f"{missing.filename}: there is no such file; build the list first") from None


def _now() -> datetime:
    return datetime.now(UTC)
