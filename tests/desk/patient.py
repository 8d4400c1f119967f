"""A device for the doctor to look at: a configuration, its folders, and a Raspberry Pi's sysfs and
procfs in a folder of files."""

import os
from pathlib import Path

from firmware.doctor.context import Context, context_of
from firmware.doctor.course import CHECKS, examine
from firmware.doctor.finding import Finding
from firmware.doctor.kernel import Kernel

FOLDER = '[[sources]]\nkind = "folder"\nname = "pages"\npath = "{pages}"\n'
MEMORY = "MemTotal:        3882000 kB\nMemFree:          400000 kB\nMemAvailable:    2900000 kB\n"
HOST = "sys/devices/platform/emmc2bus/fe340000.mmc/mmc_host/mmc0"
CARD = f"{HOST}/mmc0:0001"
BLOCK = f"{CARD}/block/mmcblk0"
FIRMWARE = "sys/devices/platform/soc/soc:firmware/get_throttled"
ZONE = "sys/class/thermal/thermal_zone0"
BATTERY = "sys/class/power_supply/ups"


class Patient:
    """Everything of it lies in `folder`, which is the mount point of its card, an eMMC."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.root = self.folder / "pi"
        for name in ("data", "pages"):
            (self.folder / name).mkdir()
        self.mount("rw,noatime", "rw")
        self.says("proc/meminfo", MEMORY)
        self.says("proc/vmstat", "pgfault 1\noom_kill 0\n")
        self.says(f"{ZONE}/type", "cpu-thermal")
        self.says(f"{ZONE}/temp", "48312")
        self.says(FIRMWARE, "0")
        self.says(f"{BLOCK}/mmcblk0p2/partition", "2")
        self.says(f"{BLOCK}/stat", "9 0 9 9 9 0 2097152 9 0 9 9")
        for name, said in (
            ("type", "MMC"),
            ("name", "BJTD4R"),
            ("life_time", "0x01 0x02"),
            ("pre_eol_info", "0x01"),
        ):
            self.says(f"{CARD}/{name}", said)
        self._link("sys/dev/block/179:2", f"{BLOCK}/mmcblk0p2")
        self._link("sys/block/mmcblk0", BLOCK)
        self._link(f"{BLOCK}/device", CARD)
        self._link("sys/class/mmc_host/mmc0", HOST)
        self.says("sys/fs/ext4/mmcblk0p2/errors_count", "0")
        self.says("sys/class/rtc/rtc0/name", "rpi-rtc")

    def says(self, path: str, text: str | bytes) -> None:
        """A file of the kernel and what it says."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else f"{text}\n".encode())

    def silent(self, path: str) -> None:
        """The machine has no such file."""
        (self.root / path).unlink()

    def mount(self, options: str, of_super: str, kind: str = "ext4") -> None:
        at = str(self.folder).replace(" ", "\\040")
        lines = (
            "21 1 0:20 / / rw - tmpfs tmpfs rw",
            f"22 21 179:2 / {at} {options} shared:1 - {kind} /dev/mmcblk0p2 {of_super}",
        )
        self.says("proc/self/mountinfo", "\n".join(lines))

    def context(self, sources: str = FOLDER, more: str = "") -> Context:
        """A look at the device with these sources and further settings."""
        config = self.folder / "borderpost.toml"
        config.write_text(
            f'[device]\nname = "desk-1"\nsite = "Utopia"\ndata = "{self.folder}/data"\n'
            f"{sources.replace('{pages}', f'{self.folder}/pages')}"
            f'[lists]\nfolder = "{self.folder}/lists"\nkeys = "{self.folder}/list-keys"\n'
            f'[[lists.use]]\nname = "sltd"\n[identity]\nfolder = "{self.folder}/identity"\n{more}'
        )
        return context_of(config, Kernel(self.root))

    def _link(self, path: str, to: str) -> None:
        link = self.root / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(self.root / to, link.parent))


def found(context: Context, check: str) -> list[Finding]:
    """What one check finds."""
    checks = [one for one in CHECKS if one.name == check]
    assert checks, f"there is no check {check}"
    return list(examine(context, checks))


def only(context: Context, check: str) -> Finding:
    """The one thing that a check finds."""
    (finding,) = found(context, check)
    return finding
