"""Room on the disk."""

import os
from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, warn
from firmware.doctor.places import nearest_there, places
from firmware.lists.status import size_of
from scanner.said import said

LITTLE, TOO_LITTLE = 0.15, 0.05
_ROOM = said("make room: `journalctl --vacuum-size=50M`, `apt-get clean`, or a larger card")


def check(context: Context) -> Iterator[Finding]:
    seen: dict[int, list[str]] = {}
    of: dict[int, os.statvfs_result] = {}
    for what, folder in places(context).items():
        there = nearest_there(folder)
        device = there.stat().st_dev
        seen.setdefault(device, []).append(what)
        of[device] = os.statvfs(there)
    for device, names in seen.items():
        yield _finding(", ".join(names), of[device])


def _finding(what: str, disk: os.statvfs_result) -> Finding:
    free, all_of_it = disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize
    share = free / all_of_it if all_of_it else 0.0
    files = disk.f_favail / disk.f_files if disk.f_files else 1.0
    line = said(
        "{what}: {free} of {whole} free ({share})",
        what=what,
        free=size_of(free),
        whole=size_of(all_of_it),
        share=f"{share:.0%}",
    )
    if files < share:
        line = said(
            "{line}, and {share} of the files that it can hold", line=line, share=f"{files:.0%}"
        )
    least = min(share, files)
    if least < TOO_LITTLE:
        return fail(line, _ROOM)
    return warn(line, _ROOM) if least < LITTLE else ok(line)
