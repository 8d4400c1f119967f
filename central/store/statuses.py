"""What devices say of themselves: the latest status of each counts.

Statuses are ordered by (boot, connection, offline after online, revision). Whatever is not later
than what is known changes nothing: a last will that comes after its device is back, or any status
that is said again, by a broker that had kept it or to a second receiver.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from central.answering import answers as answering
from central.store.device_rows import DeviceRow
from central.store.schema import devices
from scanner.alert import Data, StatusData

Order = tuple[int, int, int, int]


@dataclass(frozen=True)
class Current:
    """The status of a device that counts from now on, or that counted already and was said again.
    `wants_tally` says that the device is to be told what central holds."""

    device: str
    data: StatusData
    wants_tally: bool


def store(
    tx: sa.Connection,
    rows: dict[str, DeviceRow],
    said: Sequence[tuple[str, Data, bool]],
    now_ms: int,
) -> list[Current]:
    """Keeps what is later than what is known of the devices in `rows`, which are locked in `tx`.
    `said` holds devices, what they said, and whether a broker had kept that from before."""
    latest: dict[str, tuple[StatusData, bool]] = {}
    for device, data, retained in said:
        if isinstance(data, StatusData) and (
            device not in latest or _order(data) >= _order(latest[device][0])
        ):
            latest[device] = (data, retained)
    changed, current = [], []
    for device, (status, retained) in latest.items():
        row = rows[device]
        known = _known(row)
        if known is None or _order(status) > known:
            changed.append((row, status))
            back = known is None or known[:2] != (status.boot, status.connection)
            current.append(Current(device, status, status.online and back))
        elif _order(status) == known and status.online:
            current.append(Current(device, status, retained and status.queued > 0))
    _write(tx, changed, now_ms)
    held = [(row.device, one) for row, status in changed for one in _newly_held(row, status)]
    answering.settle(tx, held, now_ms)
    answering.hurry(tx, [one.device for one in current if one.wants_tally], now_ms)
    return [one for one in current if one.data.online]


def _write(tx: sa.Connection, changed: list[tuple[DeviceRow, StatusData]], now_ms: int) -> None:
    """Two statements: what is online says how the device is, what is offline says only that."""
    of_device = devices.update().where(devices.c.device == sa.bindparam("of_device"))
    for online in (True, False):
        every = [_values(*one, now_ms) for one in changed if one[1].online is online]
        if every:
            tx.execute(of_device, every)


def _values(row: DeviceRow, status: StatusData, now_ms: int) -> dict[str, Any]:
    values: dict[str, Any] = {
        "of_device": row.device,
        "boot": status.boot,
        "connection": status.connection,
        "ended": int(not status.online),
        "revision": status.revision,
        "online": status.online,
        "status_at": now_ms,
    }
    if status.online:
        values |= {"heard_at": now_ms, "status": status.model_dump(mode="json")}
    return values


def _order(status: StatusData) -> Order:
    return (status.boot, status.connection, int(not status.online), status.revision)


def _known(row: DeviceRow) -> Order | None:
    if row.status_at is None:
        return None
    return (row.boot, row.connection, row.ended, row.revision)


def _newly_held(row: DeviceRow, status: StatusData) -> list[str]:
    before = set((row.status or {}).get("answers_held", ()))
    return [answer for answer in status.answers_held if answer not in before]
