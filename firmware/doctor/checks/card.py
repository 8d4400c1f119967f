"""How worn the card or disk is, and what errors the kernel has met on it.

An eMMC tells how much of its life it has used (JEDEC's EXT_CSD, in sysfs); an SD card tells nobody.
ext4 counts the errors that it has found, and what was ever written to it.
"""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.doctor.kernel import Kernel
from firmware.doctor.places import mounts
from firmware.lists.status import size_of
from scanner.said import Said, joined, said

_REPLACE = said("copy what is on it and replace it: docs/operations.md, 'A card that wears out'")
_PLAN = said("plan to replace it: docs/operations.md, 'A card that wears out'")
_NOT_TOLD, _WORN, _BEYOND = 0x00, 0x09, 0x0B
"""Of `life_time`: steps of 10 % each, from 1 on; 11 says that its estimated life is over."""
_LOW, _URGENT = 2, 3
_RESERVE = {
    _LOW: said("its reserve of blocks is low"),
    _URGENT: said("its reserve of blocks is gone"),
}
"""By `pre_eol_info`; 1 is the ordinary state."""
_SECTOR = 512


def check(context: Context) -> Iterator[Finding]:
    kernel, seen = context.kernel, False
    disks: set[str] = set()
    for what, mount in mounts(context):
        seen = True
        disks |= kernel.disks_of(mount)
        partition = mount.source.rpartition("/")[2]
        errors = kernel.number(f"sys/fs/ext4/{partition}/errors_count")
        if errors:
            yield fail(
                said(
                    "{source} ({what}): its file system has {errors} errors on record",
                    source=mount.source,
                    what=what,
                    errors=errors,
                ),
                said(
                    "have it checked at the next boot (fsck.mode=force); then {replace}",
                    replace=_REPLACE,
                ),
            )
    for disk in sorted(disks):
        yield _life(kernel, disk)
        yield from _errors(kernel, disk)
    if seen and not disks:
        yield skipped(said("which disk holds the device's data cannot be told"))


def _life(kernel: Kernel, disk: str) -> Finding:
    device = f"sys/block/{disk}/device"
    kind, name = kernel.text(f"{device}/type") or "disk", kernel.text(f"{device}/name")
    called = _called(disk, f"{kind} {name}" if name else kind, _written(kernel, disk))
    life, reserve = kernel.text(f"{device}/life_time"), kernel.number(f"{device}/pre_eol_info")
    used = max((_step(word) for word in (life or "").split()), default=_NOT_TOLD)
    if used == _NOT_TOLD:
        return skipped(said("{disk}: it tells the kernel nothing of its wear", disk=called))
    blocks = _RESERVE.get(reserve or 0, "")
    line = joined(
        (said("{disk}: {used} of its life is used", disk=called, used=_percent(used)), blocks)
    )
    if used >= _BEYOND or reserve == _URGENT:
        return fail(line, _REPLACE)
    if used >= _WORN or blocks:
        return warn(line, _PLAN)
    return ok(line)


def _errors(kernel: Kernel, disk: str) -> Iterator[Finding]:
    """What the card's host has counted, where this user may know."""
    host = next((name for name in _hosts(kernel, disk)), None)
    stats = kernel.text(f"sys/kernel/debug/{host}/err_stats") if host else None
    errors = sum(_count(line) for line in (stats or "").splitlines())
    if errors:
        yield warn(
            said(
                "{disk}: the kernel counts {errors} errors in speaking to the card since boot",
                disk=disk,
                errors=errors,
            ),
            said("push it into its socket anew; if they come back, replace card or power supply"),
        )


def _hosts(kernel: Kernel, disk: str) -> Iterator[str]:
    for path in kernel.there("sys/class/mmc_host/mmc*/mmc*/block/*"):
        parts = path.split("/")
        if parts[-1] == disk:
            yield parts[3]


def _called(disk: str, kind: str, written: str) -> Said:
    if written:
        return said(
            "{disk} ({kind}), {size} written since boot", disk=disk, kind=kind, size=written
        )
    return said("{disk} ({kind})", disk=disk, kind=kind)


def _written(kernel: Kernel, disk: str) -> str:
    fields = (kernel.text(f"sys/block/{disk}/stat") or "").split()
    if len(fields) < 7 or not fields[6].isdigit():
        return ""
    return size_of(int(fields[6]) * _SECTOR)


def _step(word: str) -> int:
    try:
        return int(word, 16)
    except ValueError:
        return _NOT_TOLD


def _percent(step: int) -> Said:
    if step >= _BEYOND:
        return said("all")
    return said("{least} to {most} %", least=10 * (step - 1), most=10 * step)


def _count(line: str) -> int:
    """A line of err_stats: `# Command CRC Errors:\\t 3`."""
    number = line.rpartition(":")[2].strip()
    return int(number) if number.isdigit() else 0
