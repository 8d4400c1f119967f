"""Where the device keeps what must last, for the checks that look at the disk below."""

from collections.abc import Iterator
from pathlib import Path

from firmware.doctor.context import Context
from firmware.doctor.kernel import Mount


def places(context: Context) -> dict[str, Path]:
    """The folders, by what they hold; without a configuration the whole system's."""
    settings = context.configured
    if settings is None:
        return {"system": Path("/")}
    return {
        "data": settings.device.data,
        "lists": settings.lists.folder,
        "identity": settings.identity.folder,
    }


def mounts(context: Context) -> Iterator[tuple[str, Mount]]:
    """The file systems that they lie on, each once, by all that it holds."""
    held: dict[Path, tuple[list[str], Mount]] = {}
    for what, folder in places(context).items():
        mount = context.kernel.mount_of(folder)
        if mount is not None:
            held.setdefault(mount.point, ([], mount))[0].append(what)
    for names, mount in held.values():
        yield ", ".join(names), mount


def nearest_there(path: Path) -> Path:
    """The path, or the nearest folder around it that is there."""
    return next(one for one in (path.absolute(), *path.absolute().parents) if one.exists())
