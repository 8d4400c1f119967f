"""The clock: set since boot, or for how long it is still put up with."""

from collections.abc import Iterator

from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, warn
from scanner.said import joined, said
from scanner.watchlist.age import span

_SET = said(
    "let it reach a time server (`timedatectl timesync-status` says which), or set it by hand"
)


def check(context: Context) -> Iterator[Finding]:
    clock = context.clock
    battery = bool(context.kernel.there("sys/class/rtc/rtc*"))
    there, none = said("a battery-backed clock is there"), said("there is no battery-backed clock")
    kept = there if battery else none
    if context.clock_set:
        yield ok(said("set from outside since boot; {kept}", kept=kept))
    elif context.configured is None:
        yield warn(said("not set since boot; {kept}", kept=kept), _SET)
    elif clock.synchronised and battery:
        yield ok(said("not set since boot and trusted as configured; {kept}", kept=kept))
    elif clock.synchronised:
        yield warn(
            said("not set since boot and trusted all the same, as configured; {kept}", kept=kept),
            joined((_SET, said('or say trust = "synchronised" under [clock]'))),
        )
    else:
        unset = said("not set for {span}; {kept}", span=span(clock.unsynchronised_s), kept=kept)
        if clock.trusted:
            left = span(clock.grace_s - clock.unsynchronised_s)
            yield warn(
                said(
                    "{unset}; in {left} nothing is shown as clear any more", unset=unset, left=left
                ),
                _SET,
            )
        else:
            yield fail(said("{unset}; nothing is shown as clear", unset=unset), _SET)
