"""A file replaced whole or not at all, also when the power goes.

Temporary file in the same folder, fsync, rename, fsync the folder: after a cut the name leads to
the old bytes or the new, never to a mixture or to nothing.
"""

import os
import tempfile
from pathlib import Path


def replace_durably(
    path: Path, content: bytes, *, mode: int = 0o600, like_folder: bool = False
) -> None:
    """Writes `content` to `path`. With `like_folder` the file belongs to whoever owns the folder,
    also where root writes it. Raises OSError, and then leaves what was there."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            if like_folder:
                own_like(path.parent, file.fileno())
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def clear_left(folder: Path, name: str = "*") -> None:
    """Removes what replacements of the file `name` in a folder left that were cut short. Nobody may
    be replacing it meanwhile. Raises OSError."""
    for left in folder.glob(f".{name}.*"):
        left.unlink(missing_ok=True)


def own_like(folder: Path, handle: int) -> None:
    """Gives an open file to whoever owns `folder`, where root has made it: a service must be able
    to use what a technician's command leaves. Raises OSError."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def sync_folder(folder: Path) -> None:
    """Makes a rename within `folder` last. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
