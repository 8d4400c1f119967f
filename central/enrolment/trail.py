"""Notes in the audit trail what the authority did.

The authority's files are changed first and the trail after that: a device must be revoked even when
the database is away. What could not be noted is said, and stands for itself in the authority's
files. Where the folder of keys was named by hand there is no configured store, and nothing to note.
"""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path

from central.opening import open_store
from scanner.command_line import Failure

log = logging.getLogger(__name__)


def note(
    config: Path,
    action: str,
    subject: str,
    *,
    actor: str | None = None,
    role: str = "command line",
    detail: Mapping[str, str] | None = None,
) -> str | None:
    """Notes one act, by whoever runs this unless an `actor` is named. Gives why it could not be
    noted, or None."""
    try:
        from central import audit  # noqa: PLC0415  needs the extra `central`

        with open_store(config) as store, store.changing(quietly=True) as tx:
            who = actor if actor is not None else getuser()
            audit.record(tx, who, role, action, subject, detail or {}, datetime.now(UTC))
    except ModuleNotFoundError:
        return "not noted in the audit trail: this machine has no store"
    except Failure as failure:
        return f"not noted in the audit trail: {failure}"
    return None


def note_by_command(keys: Path | None, config: Path, action: str, subject: str) -> None:
    """Notes what a command did, and says on stderr what could not be noted."""
    if keys is None and (why := note(config, action, subject)) is not None:
        print(f"borderpost-central: {why}", file=sys.stderr)


def note_by_service(config: Path, device: str) -> None:
    """Notes that a device was enrolled by the service, and logs what could not be noted."""
    why = note(config, "device enrolled", device, actor=device, role="device")
    if why is not None:
        log.error("%s: %s", device, why)
