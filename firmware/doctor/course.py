"""The checks, in the order in which a technician would go: the configuration, what stands at the
desk, what it knows, what it lies on, whom it speaks to, and the machine below.

A check that fails itself is a finding too: one line, and what it would have said is left out, for
an error's text could hold anything.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from firmware.doctor.checks import (
    broker,
    camera,
    card,
    certificate,
    clock,
    configuration,
    desk,
    files,
    identity,
    kiosk,
    link,
    list_keys,
    lists,
    memory,
    mounts,
    officers,
    picture,
    pins,
    power,
    reader,
    scanner,
    sources,
    space,
    temperature,
    updates,
    updates_server,
)
from firmware.doctor.context import Context
from firmware.doctor.finding import CannotLook, Finding, fail, skipped
from scanner.failing import where
from scanner.said import said


@dataclass(frozen=True)
class Check:
    """One check. A `cheap` one takes no time and opens nothing, so the running desk makes it every
    minute."""

    run: Callable[[Context], Iterator[Finding]]
    cheap: bool = False

    @property
    def name(self) -> str:
        """Its file's name."""
        return self.run.__module__.rpartition(".")[2]


CHECKS = (
    Check(configuration.check),
    Check(desk.check, cheap=True),
    Check(kiosk.check),
    Check(officers.check),
    Check(camera.check),
    Check(picture.check),
    Check(reader.check),
    Check(scanner.check),
    Check(sources.check),
    Check(pins.check),
    Check(lists.check),
    Check(list_keys.check),
    Check(clock.check, cheap=True),
    Check(identity.check, cheap=True),
    Check(certificate.check, cheap=True),
    Check(link.check, cheap=True),
    Check(broker.check),
    Check(updates.check, cheap=True),
    Check(updates_server.check),
    Check(files.check),
    Check(space.check, cheap=True),
    Check(mounts.check, cheap=True),
    Check(card.check, cheap=True),
    Check(memory.check, cheap=True),
    Check(temperature.check, cheap=True),
    Check(power.check, cheap=True),
)
CHEAP = tuple(check for check in CHECKS if check.cheap)


def examine(context: Context, checks: Sequence[Check] = CHECKS) -> Iterator[Finding]:
    """What the checks find, one after another; never raises for what a check meets."""
    for check in checks:
        for finding in _found(check, context):
            yield replace(finding, check=check.name)


def _found(check: Check, context: Context) -> Iterator[Finding]:
    try:
        yield from check.run(context)
    except CannotLook as nothing:
        yield skipped(str(nothing))
    except Exception as error:
        # A library or a driver can raise anything; the other checks are still made.
        place = Path(where(error)).name
        yield fail(
            said(
                "the check itself failed ({error} at {place})",
                error=type(error).__name__,
                place=place,
            ),
            said("report this"),
        )
