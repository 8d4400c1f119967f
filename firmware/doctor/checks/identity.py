"""Who the device is: enrolled, and its keys its own alone, sealed where they can be."""

import stat
from collections.abc import Iterator
from pathlib import Path

from firmware.doctor.context import Context
from firmware.doctor.finding import CannotLook, Finding, State, fail, of_message, ok, warn
from firmware.identity.keys import DEVICE_KEY, KeyFault, load_keys
from firmware.identity.seal import is_sealed
from firmware.setup.sealing import can_be_sealed
from scanner.said import said

_ENROL = said("enrol the device: `borderpost enrol` (docs/identity.md)")


def enrolled(context: Context) -> Path:
    """The identity's folder. Raises CannotLook where there is no identity."""
    folder = context.settings.identity.folder
    if not (folder / DEVICE_KEY).exists():
        raise CannotLook(said("the device is not enrolled: see identity"))
    return folder


def check(context: Context) -> Iterator[Finding]:
    settings = context.settings.identity
    key = settings.folder / DEVICE_KEY
    if not key.exists():
        yield fail(said("{key} is not there: the device is not enrolled", key=key), _ENROL)
        return
    try:
        keys = load_keys(settings.folder, conceals=settings.encrypt)
        mode = key.stat().st_mode
    except KeyFault as fault:
        yield of_message(State.FAIL, str(fault), _ENROL)
        return
    except OSError as error:
        yield fail(
            said("{path}: {error}", path=error.filename or key, error=error.strerror),
            said("ask as the desk's user, or root"),
        )
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield warn(
            said("{key}: others of this machine may read the device's key", key=key),
            said("chmod 600 {key}", key=key),
        )
    if can_be_sealed(context.kernel) and not is_sealed(key.read_bytes()):
        yield warn(
            said("{key}: the device's keys lie in the clear", key=key),
            said("seal them to this machine: `sudo borderpost setup`"),
        )
    count = len(keys.central_keys)
    yield ok(said("enrolled; it believes {count} of central's keys", count=count))
