"""What became of every alert of a site once all is up again, and whether that is as it must be."""

import re
import time
from collections import Counter
from dataclasses import dataclass

from tests.delivery.chaos_site import Site

_LOOK_EVERY_S = 0.1
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True)
class Findings:
    """All that is known after a shard."""

    committed: int
    """Alerts that a device wrote down as committed."""
    lost: tuple[str, ...]
    """Those of them that central does not have."""
    twice: int
    """Rows at central beyond one for each alert."""
    unshown: int
    """Alerts at central that no receiver printed."""
    answered: int
    """Alerts that an operator answered."""
    printed_again: int
    """Lines that receivers printed beyond one for each alert."""
    open: tuple[str, ...]
    """What is not as it should be at the end: a queue, a gap, a traceback."""

    @property
    def faults(self) -> list[str]:
        """What must not be, in words; empty where all is well."""
        said = []
        if self.lost:
            said.append(f"{len(self.lost)} of {self.committed} lost: {', '.join(self.lost[:5])}")
        if self.twice:
            said.append(f"{self.twice} alerts are at central twice")
        if self.unshown:
            said.append(f"{self.unshown} alerts were shown to nobody")
        return [*said, *self.open]


def drain(site: Site, answered: set[str], within_s: float) -> tuple[str, ...]:
    """Waits until every device has told everything, everything is shown, and every answer is held
    at its device; what is still open where that takes too long."""
    deadline = time.monotonic() + within_s
    while (still := _still_open(site, answered)) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)
    return still


def find(site: Site, answered: set[str], still_open: tuple[str, ...]) -> Findings:
    """Compares what the devices wrote down with what central has and has shown."""
    ledgers = site.ledgers()
    committed = {(one, name) for name, ids in ledgers.items() for one in ids}
    rows = Counter((row.id, row.device) for row in site.office.store.all_alerts())
    printed = Counter(found for line in site.printed() for found in _ID.findall(line))
    tracebacks = (f"{whose} has a traceback" for whose, log in site.logs().items() if "Traceback" in log)  # noqa: E501  # fmt: skip
    return Findings(
        committed=len(committed),
        lost=tuple(sorted(one for one, _ in committed - rows.keys())),
        twice=rows.total() - len({one for one, _ in rows}),
        unshown=len({one for one, _ in rows} - printed.keys()),
        answered=len(answered),
        printed_again=printed.total() - len(printed),
        open=(*still_open, *tracebacks),
    )


def _still_open(site: Site, answered: set[str]) -> tuple[str, ...]:
    store = site.office.store
    if busy := site.not_quiet():
        return tuple(f"{name} still commits alerts" for name in busy)
    queued = {desk.name: desk.outbox.queued() for desk in site.desks}
    waiting = [f"{name}: {count} queued" for name, count in queued.items() if count]
    if waiting:
        return tuple(waiting)
    missing = [
        f"{device['device']}: {device['missing']} missing of its sequence"
        for device in store.devices()
        if device["missing"]
    ]
    unshown = sum(1 for _ in store.unshown())
    not_held = sum(
        not answer["held_at"] for alert in answered for answer in store.answers_to(alert)
    )
    counts = {"alerts not shown": unshown, "answers not held at their device": not_held}
    return (*missing, *(f"{count} {what}" for what, count in counts.items() if count))
