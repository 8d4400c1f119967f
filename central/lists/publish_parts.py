"""What the commands that publish lists share: their options, and how they end."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from central.course import Course
from central.lists.keys import KeyRefused
from central.lists.publish_keys_cli import one_line, signer_of
from central.opening import DEFAULT_CONFIG
from central.publishing.publish import Publisher
from central.publishing.published import HistoryDamaged
from central.publishing.repository import RepositoryFolder
from central.publishing.steps import PublishRefused
from scanner.command_line import Failure, Refusal
from scanner.watchlist.activation import Busy
from scanner.watchlist.contract import ListDamaged
from scanner.watchlist.publication import RING, Publication, PublicationUnusable

Repository = Annotated[Path, typer.Argument(help="The repository's folder.")]
Name = Annotated[str, typer.Argument(help="The list.")]
SignWith = Annotated[
    list[Path], typer.Option("--sign-with", help="A private key of the list's; several.")
]
OnlineKey = Annotated[Path, typer.Option("--online-key", help="Snapshot's and timestamp's key.")]
Config = Annotated[
    Path | None,
    typer.Option("--config", help="Central's configuration; else this machine's, if it has one."),
]
_SHOWN = 16


def chosen_config(config: Path | None) -> Path | None:
    """The configuration that was given, else this machine's, else None."""
    return config or (DEFAULT_CONFIG if DEFAULT_CONFIG.exists() else None)


def told(one: Publication) -> str:
    """What is published for a ring, in one line."""
    deltas = sum(1 for step in one.steps if step.path)
    return (
        f"list {one.name}, ring {one.ring}: version {one.version}, {one.root[:_SHOWN]}, "
        f"publication {one.number}, right as of {one.as_of:%Y-%m-%d %H:%M} UTC; {deltas} deltas, "
        f"whole from version {one.whole.version} ({one.whole.bytes:,} bytes)"
    )


def publisher_of(folder: Path, keys: Sequence[Path], online: Path, course: Course) -> Publisher:
    """Whoever publishes with these keys."""
    signers = [signer_of(path) for path in keys]
    return Publisher(RepositoryFolder(folder), signers, signer_of(online), course.show_records)


def check_ring(ring: str) -> None:
    """Raises Refusal for a name that no ring can have."""
    if not RING.fullmatch(ring):
        raise Refusal("a ring has letters, digits, '.', '_' and '-', at most 63")


@contextmanager
def one_line_each() -> Iterator[None]:
    """Ends the command with what publishing refuses."""
    try:
        with one_line():
            yield
    except (PublishRefused, HistoryDamaged, ListDamaged, Busy, KeyRefused) as refused:
        raise Failure(str(refused)) from None
    except PublicationUnusable as unusable:
        raise Failure(f"{unusable}; publish the list anew") from None
    except FileNotFoundError as missing:
        raise Failure(f"{missing.filename}: there is no such file; build the list first") from None


def now_utc() -> datetime:
    """The present moment."""
    return datetime.now(UTC)
