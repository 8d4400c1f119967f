"""`borderpost-central lists keys`: who may sign what of a repository, and changing that.

A change is drafted, signed by as many as must, and put in force. Drafts are files: carry them to
the keys, never the keys to them.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Root, Targets

from central.publishing import ceremony
from central.publishing.ceremony import CeremonyRefused
from central.publishing.repository import RepositoryFolder, RepositoryUnusable
from central.publishing.signing import KeyUnusable, new_key, read_public, read_signer
from scanner.command_line import Failure, Refusal

PASSPHRASE = "BORDERPOST_KEY_PASSPHRASE"  # noqa: S105  the name of a variable

keys_app = typer.Typer(help="Who may sign lists: keys, drafts, signatures.")

Repository = Annotated[Path, typer.Argument(help="The repository's folder.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
OnlineKey = Annotated[
    Path | None, typer.Option("--online-key", help="The private key of snapshot and timestamp.")
]
Publics = Annotated[list[Path], typer.Option("--key", help="A public key's file (….pub); several.")]


@keys_app.command("new")
def keys_new(
    path: Annotated[Path, typer.Argument(help="The private key's file; ….pub is made beside it.")],
    no_passphrase: Annotated[
        bool, typer.Option("--no-passphrase", help="For a key that a machine uses by itself.")
    ] = False,
) -> None:
    """Makes a key that signs. Its passphrase is asked for, or taken from the environment."""
    with one_line():
        public = new_key(path, None if no_passphrase else _passphrase(path, confirm=True))
    print(f"{path}: made key {public.keyid[:16]}; {path.name}.pub may go anywhere, this may not")


@keys_app.command("start")
def keys_start(
    folder: Repository,
    root: Annotated[list[Path], typer.Option("--root", help="A root key's public file; several.")],
    targets: Annotated[list[Path], typer.Option("--targets", help="Who delegates lists.")],
    online: Annotated[Path, typer.Option("--online", help="Snapshot's and timestamp's.")],
    root_threshold: Annotated[int, typer.Option(help="How many root keys must sign.")] = 2,
    targets_threshold: Annotated[int, typer.Option(help="How many targets keys must.")] = 1,
) -> None:
    """Drafts a new repository's first root and targets."""
    with one_line():
        drafts = ceremony.start(
            RepositoryFolder(folder),
            [read_public(path) for path in root],
            [read_public(path) for path in targets],
            read_public(online),
            _now(),
            root_threshold=root_threshold,
            targets_threshold=targets_threshold,
        )
    for path in drafts:
        print(f"{path}: drafted; have it signed (lists keys sign)")


@keys_app.command("delegate")
def keys_delegate(
    folder: Repository,
    name: Annotated[str, typer.Argument(help="The list.")],
    key: Publics,
    threshold: Annotated[int, typer.Option(help="How many of them must sign.")] = 1,
    dry_run: DryRun = False,
) -> None:
    """Drafts that these keys sign a list, in the place of any before."""
    with one_line():
        publics = [read_public(path) for path in key]
        told = ", ".join(public.keyid[:16] for public in publics)
        if not dry_run:
            path = ceremony.delegate(RepositoryFolder(folder), name, publics, threshold, _now())
            print(f"{path}: drafted; have it signed by the targets key")
    print(f"list {name}: {threshold} of {told} must sign")


@keys_app.command("withdraw")
def keys_withdraw(
    folder: Repository, name: Annotated[str, typer.Argument(help="The list.")]
) -> None:
    """Drafts that nobody signs a list any more."""
    with one_line():
        path = ceremony.withdraw(RepositoryFolder(folder), name, _now())
    print(f"{path}: drafted; have it signed by the targets key")


