"""Memory: how much of it is left, and whether the kernel has ended programs for want of it."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.lists.status import size_of
from scanner.said import said

LITTLE, TOO_LITTLE = 0.15, 0.05
_FREE = said("stop what else runs here (`systemd-cgtop -m`); a Pi with 2 GB or more is meant")


def check(context: Context) -> Iterator[Finding]:
    told = dict(
        line.partition(":")[::2]
        for line in (context.kernel.text("proc/meminfo") or "").splitlines()
    )
    whole, free = _bytes(told.get("MemTotal")), _bytes(told.get("MemAvailable"))
    if not whole or free is None:
        yield skipped(said("this machine does not tell its memory"))
        return
    line = said(
        "{free} of {whole} can be had ({share})",
        free=size_of(free),
        whole=size_of(whole),
        share=f"{free / whole:.0%}",
    )
    if free < TOO_LITTLE * whole:
        yield fail(line, _FREE)
    elif ended := _ended(context.kernel.text("proc/vmstat")):
        yield warn(
            said(
                "{line}; the kernel has ended {ended} programs for want of it since boot",
                line=line,
                ended=ended,
            ),
            _FREE,
        )
    else:
        yield warn(line, _FREE) if free < LITTLE * whole else ok(line)


def _bytes(told: str | None) -> int | None:
    words = (told or "").split()
    return int(words[0]) * 1024 if words and words[0].isdigit() else None


def _ended(vmstat: str | None) -> int:
    for line in (vmstat or "").splitlines():
        name, _, count = line.partition(" ")
        if name == "oom_kill" and count.isdigit():
            return int(count)
    return 0
