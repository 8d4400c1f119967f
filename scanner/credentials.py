"""Secrets that lie sealed on the disk and are opened by systemd, for a service and in memory alone.

A unit's `LoadCredentialEncrypted=borderpost:/etc/borderpost/credentials` opens each file of that
folder when the service starts and lays it into `$CREDENTIALS_DIRECTORY`, with the first word as a
prefix. So a secret is added or changed without a word in any unit. What a file is sealed to is this
machine's TPM, where it has one, and a key of the machine's own (systemd-creds(1)): on another
machine it opens for nobody.

Where the desk runs, its own user and root find what is open outside the service too. Root can open
what is sealed also while it does not run. Elsewhere there are no such secrets, and whoever asks for
one takes what lies in files.
"""

import os
import shutil
import subprocess
from pathlib import Path

from scanner.durable import replace_durably

SEALED = Path("/etc/borderpost/credentials")
DIRECTORY = "CREDENTIALS_DIRECTORY"
"""Names the folder in which systemd lays a service's credentials: in memory, for it alone."""
OF_THE_DESK = Path("/run/credentials/borderpost.service")
"""That folder of the desk itself, which root and the desk's own user may read."""
PREFIX = "borderpost_"
_PROGRAM = "systemd-creds"
_WITHIN_S = 60.0


class CannotSeal(Exception):
    """A secret cannot be sealed or opened here; the message says why."""


def folder() -> Path:
    """Where open secrets are found, if there are any."""
    return Path(os.environ.get(DIRECTORY) or OF_THE_DESK)


def laid_out(name: str) -> Path | None:
    """The file of an open secret, if systemd has laid it out."""
    for one in (folder() / f"{PREFIX}{name}", folder() / name):
        if os.access(one, os.R_OK):
            return one
    return None


def secret(name: str) -> bytes | None:
    """A secret, or None where there is none. Raises CannotSeal, OSError."""
    place = laid_out(name)
    return place.read_bytes() if place is not None else unsealed(name)


def unsealed(name: str) -> bytes | None:
    """A secret as it lies sealed on the disk, or None where there is none for whoever asks. Raises
    CannotSeal, OSError."""
    sealed = SEALED / name
    return _told("decrypt", "--", name, sealed.read_bytes()) if os.access(sealed, os.R_OK) else None


def can_seal() -> bool:
    """Whether this machine has what seals."""
    return shutil.which(_PROGRAM) is not None


def seal(name: str, content: bytes) -> None:
    """Seals a secret to this machine, in the place of one of that name; it is in force once its
    service starts anew. Raises CannotSeal, OSError."""
    SEALED.mkdir(parents=True, exist_ok=True, mode=0o700)
    sealed = _told("encrypt", "--with-key=auto", name, content)
    # A desk is not started with a secret that does not open.
    if _told("decrypt", "--", name, sealed) != content:
        raise CannotSeal(f"{name}: what was sealed opens as something else")
    replace_durably(SEALED / name, sealed)


def _told(does: str, how: str, name: str, given: bytes) -> bytes:
    """What systemd-creds makes of a secret."""
    words = (does, f"--name={PREFIX}{name}", how, "-", "-")
    try:
        done = subprocess.run(
            [_PROGRAM, *words], input=given, capture_output=True, timeout=_WITHIN_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotSeal(f"{_PROGRAM}: {getattr(error, 'strerror', None) or 'no answer'}") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed"]
        raise CannotSeal(f"{_PROGRAM}: {lines[-1]}")
    return done.stdout
