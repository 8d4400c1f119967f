"""What must last: outbox, answers and journal can be written, are whole, and are the desk's own."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

from firmware.delivery.outbox_file import counter
from firmware.doctor.context import Context
from firmware.doctor.finding import Finding, fail, ok, skipped, warn
from scanner.said import joined, said

FILES = ("outbox.db", "answers.db", "journal.db")
_ANEW = said(
    "stop the desk, move the file away (keep it), and start the desk: a new one is begun. For the "
    "outbox tell headquarters: what was not yet sent stands in it alone"
)


def check(context: Context) -> Iterator[Finding]:
    folder = context.settings.device.data
    if not folder.is_dir():
        yield skipped(
            said("{folder} is not there; the desk makes it at its first start", folder=folder)
        )
        return
    yield _written(folder)
    owner = folder.stat().st_uid
    for name in FILES:
        path = folder / name
        if not path.exists():
            yield skipped(
                said("{path}: not made yet; the desk makes it at its first start", path=path)
            )
        elif path.stat().st_uid != owner:
            yield fail(
                said(
                    "{path} is not the desk's own (user {other}, not {owner})",
                    path=path,
                    other=path.stat().st_uid,
                    owner=owner,
                ),
                said("mend its permissions: `chown -R borderpost: {folder}`", folder=folder),
            )
        else:
            yield _looked_into(path)


def _written(folder: Path) -> Finding:
    """Tried, with a file that is gone at once."""
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as file:
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return fail(
            said("{folder} cannot be written: {error}", folder=folder, error=error.strerror),
            said(
                "make room or mend its permissions; ask as the desk's user: `sudo -u "
                "borderpost borderpost doctor`"
            ),
        )
    return ok(said("{folder} can be written", folder=folder))


def _looked_into(path: Path) -> Finding:
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)
    except sqlite3.Error as error:
        return _refused(path, error)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        waiting = _waiting(connection) if path.name == FILES[0] else None
    except sqlite3.Error as error:
        return _refused(path, error)
    finally:
        connection.close()
    if found != "ok":
        return fail(said("{path} is damaged", path=path), _ANEW)
    waits = said("{count} messages wait for central", count=waiting) if waiting else ""
    return ok(joined((said("{path}: whole", path=path), waits)))


def _refused(path: Path, error: sqlite3.Error) -> Finding:
    code = getattr(error, "sqlite_errorname", None) or "SQLite error"
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return fail(said("{path} is damaged", path=path), _ANEW)
    return warn(
        said("{path} cannot be read here ({code})", path=path, code=code),
        said("ask as the desk's user, or as root"),
    )


def _waiting(connection: sqlite3.Connection) -> int:
    """How much central has not yet acknowledged."""
    names = connection.execute("SELECT name FROM counter WHERE name LIKE 'waiting %'").fetchall()
    return sum(counter(connection, name) for (name,) in names)
