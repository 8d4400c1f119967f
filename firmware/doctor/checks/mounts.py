"""How the file systems are mounted: what must last may lie neither on one that is read-only nor in
memory."""

from collections.abc import Iterator

from firmware.doctor import places
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped
from firmware.doctor.kernel import Mount
from scanner.said import said


def check(context: Context) -> Iterator[Finding]:
    found = False
    for what, mount in places.mounts(context):
        found = True
        yield _finding(context, what, mount)
    if not found:
        yield skipped(said("this machine does not tell how its file systems are mounted"))


def _finding(context: Context, what: str, mount: Mount) -> Finding:
    line = said(
        "{what}: {point}, {kind} on {source}",
        what=what,
        point=mount.point,
        kind=mount.kind,
        source=mount.source,
    )
    if mount.read_only:
        return fail(
            said("{line}, is read-only: nothing can be written down", line=line),
            said(
                "restart the device; if it is so again, the card fails: replace it. With "
                "a read-only root, give the device's data a partition of its own"
            ),
        )
    if context.kernel.in_memory(mount):
        return fail(
            said("{line}, is in memory: all of it is gone when the power goes", line=line),
            said("give the device's data a partition of its own that is written to"),
        )
    return ok(said("{line}, can be written", line=line))
