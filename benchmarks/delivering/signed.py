"""Alerts of many devices, signed as they sign them, ready to be published."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from joserfc.jwk import OKPKey

from scanner.alert import (
    Event,
    Message,
    new_id,
    new_key,
    public_of,
    seal,
    source_of,
    topic_of,
    write_key,
)
from tests.delivery.both_ends import HeadOffice, alert


def signed_alerts(office: HeadOffice, devices: int, alerts: int) -> list[tuple[str, bytes]]:
    """Topics and payloads of `alerts` alerts, of `devices` devices in turn, whose keys are
    registered at `office`."""
    office.enrol("first")  # makes central's own keys
    names = [f"desk-{number:05d}" for number in range(devices)]
    keys = {name: register(office.folder / "keys", name) for name in names}
    epochs = {name: new_id() for name in names}
    return list(_all(names, keys, epochs, alerts))


def register(register_folder: Path, name: str) -> OKPKey:
    """Makes a device's signing key, and enters it into the register."""
    key = new_key()
    write_key(register_folder / "devices" / f"{name}.pub.jwk", public_of(key), private=False)
    return key


def alert_event(name: str, epoch: str, n: int, number: str) -> Event:
    """An alert of the device `name` at place `n` of its sequence."""
    now = datetime.now(UTC)
    return Event(Message.ALERT, new_id(), source_of(name), now, alert(number), epoch, n)


def _all(
    names: list[str], keys: dict[str, OKPKey], epochs: dict[str, str], alerts: int
) -> Iterator[tuple[str, bytes]]:
    for place in range(alerts):
        name = names[place % len(names)]
        n = place // len(names) + 1
        event = alert_event(name, epochs[name], n, f"X{place:08d}")
        yield topic_of(Message.ALERT, name), seal(event, keys[name])
