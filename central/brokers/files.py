"""A broker's folder: written whole for a new site, and then kept in step with the authority."""

import os
import re
import signal
from collections.abc import Sequence
from pathlib import Path

from central.brokers.config import CONF, CRL, DATA, PID, RULES, conf, rules
from central.enrolment.authority import ROOT, Authority
from central.enrolment.certificates import Sort
from central.enrolment.files import issue_server
from scanner.alert import KeyFault
from scanner.durable import replace_durably

_PROGRAM = "mosquitto"
"""What the process is called; a number in an old file may have become another's."""


def write(
    authority: Authority,
    folder: Path,
    hosts: Sequence[str],
    *,
    port: int,
    bind: str | None = None,
    at: Path | None = None,
    name: str | None = None,
    log: str = "stderr",
) -> None:
    """Writes all that Mosquitto needs into `folder`, for a broker that is reached as `hosts` and
    whose files will stand `at` another place, if not there. Raises KeyFault or AuthorityFault."""
    authority.make()
    place = folder.resolve()
    issue_server(authority, name or _name_of(hosts[0]), hosts, place)
    try:
        (place / DATA).mkdir(exist_ok=True, mode=0o700)
        text = conf(at or place, port, bind=bind, log=log)
        replace_durably(place / CONF, text.encode(), mode=0o644)
    except OSError as error:
        raise KeyFault(f"{error.filename or place}: {error.strerror}") from None
    _follow(authority, place)


def _name_of(host: str) -> str:
    """A name for lists: an address may hold what no name does."""
    return re.sub(r"[^A-Za-z0-9._-]", "-", host).strip("-.")[:63] or "broker"


def refresh(authority: Authority, folder: Path) -> str:
    """Writes the rules and the list of revoked certificates anew, has Mosquitto read them, and says
    what was done. Raises KeyFault or AuthorityFault."""
    place = folder.resolve()
    if not (place / CONF).exists():
        raise KeyFault(f"{place}: no broker's folder; see borderpost-central broker config")
    _follow(authority, place)
    try:
        process = int((place / PID).read_text())
        running = Path(f"/proc/{process}/comm").read_text().strip() == _PROGRAM
        if running:
            os.kill(process, signal.SIGHUP)
    except PermissionError:
        return f"{folder}: written anew; now reload Mosquitto, which is another user's"
    except (OSError, ValueError):
        running = False
    if not running:
        return f"{folder}: written anew; Mosquitto reads it when it is started"
    return f"{folder}: written anew, and Mosquitto was told to read it"


def refresh_all(authority: Authority, folders: Sequence[Path]) -> list[str]:
    """`refresh` for every broker on this machine, and what is left to be done by hand. Raises
    KeyFault or AuthorityFault."""
    if folders:
        return [refresh(authority, folder) for folder in folders]
    return [
        f"brokers: copy {authority.certificates.crl} and the rules anew (borderpost-central "
        "broker config) to each, and reload Mosquitto"
    ]


def _follow(authority: Authority, place: Path) -> None:
    certificates = authority.certificates
    workers = list(certificates.issued(Sort.WORKER))
    enrolled = set(authority.devices())
    gone = {one.name for one in certificates.revoked() if one.sort == Sort.DEVICE}
    try:
        text = rules(workers, sorted(gone - enrolled))
        _replace(place / RULES, text.encode())
        _replace(place / CRL, certificates.crl.read_bytes())
        _replace(place / ROOT, certificates.root_pem())
    except OSError as error:
        raise KeyFault(f"{error.filename or place}: {error.strerror}") from None


def _replace(path: Path, content: bytes) -> None:
    """Keeps the owner: Mosquitto may run as another user than this command."""
    before = path.stat() if path.exists() else None
    replace_durably(path, content, mode=0o644)
    if before is not None and before.st_uid != os.geteuid():
        os.chown(path, before.st_uid, before.st_gid)
