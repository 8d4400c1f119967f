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
            if like_folder and os.geteuid() == 0:
                folder = path.parent.stat()
                os.fchown(file.fileno(), folder.st_uid, folder.st_gid)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename within `folder` last. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
