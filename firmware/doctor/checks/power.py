"""The power: under-voltage as the Pi's firmware noticed it, what the supply offers, a battery."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from firmware.doctor.kernel import Kernel
from firmware.doctor.throttled import Throttled, throttled
from scanner.said import said

_SUPPLY = said(
    "use the supply made for this Pi and a short cable; give USB devices power of their own"
)
ENOUGH_MA, LOW_PERCENT = 5000, 20


def check(context: Context) -> Iterator[Finding]:
    found = [*_voltage(context.kernel), *_offered(context.kernel), *_batteries(context.kernel)]
    yield from found or [skipped(said("this machine does not tell how it is powered"))]


def _voltage(kernel: Kernel) -> Iterator[Finding]:
    bits, alarm = throttled(kernel), _alarm(kernel)
    if bits is None and alarm is None:
        return
    told = bits or Throttled(0)
    if told & Throttled.UNDER_VOLTAGE or alarm:
        yield fail(said("under-voltage: the supply gives too little now"), _SUPPLY)
    elif told & Throttled.WAS_UNDER_VOLTAGE:
        yield warn(
            said("under-voltage since boot: the supply gave too little for a while"), _SUPPLY
        )
    else:
        since, now = said("no under-voltage since boot"), said("no under-voltage now")
        yield ok(since if bits is not None else now)


def _alarm(kernel: Kernel) -> int | None:
    """The kernel's own monitor of a Pi's voltage."""
    for name in kernel.there("sys/class/hwmon/hwmon*/name"):
        if kernel.text(name) == "rpi_volt":
            return kernel.number(name.removesuffix("name") + "in0_lcrit_alarm")
    return None


def _offered(kernel: Kernel) -> Iterator[Finding]:
    """What the supply of a Pi 5 said that it can give."""
    told = kernel.bytes("proc/device-tree/chosen/power/max_current")
    if told is None or len(told) != 4:
        return
    offered = int.from_bytes(told, "big")
    line = said("the supply offers {current} mA", current=offered)
    if 0 < offered < ENOUGH_MA:
        yield warn(
            said("{line}: all USB devices together get 600 mA", line=line),
            said("use the 5 A supply"),
        )
    else:
        yield ok(line)


def _batteries(kernel: Kernel) -> Iterator[Finding]:
    for kind in kernel.there("sys/class/power_supply/*/type"):
        folder = kind.removesuffix("/type")
        if kernel.text(kind) != "Battery":
            continue
        percent = kernel.number(f"{folder}/capacity")
        status = (kernel.text(f"{folder}/status") or "unknown").lower()
        if percent is None:
            continue
        line = said("battery: {percent} %, {status}", percent=percent, status=status)
        if status == "discharging" and percent < LOW_PERCENT:
            yield fail(line, said("bring the mains back: the desk goes out soon"))
        elif status == "discharging":
            yield warn(line, said("bring the mains back"))
        else:
            yield ok(line)
