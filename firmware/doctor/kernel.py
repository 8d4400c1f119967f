"""What the kernel and the firmware say of the machine, in sysfs and procfs.

Everything is read below a root, so that a folder of files can stand for any machine. What is not
there, or not for this user to read, is None: each machine has only some of it.
"""

from dataclasses import dataclass
from pathlib import Path

from scanner.watchlist.key_keeping import Machine

_IN_MEMORY = {"tmpfs", "ramfs"}
_MOST = 64 * 1024


@dataclass(frozen=True)
class Mount:
    """A file system as it is mounted: `device` is its numbers, as `179:2`."""

    point: Path
    device: str
    kind: str
    source: str
    options: frozenset[str]
    upper: Path | None = None
    """Where an overlay keeps what is written."""

    @property
    def read_only(self) -> bool:
        return "ro" in self.options


class Kernel:
    """One machine's sysfs, procfs and device tree below `root`."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def bytes(self, path: str) -> bytes | None:
        """What a file of the kernel says."""
        try:
            with (self.root / path).open("rb") as file:
                return file.read(_MOST)
        except OSError:
            return None

    def text(self, path: str) -> str | None:
        """The same as text, without the blanks and the NUL around it."""
        said = self.bytes(path)
        return None if said is None else said.decode(errors="replace").strip(" \t\r\n\0")

    def number(self, path: str) -> int | None:
        """The same as a number, decimal or 0x…"""
        try:
            return int(self.text(path) or "", 0)
        except ValueError:
            return None

    def there(self, pattern: str) -> list[str]:
        """The paths below the root that a pattern fits, for the other methods."""
        found = sorted(self.root.glob(pattern))
        return [str(path.relative_to(self.root)) for path in found]

    def mount_of(self, path: Path) -> Mount | None:
        """The file system that a path, or what of it is there, lies on."""
        inside = path.resolve()
        around = [mount for mount in self._mounts() if inside.is_relative_to(mount.point)]
        return max(around, key=lambda mount: len(mount.point.parts), default=None)

    def in_memory(self, mount: Mount) -> bool:
        """Whether what is written there is gone when the power goes. An overlay is as lasting as
        what lies over."""
        if mount.upper is not None:
            over = self.mount_of(mount.upper)
            return over is not None and over.kind in _IN_MEMORY
        return mount.kind in _IN_MEMORY

    def disks_of(self, mount: Mount) -> frozenset[str]:
        """The disks or cards that it lies on; empty where that is not known."""
        return Machine(self.root).disks_at(mount.device)

    def _mounts(self) -> list[Mount]:
        said = self.text("proc/self/mountinfo") or ""
        # A later mount lies over an earlier one at the same point.
        return [mount for line in reversed(said.splitlines()) if (mount := _mount(line))]


def _mount(line: str) -> Mount | None:
    """One line of mountinfo(5)."""
    before, _, after = line.partition(" - ")
    try:
        _, _, device, _, point, options = before.split()[:6]
        kind, source, of_super = after.split()[:3]
    except ValueError:
        return None
    more = dict(one.partition("=")[::2] for one in of_super.split(","))
    upper = more.get("upperdir")
    return Mount(
        point=Path(_unescaped(point)),
        device=device,
        kind=kind,
        source=_unescaped(source),
        # A file system that the kernel turned read-only after an error says so in the second.
        options=frozenset(options.split(",")) | ({"ro"} & set(more)),
        upper=Path(_unescaped(upper)) if upper else None,
    )


def _unescaped(text: str) -> str:
    """Blanks stand as octal numbers there."""
    for number in (0o40, 0o11, 0o12, 0o134):
        text = text.replace(f"\\{number:03o}", chr(number))
    return text
