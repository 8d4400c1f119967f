"""How hot it is, and whether the machine was slowed for it."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.doctor.kernel import Kernel
from firmware.doctor.throttled import Throttled, throttled
from scanner.said import said

WARM_C, HOT_C = 70, 80
"""A Pi slows itself down from 80 °C on."""
_COOL = said("give it air: a heat sink or fan, no sun, nothing on the case")


def check(context: Context) -> Iterator[Finding]:
    degrees, bits = _degrees(context.kernel), throttled(context.kernel)
    if degrees is None and bits is None:
        yield skipped(said("this machine does not tell its temperature"))
        return
    hot = bits is not None and bool(bits & (Throttled.HOT | Throttled.WAS_HOT))
    line = f"{degrees:.0f} °C" if degrees is not None else said("the firmware tells no temperature")
    if (degrees or 0.0) >= HOT_C or (bits is not None and bits & Throttled.HOT):
        yield fail(said("{line}: it is slowed down now for being too hot", line=line), _COOL)
    elif hot:
        yield warn(
            said("{line}; since boot it was slowed down for being too hot", line=line), _COOL
        )
    elif (degrees or 0.0) >= WARM_C:
        yield warn(line, _COOL)
    else:
        yield ok(line)


def _degrees(kernel: Kernel) -> float | None:
    """Of the processor, where one is named so; else of the warmest."""
    zones = {
        zone: kernel.text(f"{zone}/type") or ""
        for zone in kernel.there("sys/class/thermal/thermal_zone*")
    }
    named = [zone for zone, kind in zones.items() if "cpu" in kind or "soc" in kind]
    told = [kernel.number(f"{zone}/temp") for zone in named or zones]
    return max((value / 1000 for value in told if value is not None), default=None)
