"""The row of each device: locked while something of the device's is changed, and the source of the
counters that central numbers its words to the device with."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

import sqlalchemy as sa

from central.store.rows import among, insert_new_rows
from central.store.schema import devices

DeviceRow = Any
"""A row of `devices`."""


def locked(tx: sa.Connection, names: Collection[str], now_ms: int) -> dict[str, DeviceRow]:
    """The rows of devices, new ones for those that were never heard. Nobody else changes them, nor
    anything of these devices, until `tx` ends."""
    rows = _lock(tx, names)
    if missing := sorted(set(names) - rows.keys()):
        row = {"counter": 0, "boot": 0, "connection": 0, "ended": 0, "revision": 0}
        new = [{"device": name, "heard_at": now_ms, **row} for name in missing]
        insert_new_rows(tx, devices, new)
        rows |= _lock(tx, missing)
    return rows


class Counters:
    """New counters for locked devices: each above every one before, and the time in milliseconds
    where that is greater, so that it also grows past a store that was lost or brought back from a
    copy."""

    def __init__(self, rows: Mapping[str, DeviceRow], now_ms: int) -> None:
        self._rows = rows
        self._now_ms = now_ms
        self._taken: dict[str, int] = {}

    def take(self, name: str) -> int:
        """The next counter for the device of that name."""
        last = self._taken.get(name, self._rows[name].counter)
        self._taken[name] = max(last + 1, self._now_ms)
        return self._taken[name]

    def save(self, tx: sa.Connection, heard: Collection[str] = ()) -> None:
        """Writes back what was taken; the devices in `heard` were just heard, too."""
        alike: dict[tuple[int, bool], list[str]] = defaultdict(list)
        for name, counter in self._taken.items():
            alike[counter, name in heard].append(name)
        for (counter, was_heard), names in alike.items():
            values = {"names": names, "taken": counter}
            if was_heard:
                values["now"] = self._now_ms
            tx.execute(_saving(tx.dialect.name, was_heard), values)


def _lock(tx: sa.Connection, names: Collection[str]) -> dict[str, DeviceRow]:
    found = tx.execute(_locking(tx.dialect.name), {"names": sorted(names)})
    return {row.device: row for row in found}


@cache
def _locking(dialect: str) -> sa.Select[Any]:
    chosen = sa.select(devices).where(among(dialect, devices.c.device, "names"))
    return chosen.order_by(devices.c.device).with_for_update()


@cache
def _saving(dialect: str, was_heard: bool) -> sa.Update:
    values: dict[str, Any] = {"counter": sa.bindparam("taken")}
    if was_heard:
        values["heard_at"] = sa.bindparam("now")
    return devices.update().where(among(dialect, devices.c.device, "names")).values(values)
