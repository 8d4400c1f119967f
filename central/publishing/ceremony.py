"""Changing who may sign: drafts, signatures that are added one by one, and putting a draft in
force.

Root and targets are signed by keys that are kept offline, by several people. So a change of keys is
a file: it is drafted beside the repository, carried to each key, signed there, carried back, and
put in force once enough have signed. A new root must be signed by enough of the old root's keys and
of its own (specification §5.3.4), so that a thief of one key changes nothing.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from securesystemslib.signer import Key, Signer
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    Role,
    Root,
    Snapshot,
    Targets,
    Timestamp,
)
from tuf.api.serialization.json import JSONSerializer

from central.publishing.repository import (
    RepositoryFolder,
    RepositoryUnusable,
    ends,
    next_version,
)
from scanner.durable import replace_durably
from scanner.watchlist.manifest import NAME
from scanner.watchlist.publication import paths_of, role_of

ONLINE = (Snapshot.type, Timestamp.type)
OFFLINE = (Root.type, Targets.type)


class CeremonyRefused(Exception):
    """What was asked would not hold; the message says why in one line, and nothing was changed."""


@dataclass(frozen=True)
class Wanted:
    """Whose signatures a draft still wants: so many of these keys."""

    role: str
    signed: tuple[str, ...]
    threshold: int

    @property
    def met(self) -> bool:
        return len(self.signed) >= self.threshold


def start(
    repository: RepositoryFolder,
    roots: Sequence[Key],
    targets: Sequence[Key],
    online: Key,
    now: datetime,
    *,
    root_threshold: int = 2,
    targets_threshold: int = 1,
) -> list[Path]:
    """Drafts the first root and targets. Raises CeremonyRefused, RepositoryUnusable, OSError."""
    if repository.latest(Root.type) is not None:
        raise CeremonyRefused(f"{repository.folder}: there is a root already; change that one")
    _threshold(Root.type, roots, root_threshold)
    _threshold(Targets.type, targets, targets_threshold)
    offline = {key.keyid for key in (*roots, *targets)}
    if online.keyid in offline:
        raise CeremonyRefused("the online key must be neither a root nor a targets key")
    root = Root(version=1, expires=ends(Root.type, now), consistent_snapshot=True)
    for role, keys, threshold in (
        (Root.type, roots, root_threshold),
        (Targets.type, targets, targets_threshold),
        (Snapshot.type, [online], 1),
        (Timestamp.type, [online], 1),
    ):
        root.roles[role] = Role([], threshold)
        for key in keys:
            root.add_key(key, role)
    first = Targets(version=1, expires=ends(Targets.type, now))
    first.delegations = Delegations(keys={}, roles={})
    return [
        repository.put_draft(Root.type, Metadata(root)),
        repository.put_draft(Targets.type, Metadata(first)),
    ]


def draft_of(repository: RepositoryFolder, role: str, now: datetime) -> Metadata[Any]:
    """A draft of a role's next version: the one that waits, without its signatures, or a new one
    from what is in force. Raises RepositoryUnusable."""
    waiting = repository.draft(role)
    if waiting is not None:
        return Metadata(deepcopy(waiting.signed))
    signed = deepcopy(repository.of(role).signed)
    next_version(signed, role, now)
    return Metadata(signed)


def delegate(
    repository: RepositoryFolder, name: str, keys: Sequence[Key], threshold: int, now: datetime
) -> Path:
    """Drafts that these keys, so many of them together, sign the list `name`, and no other keys.
    Raises CeremonyRefused, RepositoryUnusable, OSError."""
    if not NAME.fullmatch(name):
        raise CeremonyRefused(f"a list cannot be called {name!r}")
    role = role_of(name)
    _threshold(role, keys, threshold)
    draft = draft_of(repository, Targets.type, now)
    delegations = draft.signed.delegations
    before = delegations.roles.pop(role, None)
    delegations.roles[role] = DelegatedRole(
        role, [], threshold, terminating=True, paths=list(paths_of(name))
    )
    for key in keys:
        draft.signed.add_key(key, role)
    _drop_unused(delegations, before.keyids if before else [])
    return repository.put_draft(Targets.type, draft)


def withdraw(repository: RepositoryFolder, name: str, now: datetime) -> Path:
    """Drafts that nobody signs the list `name` any more. Raises CeremonyRefused,
    RepositoryUnusable, OSError."""
    draft = draft_of(repository, Targets.type, now)
    before = draft.signed.delegations.roles.pop(role_of(name), None)
    if before is None:
        raise CeremonyRefused(f"nobody signs a list {name} here")
    _drop_unused(draft.signed.delegations, before.keyids)
    return repository.put_draft(Targets.type, draft)


def replace_key(
    repository: RepositoryFolder, role: str, old: str | None, new: Key | None, now: datetime
) -> Path:
    """Drafts a root in which `role` has the key `new` in the place of `old`, which is a key's id or
    the beginning of one; either may be missing. Targets that the old key has signed are worth
    nothing under that root, so they are drafted with it, for the new one to sign. Raises
    CeremonyRefused, RepositoryUnusable, OSError."""
    draft = draft_of(repository, Root.type, now)
    root = draft.signed
    if role not in root.roles:
        raise CeremonyRefused(f"the root knows no role {role}")
    for each in ONLINE if role in ONLINE else (role,):
        if old is not None:
            root.revoke_key(_one_of(root.roles[each].keyids, old, each), each)
        if new is not None:
            root.add_key(new, each)
        _threshold_of(root, each)
    if role == Targets.type:
        repository.put_draft(Targets.type, draft_of(repository, Targets.type, now))
    return repository.put_draft(Root.type, draft)


def sign(path: Path, signer: Signer) -> Metadata[Any]:
    """Adds a signature to a draft's file, wherever it was carried. Raises CeremonyRefused,
    OSError."""
    try:
        draft = Metadata[Any].from_bytes(path.read_bytes())
    except (RepositoryError, ValueError):
        raise CeremonyRefused(f"{path}: this is no draft") from None
    draft.sign(signer, append=True)
    replace_durably(path, draft.to_bytes(JSONSerializer(compact=False)), mode=0o644)
    return draft


def wanted(repository: RepositoryFolder, draft: Metadata[Any]) -> list[Wanted]:
    """Whose signatures a draft has and needs. Raises RepositoryUnusable."""
    role = draft.signed.type
    before, waiting = repository.latest(Root.type), repository.draft(Root.type)
    judges: list[tuple[str, Root]] = []
    if before is not None and (role == Root.type or waiting is None):
        judges.append((f"{role} as it is", before.signed))
    if role == Root.type:
        judges.append(("root as it will be", draft.signed))
    elif waiting is not None:
        judges.append((role if before is None else f"{role} as it will be", waiting.signed))
    elif before is None:
        raise RepositoryUnusable(f"{repository.folder}: there is no root")
    found = []
    for told, judge in judges:
        result = judge.get_verification_result(role, draft.signed_bytes, draft.signatures)
        found.append(Wanted(told, tuple(sorted(result.signed)), result.threshold))
    return found


def commit(
    repository: RepositoryFolder, online: Signer | None, now: datetime, *, dry_run: bool = False
) -> list[str]:
    """Puts every draft in force that has its signatures, and publishes; gives their roles. With
    `dry_run` it only says which. Raises CeremonyRefused, RepositoryUnusable, OSError."""
    done: dict[str, Metadata[Any]] = {}
    for role in OFFLINE:
        draft = repository.draft(role)
        if draft is None:
            continue
        short = [one for one in wanted(repository, draft) if not one.met]
        if short:
            raise CeremonyRefused(
                f"{role} {draft.signed.version}: {len(short[0].signed)} of {short[0].threshold} "
                f"signatures by {short[0].role} are there; have it signed by more"
            )
        done[role] = draft
    if dry_run or not done:
        return list(done)
    if online is None:
        raise CeremonyRefused("the online key is needed to make it visible; give --online-key")
    for role, draft in done.items():
        repository.put(role, draft)
    repository.publish(online, now)
    for path in repository.draft_paths():
        path.unlink()
    return list(done)


def _threshold(role: str, keys: Sequence[Key], threshold: int) -> None:
    count = len({str(key.keyval) for key in keys})
    if not 1 <= threshold <= count:
        raise CeremonyRefused(f"{role}: {threshold} of {count} different keys cannot sign")


def _threshold_of(root: Root, role: str) -> None:
    one = root.roles[role]
    if len(one.keyids) < one.threshold:
        raise CeremonyRefused(
            f"{role} would have {len(one.keyids)} keys and needs {one.threshold} signatures; "
            "put a new key in the place of the old one"
        )


def _one_of(keyids: Sequence[str], begins: str, role: str) -> str:
    found = [keyid for keyid in keyids if begins and keyid.startswith(begins)]
    if len(found) != 1:
        raise CeremonyRefused(f"{role} has {len(found)} keys that begin with {begins!r}")
    return found[0]


def _drop_unused(delegations: Delegations, keyids: Sequence[str]) -> None:
    roles = (delegations.roles or {}).values()
    used = {keyid for role in roles for keyid in role.keyids}
    for keyid in keyids:
        if keyid not in used:
            delegations.keys.pop(keyid, None)
