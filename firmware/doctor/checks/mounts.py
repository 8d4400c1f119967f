"""How the file systems are mounted: what must last may lie neither on one that is read-only nor in
memory."""

from collections.abc import Iterator

from firmware.doctor import places
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped
from firmware.doctor.kernel import Mount


def check(context: Context) -> Iterator[Finding]:
    found = False
    for what, mount in places.mounts(context):
        found = True
        yield _finding(context, what, mount)
    if not found:
        yield skipped("this machine does not tell how its file systems are mounted")


def _finding(context: Context, what: str, mount: Mount) -> Finding:
    line = f"{what}: {mount.point}, {mount.kind} on {mount.source}"
    if mount.read_only:
        return fail(
            f"{line}, is read-only: nothing can be written down",
            "restart the device; if it is so again, the card fails: replace it. With a read-only "
            "root, give the device's data a partition of its own",
        )
    if context.kernel.in_memory(mount):
        return fail(
            f"{line}, is in memory: all of it is gone when the power goes",
            "give the device's data a partition of its own that is written to",
        )
    return ok(f"{line}, can be written")