@keys_app.command("replace")
def keys_replace(
    folder: Repository,
    role: Annotated[str, typer.Argument(help="root, targets, or timestamp (with the snapshot).")],
    old: Annotated[
        str | None, typer.Option("--old", help="The key's id, or how it begins.")
    ] = None,
    new: Annotated[Path | None, typer.Option("--new", help="The public file of the new.")] = None,
) -> None:
    """Drafts a root in which a role has a new key, lacks an old one, or both."""
    if old is None and new is None:
        raise Refusal("give --old, --new or both")
    with one_line():
        key = read_public(new) if new else None
        path = ceremony.replace_key(RepositoryFolder(folder), role, old, key, _now())
    print(f"{path}: drafted; have it signed by the root keys")
    if role == Targets.type:
        print(f"{path.parent}: the targets are drafted too; have them signed by the new key")


@keys_app.command("sign")
def keys_sign(
    draft: Annotated[Path, typer.Argument(help="The draft, wherever it was carried.")],
    key: Annotated[Path, typer.Option("--key", help="The private key.")],
) -> None:
    """Adds a signature to a draft."""
    with one_line():
        signer = signer_of(key)
        ceremony.sign(draft, signer)
    print(f"{draft}: signed by {signer.public_key.keyid[:16]}")


@keys_app.command("commit")
def keys_commit(folder: Repository, online_key: OnlineKey = None, dry_run: DryRun = False) -> None:
    """Puts the drafts in force that have their signatures, and makes them visible."""
    with one_line():
        online = signer_of(online_key) if online_key and not dry_run else None
        done = ceremony.commit(RepositoryFolder(folder), online, _now(), dry_run=dry_run)
    if not done:
        raise Failure(f"{folder}: there is no draft")
    print(f"{', '.join(done)}: {'would be' if dry_run else 'is'} in force")


@keys_app.command("status")
def keys_status(folder: Repository) -> None:
    """Says who may sign what, until when it holds, and which drafts wait for whom."""
    repository = RepositoryFolder(folder)
    with one_line():
        for line in _standing(repository):
            print(line)


def _standing(repository: RepositoryFolder) -> Iterator[str]:
    root = repository.of(Root.type).signed
    for role, one in root.roles.items():
        metadata = repository.latest(role)
        ends = f", until {metadata.signed.expires:%Y-%m-%d %H:%M}" if metadata else ""
        yield f"{role}: {one.threshold} of {_short(one.keyids)}{ends}"
    targets = repository.of(Targets.type).signed
    for role, one in (targets.delegations.roles or {}).items():
        metadata = repository.latest(role)
        ends = (
            f", until {metadata.signed.expires:%Y-%m-%d %H:%M}" if metadata else ", not published"
        )
        yield f"{role}: {one.threshold} of {_short(one.keyids)}{ends}"
    for path in repository.draft_paths():
        draft = repository.draft(path.name.split(".", 1)[1].removesuffix(".json"))
        if draft is None:
            continue
        have = "; ".join(
            f"{len(each.signed)} of {each.threshold} signatures by {each.role}"
            for each in ceremony.wanted(repository, draft)
        )
        yield f"draft {path.name}: {have}"


def _short(keyids: list[str]) -> str:
    return ", ".join(keyid[:16] for keyid in keyids)


def signer_of(path: Path) -> CryptoSigner:
    """Whoever signs with the key in a file; its passphrase is asked for where it has one. Raises
    KeyUnusable."""
    try:
        return read_signer(path, None)
    except KeyUnusable:
        if b"ENCRYPTED" not in path.read_bytes():
            raise
        return read_signer(path, _passphrase(path, confirm=False))


def _passphrase(path: Path, *, confirm: bool) -> bytes:
    given = os.environ.get(PASSPHRASE)
    if given is None:
        if not sys.stdin or not sys.stdin.isatty():
            raise KeyUnusable(f"{path}: its passphrase cannot be asked for here; set {PASSPHRASE}")
        given = typer.prompt(
            f"Passphrase of {path.name}", hide_input=True, confirmation_prompt=confirm
        )
    if not given:
        raise KeyUnusable(f"{path}: an empty passphrase protects nothing; give --no-passphrase")
    return str(given).encode()


@contextmanager
def one_line() -> Iterator[None]:
    """Ends the command with what was refused."""
    try:
        yield
    except (CeremonyRefused, RepositoryUnusable, KeyUnusable) as refused:
        raise Failure(str(refused)) from None


def _now() -> datetime:
    return datetime.now(UTC)
