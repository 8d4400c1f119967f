"""The clock: set since boot, or for how long it is still put up with."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, warn
from scanner.watchlist.age import span

_SET = "let it reach a time server (`timedatectl timesync-status` says which), or set it by hand"


def check(context: Context) -> Iterator[Finding]:
    clock = context.clock
    battery = bool(context.kernel.there("sys/class/rtc/rtc*"))
    kept = "a battery-backed clock is there" if battery else "there is no battery-backed clock"
    if context.clock_set:
        yield ok(f"set from outside since boot; {kept}")
    elif context.configured is None:
        yield warn(f"not set since boot; {kept}", _SET)
    elif clock.synchronised and battery:
        yield ok(f"not set since boot and trusted as configured; {kept}")
    elif clock.synchronised:
        yield warn(
            f"not set since boot and trusted all the same, as configured; {kept}",
            f'{_SET}; or say trust = "synchronised" under [clock]',
        )
    else:
        unset = f"not set for {span(clock.unsynchronised_s)}; {kept}"
        if clock.trusted:
            left = span(clock.grace_s - clock.unsynchronised_s)
            yield warn(f"{unset}; in {left} nothing is shown as clear any more", _SET)
        else:
            yield fail(f"{unset}; nothing is shown as clear", _SET)
