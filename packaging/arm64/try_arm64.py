"""`make arm64`: the package for a Pi's processor, installed and used in a Debian for it, beside its
twin for this machine's.

    python packaging/arm64/try_arm64.py [--release bookworm|trixie] [--records N] [--again STEP]

Two Debian roots are made by debootstrap, one for arm64, whose programs QEMU emulates, and one for
amd64. Both get the package for them by `dpkg -i`, without a network, and then the same work; what
they say is held against each other (`sameness`). It is Debian and not Raspberry Pi OS, and an
emulated processor tells nothing of a Pi's speed; how many instructions a piece of work takes does
not depend on that, and is counted. A step's result is kept, so a run that was stopped goes on at
the step where it was. Needs root, for it enters roots. The first thing that is not as it should be
ends it with exit code 1.
"""

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from kept import Kept  # noqa: E402  beside this program
from roots import PI_4, CannotTry, NotSo, Root, emulate, last_of  # noqa: E402
from steps import STEPS, Trial  # noqa: E402

from central.course import Course  # noqa: E402

DEBS = ROOT / "build" / "deb"
DEBIAN = {"bookworm": 12, "trixie": 13}
_WITHOUT_NETWORK = "--without-network"
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


def main() -> None:
    asked = _asked()
    if os.geteuid() != 0:
        sys.exit("arm64: run it as root; it makes root file systems and enters them")
    if platform.machine() != "x86_64":
        sys.exit("arm64: it holds arm64 against x86-64, so it runs on an x86-64 machine")
    try:
        _try(asked)
    except (CannotTry, NotSo) as reason:
        sys.exit(f"\narm64: {'NOT so: ' * isinstance(reason, NotSo)}{reason}")
    except KeyboardInterrupt:
        sys.exit("\narm64: stopped; the same command goes on at this step")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Tries the package in a Debian for arm64.")
    parser.add_argument("--release", choices=sorted(DEBIAN), default="bookworm")
    parser.add_argument("--records", type=int, default=1_000_000, help="of the large list")
    parser.add_argument("--again", choices=[*STEPS, "all"], help="do this step anew")
    parser.add_argument("--keep", action="store_true", help="leave the devices where they are")
    parser.add_argument(_WITHOUT_NETWORK, action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _try(asked: argparse.Namespace) -> None:
    work = ROOT / "build" / "arm64" / asked.release
    arm, twin = Root(asked.release, "arm64", work, PI_4), Root(asked.release, "amd64", work)
    if not asked.without_network:
        print(f"== arm64 is emulated by: {emulate()}", flush=True)
        for root in (arm, twin):
            _make(root)
        _leave_the_network()
    _raise_loopback()
    packages = {root.arch: _package(asked.release, root.arch) for root in (arm, twin)}
    of = "\n".join([*map(_content, packages.values()), str(asked.records)])
    kept = Kept(work / "results", hashlib.sha256(of.encode()).hexdigest())
    trial = Trial(arm, twin, packages, work, asked.records, ROOT)
    if asked.again == "all":
        shutil.rmtree(kept.folder, ignore_errors=True)
    for name, step in STEPS.items():
        _step(name, step, kept, trial, again=anew(name, asked.again, trial))
    if not asked.keep:
        for root in (arm, twin):
            shutil.rmtree(root.folder, ignore_errors=True)
    print("\nall as it should be")


def anew(step: str, asked: str | None, trial: Trial) -> bool:
    """Whether a step is done whatever it came to before: where it is asked for, and the installing
    for any step where the devices are gone, as they are after a run that went through."""
    gone = not all(root.folder.exists() for root in trial.both)
    return asked == step or (step == "install" and asked is not None and gone)


def _step(
    name: str, step: Callable[[Trial], Iterator[str]], kept: Kept, trial: Trial, *, again: bool
) -> None:
    """Does a step, or tells what it came to before."""
    before = None if again else kept.lines(name)
    print(f"\n== {name}{' (as it came out before)' * (before is not None)}", flush=True)
    if before is not None:
        print("".join(f"  {line}\n" for line in before), end="", flush=True)
        return
    lines = []
    with Course() as course:
        trial = replace(trial, show=lambda line: course.show(f"  {line}"))
        for line in step(trial):
            course.make_room()
            print(f"  {line}", flush=True)
            lines.append(line)
    kept.put(name, lines)


def _make(root: Root) -> None:
    print(f"== a Debian {DEBIAN[root.release]} for {root.arch}", flush=True)
    with Course() as course:
        root.make(lambda line: course.show(f"  {line:.70}"))


def _package(release: str, arch: str) -> Path:
    found = sorted(DEBS.glob(f"borderpost_*+deb{DEBIAN[release]}_{arch}.deb"), key=_age)
    if not found:
        raise CannotTry(f"no package for {release} and {arch} in {DEBS}; make deb first")
    return found[-1]


def _age(file: Path) -> float:
    return file.stat().st_mtime


def _content(package: Path) -> str:
    """What a package holds, its documentation aside: the digests of its files."""
    command = ["dpkg-deb", "--info", str(package), "md5sums", "postinst"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotTry(f"{package}: {last_of(done.stderr)}")
    rows = (row for row in done.stdout.splitlines() if "usr/share/doc" not in row)
    return "\n".join(rows)


def _leave_the_network() -> None:
    """Goes on as the same program in a network of its own, where nobody else is."""
    sys.stdout.flush()
    command = ["unshare", "--net", sys.executable, __file__, *sys.argv[1:], _WITHOUT_NETWORK]
    os.execvp(command[0], command)  # noqa: S606


def _raise_loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        wanted = struct.pack("16sh14x", b"lo", _IFF_UP)
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, wanted)


if __name__ == "__main__":
    main()
