"""How well a list's key is kept: what a thief of the card would get, as far as can be told here.

The list hides document numbers only while its key is elsewhere. This looks at where the key's file
lies (which disk, links followed), at who may read it, and at whether a copy lies with the lists. It
says what it cannot tell: how a credential is kept before systemd lays it out in memory, for one,
and what is wrong is told, not refused: a desk that checks nothing serves no one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from scanner import credentials
from scanner.said import joined, said
from scanner.watchlist.keyring import SUFFIX, lies_within

_IN_MEMORY = {"tmpfs", "ramfs"}
_TOO_WIDE = 0o027
"""Others than owner and group may do nothing, and the group may read at most: root's files that a
service reads are commonly of its group."""


class Grade(StrEnum):
    """How well a key is kept. `fair` stands also for what cannot be told."""

    GOOD = "good"
    FAIR = "fair"
    POOR = "poor"


@dataclass(frozen=True)
class Keeping:
    """A grade, and what it rests on in a sentence or more for a person."""

    grade: Grade
    said: str


class Machine:
    """What the kernel says of disks. `root` is where its file systems are mounted."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys"
        self._mounts = root / "proc" / "self" / "mountinfo"

    def in_memory(self, path: Path) -> bool:
        """Whether the file system that a path is on is gone when the power goes."""
        device = _numbers(path)
        for line in self._mounts.read_text(errors="replace").splitlines():
            before, _, after = line.partition(" - ")
            if before.split()[2:3] == [device] and after.split()[:1]:
                return after.split()[0] in _IN_MEMORY
        return False

    def disks_of(self, path: Path) -> frozenset[str]:
        """The disks or cards that a path's file system lies on; empty where that is not known."""
        return self.disks_at(_numbers(path))

    def disks_at(self, numbers: str) -> frozenset[str]:
        """The same for the block device of these numbers, as `179:2`."""
        return frozenset(self._disks(self._sys / "dev" / "block" / numbers))

    def has_tpm(self) -> bool:
        """Whether the machine has a chip that keeps keys to itself."""
        return any((self._sys / "class" / "tpm").glob("tpm*"))

    def _disks(self, device: Path) -> Iterator[str]:
        if not device.exists():
            return
        device = device.resolve()
        under = [*device.glob("slaves/*")]
        for one in under:
            yield from self._disks(one)
        if not under:
            yield device.parent.name if (device / "partition").exists() else device.name


def how_well_kept(key: Path, lists: Path, machine: Machine | None = None) -> Keeping:
    """How well the key in this file is kept, beside the lists in this folder. Never raises: what
    the machine does not say is said to be unknown."""
    try:
        found = list(_findings(key, lists, machine or Machine()))
    except OSError as error:
        found = [
            Keeping(
                Grade.FAIR,
                said("how it is kept cannot be told: {error}", error=error.strerror or error),
            )
        ]
    worst = max((one.grade for one in found), key=list(Grade).index)
    return Keeping(worst, joined(one.said for one in found))


def _findings(key: Path, lists: Path, machine: Machine) -> Iterator[Keeping]:
    yield _place(key, lists, machine)
    mode = key.stat().st_mode & 0o777
    if mode & _TOO_WIDE:
        yield Keeping(
            Grade.POOR,
            said(
                "others of this machine may read or change {key} (mode {mode}): make it "
                "0600, and change the key if somebody may have",
                key=key,
                mode=f"{mode:04o}",
            ),
        )
    for copy in sorted(lists.rglob(f"{key.stem.removeprefix(credentials.PREFIX)}*{SUFFIX}*")):
        yield Keeping(
            Grade.POOR, said("a key file lies with the lists, {copy}: remove it", copy=copy)
        )


def _place(key: Path, lists: Path, machine: Machine) -> Keeping:
    if _is_credential(key):
        return _sealed(machine)
    own, of_lists = machine.disks_of(key), machine.disks_of(lists)
    if key.stat().st_dev == lists.stat().st_dev or own & of_lists:
        return Keeping(
            Grade.POOR,
            said(
                "it lies on the same disk or card as the list: whoever takes that can "
                "try out every number and so learn which are listed"
            ),
        )
    if not machine.in_memory(key):
        disks = ", ".join(sorted(own))
        another = said("on another disk, {disks}", disks=disks)
        where = another if own else said("on another file system")
        return Keeping(
            Grade.FAIR,
            said(
                "it lies {where}: whoever takes only the list's learns nothing from it, "
                "whoever takes both learns which numbers are listed",
                where=where,
            ),
        )
    return Keeping(Grade.GOOD, said("it is in memory alone: it is gone when the power goes"))


def _sealed(machine: Machine) -> Keeping:
    if not machine.has_tpm():
        return Keeping(
            Grade.POOR,
            said(
                "systemd gives it, in memory; but this machine has no TPM, so whatever "
                "systemd opens it with lies on the machine: whoever takes that whole can "
                "open it too"
            ),
        )
    return Keeping(
        Grade.FAIR,
        said(
            "systemd gives it, in memory; whether it is sealed to this machine's TPM "
            "cannot be told from here: it is if `systemd-creds encrypt "
            "--with-key=tpm2` made it"
        ),
    )


def _is_credential(key: Path) -> bool:
    places = (credentials.folder(), credentials.OF_THE_DESK, credentials.SEALED)
    return any(lies_within(key, one) for one in places)


def _numbers(path: Path) -> str:
    device = path.stat().st_dev
    return f"{os.major(device)}:{os.minor(device)}"
