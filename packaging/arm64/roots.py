"""Debian roots of two architectures on one machine: made once, copied as devices, entered.

What is of the other architecture is run by QEMU's emulator of programs: the kernel starts it for
every such program (binfmt_misc), so a root of arm64 is entered as any other. Nothing is mounted but
in a namespace of mounts that goes with the command, so a root can be removed at any time; and
whatever was started in a root ends with the command.
"""

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_BINFMT = Path("/proc/sys/fs/binfmt_misc")
_EMULATORS = ("qemu-aarch64-static", "qemu-aarch64")
MAGIC = r"\x7fELF\x02\x01\x01" + r"\x00" * 9 + r"\x02\x00\xb7\x00"
MASK = r"\xff" * 7 + r"\x00" + r"\xff" * 8 + r"\xfe" + r"\xff" * 3
"""What a program of arm64 begins with. The kernel knows zeros by two digits alone."""
PI_4, PI_5 = "cortex-a72", "cortex-a76"
"""The processors of a Pi 4 and a Pi 5, as QEMU calls them: LiteRT and OpenCV choose their code by
what a processor has."""
_TELLS = {
    PI_4: ("0xd08", "fp asimd evtstrm crc32 cpuid"),
    PI_5: (
        "0xd0b",
        "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc "
        "dcpop asimddp",
    ),
}
_CORES = 4
PLACE = "/opt/tried"
"""Where a device has what it is tried with."""
_ENTER = ("unshare", "--mount", "--pid", "--kill-child", "--mount-proc")
_PACKAGES = "python3,systemd,udev,libstdc++6"


class CannotTry(Exception):
    """Something that the target needs is not to be had here; the message says what, in a line."""


@dataclass(frozen=True)
class Done:
    """What became of a command in a root."""

    code: int
    out: str
    errors: str

    @property
    def all(self) -> str:
        return self.out + self.errors


@dataclass(frozen=True)
class Root:
    """A device: a copy of a Debian root that is made once."""

    release: str
    arch: str
    work: Path
    cpu: str = ""
    """The processor that is emulated."""

    @property
    def clean(self) -> Path:
        return self.work / f"debian-{self.arch}"

    @property
    def folder(self) -> Path:
        return self.work / f"device-{self.arch}"

    def path(self, inside: str) -> Path:
        """Where a path of the device lies here."""
        return self.folder / inside.lstrip("/")

    def make(self, tell: Callable[[str], None]) -> None:
        """Makes the clean root, unless it is there whole. Raises CannotTry."""
        if self.clean.exists():
            return
        part = self.clean.with_name(f"{self.clean.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.parent.mkdir(parents=True, exist_ok=True)
        command = ["unshare", "--mount", "debootstrap", f"--arch={self.arch}", "--variant=minbase"]
        command += [f"--include={_PACKAGES}", self.release, str(part)]
        last = ""
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            for line in process.stdout or ():
                last = line.strip()
                tell(last)
        if process.returncode:
            raise CannotTry(f"debootstrap of {self.release} for {self.arch} failed: {last}")
        part.rename(self.clean)

    def renew(self) -> None:
        """Makes the device anew, as a copy of the clean root."""
        shutil.rmtree(self.folder, ignore_errors=True)
        subprocess.run(["cp", "-a", str(self.clean), str(self.folder)], check=True)

    def tell_of_processors(self) -> None:
        """What the kernel of a Pi tells of its processor. What this machine's tells is of another,
        and LiteRT falls back to slower code by it, or falls over."""
        cores = self.path("/sys/devices/system/cpu")
        cores.mkdir(parents=True)
        for name in ("possible", "present"):
            (cores / name).write_text(f"0-{_CORES - 1}\n")
        for cpu, (part, features) in _TELLS.items():
            maker = "CPU implementer\t: 0x41\nCPU architecture: 8"
            row = f"Features\t: {features}\n{maker}\nCPU part\t: {part}\n\n"
            rows = (f"processor\t: {core}\n{row}" for core in range(_CORES))
            self.path(f"/etc/{cpu}").write_text("".join(rows))

    def run(
        self,
        command: str,
        *,
        given: str = "",
        desk: bool = False,
        before: str = ":",
        tell: Callable[[str], None] = lambda line: None,
    ) -> Done:
        """Runs a command in the device, as root or as the desk's own user. `tell` hears each line
        that it prints."""
        with tempfile.TemporaryFile("w+") as stdin, tempfile.TemporaryFile("w+") as errors:
            stdin.write(given)
            stdin.seek(0)
            out = []
            with subprocess.Popen(
                self.entering(command, desk=desk, before=before),
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            ) as process:
                try:
                    for line in process.stdout or ():
                        out.append(line)
                        tell(line)
                except BaseException:
                    process.kill()  # and with it all that runs in the root
                    raise
            errors.seek(0)
            return Done(process.returncode, "".join(out), errors.read())

    def must(self, command: str, *, given: str = "", desk: bool = False) -> str:
        """What a command prints that has to succeed. Raises NotSo."""
        done = self.run(command, given=given, desk=desk)
        holds(done.code == 0, f"{self.arch}: {command}: exit code {done.code}: {last_of(done.all)}")
        return done.out

    def entering(self, command: str, *, desk: bool = False, before: str = ":") -> list[str]:
        """The command line that runs a command in the device; `before` is run outside of it, by
        root, in the same namespace of mounts."""
        become = "setpriv --reuid=borderpost --regid=borderpost --init-groups " if desk else ""
        tells = f"mount --bind /etc/{self.cpu} /proc/cpuinfo; " if self.cpu else ""
        surroundings = "cd /; export HOME=/root LC_ALL=C.UTF-8"
        within = f"mount -t proc proc /proc; {tells}{surroundings}; {become}{command}"
        emulated = f"export QEMU_CPU={self.cpu}; " if self.cpu else ""
        outside = f'{before}; {emulated}exec chroot "$0" sh -c "$1"'
        return [*_ENTER, "sh", "-c", outside, str(self.folder), within]


class NotSo(Exception):
    """Something is not as it should be; the message says what, in a line."""


def holds(so: bool, what: str) -> None:
    if not so:
        raise NotSo(what)


def last_of(text: str) -> str:
    """The last line that says anything."""
    return next((row for row in reversed(text.splitlines()) if row.strip()), "it said nothing")


def emulate() -> str:
    """Has the kernel run programs of arm64, and says by what. Raises CannotTry."""
    if platform.machine() == "aarch64":
        return "by this machine's own processor"
    emulator = next(filter(None, map(shutil.which, _EMULATORS)), None)
    if emulator is None:
        raise CannotTry("no emulator is here: install Debian's qemu-user-static")
    if not (_BINFMT / "register").exists():
        mounting = ["mount", "-t", "binfmt_misc", "binfmt_misc", str(_BINFMT)]
        _do(mounting, "the kernel does not let binfmt_misc be mounted, which starts the emulator")
    if not (_BINFMT / "qemu-aarch64").exists():
        try:
            (_BINFMT / "register").write_text(f":qemu-aarch64:M::{MAGIC}:{MASK}:{emulator}:OFP")
        except OSError as error:
            raise CannotTry(f"the emulator cannot be registered: {error.strerror}") from None
    said = subprocess.run([emulator, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.splitlines()[0]


def _do(command: list[str], otherwise: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stderr.strip(), file=sys.stderr)
        raise CannotTry(otherwise)
