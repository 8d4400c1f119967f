"""`make boot`: a device that boots. A real systemd on a real kernel, Debian's User Mode Linux.

    python packaging/try_boot.py [bookworm|trixie]

The package is installed in a Debian of its own, which then lives four times: set up by a file on
its boot partition, while headquarters' answer is still under way; with a read-only root; with a
root that is an overlay in memory; and upgraded, upgraded to a version whose desk does not start,
and purged. Each time it wakes in the past and has no network, and a scanner (a pseudo-terminal)
reads a listed passport. What is looked at stands in `boot/device.sh`. Needs root, to make the
Debian; the guest itself is a process. What it says is kept in build/boot.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from contextlib import suppress
from pathlib import Path

from try_deb import (
    BIN,
    DATA,
    ENTER,
    LISTED,
    MRZ,
    RELEASES,
    ROOT,
    SPECIMENS,
    heading,
    make_root,
    newest_package,
    other_version,
    run,
    version_of,
)

sys.path.insert(0, str(ROOT))
from tests.powercut.machine import KERNEL, is_here, registers

FILES = Path(__file__).parent / "boot"
WORK = ROOT / "build" / "boot"
DEVICE, BOOT = WORK / "root", WORK / "firmware"
SAID, REQUEST = BOOT / "try" / "said", BOOT / "borderpost" / "enrolment-request"
LIVES = ("first", "readonly", "overlay", "upgrade")
UNITS = ("boot-past", "boot-reader", "boot-try")
MODULES = Path("/usr/lib/uml/modules")
FSTAB = f"""
/dev/ubda / ext4 rw,noatime 0 0
/dev/ubdb /{DATA} ext4 noatime 0 0
none /boot/firmware hostfs {BOOT} 0 0
tmpfs /tmp tmpfs nosuid,nodev 0 0
tmpfs /var/tmp tmpfs nosuid,nodev 0 0
"""
ANSWERS = 'device = "desk-1"\nsite = "Utopia North"\nbroker = "none"\n'
DEAD = "\n\ndef run_until_told(*_: object) -> None:\n    raise SystemExit('it does not start')\n"
WITHIN_S = 1200.0
_KEYS = WORK / "headquarters"


def main() -> None:
    release = sys.argv[1] if len(sys.argv) > 1 else "bookworm"
    if os.geteuid() != 0 or not is_here():
        sys.exit(f"boot: run it as root, with {KERNEL}, mke2fs and gcc installed")
    shutil.rmtree(WORK, ignore_errors=True)
    (BOOT / "try").mkdir(parents=True)
    heading(f"a Debian {RELEASES[release]} with the package in it")
    package = newest_package(release)
    make_device(release, package)
    make_boot_partition(package)
    whole = True
    for life in LIVES:
        heading(f"life: {life}")
        whole = live(life) and whole
    for image in WORK.glob("*.img"):
        image.unlink()
    sys.exit(0 if whole else 1)


def make_device(release: str, package: Path) -> None:
    """The disks: a root that nothing has booted yet, and the device's data on a partition."""
    make_root(release, DEVICE)
    shutil.copy(package, DEVICE / "tmp" / "borderpost.deb")
    entered = "mount -t proc proc /proc; export HOME=/root LC_ALL=C.UTF-8; dpkg -i /tmp/*.deb"
    run(*ENTER, str(DEVICE), "sh", "-c", entered)
    (DEVICE / "tmp" / "borderpost.deb").unlink()
    (DEVICE / "etc/fstab").write_text(FSTAB)
    (DEVICE / "boot/firmware").mkdir(parents=True)
    place = DEVICE / "usr/local/lib/boot"
    place.mkdir(parents=True)
    for name in ("reader.py", "overlay-init"):
        shutil.copy(FILES / name, place)
    (place / "overlay-init").chmod(0o755)
    for name in UNITS:
        shutil.copy(FILES / f"{name}.service", DEVICE / "etc/systemd/system")
    run("systemctl", f"--root={DEVICE}", "enable", *UNITS)
    overlay = next(MODULES.glob("*/kernel/fs/overlayfs/overlay.ko"))
    modules = DEVICE / "usr/lib/modules" / overlay.relative_to(MODULES)
    modules.parent.mkdir(parents=True)
    shutil.copy(overlay, modules)
    data = DEVICE / DATA
    central("lists", "build", str(_source()), str(data / "lists"))
    run("chroot", str(DEVICE), "chown", "-R", "borderpost:", f"/{DATA}")
    make_disk(WORK / "data.img", data, 256)
    for one in data.iterdir():
        shutil.rmtree(one)
    make_disk(WORK / "root.img", DEVICE, 2500)
    shutil.rmtree(DEVICE)


def make_boot_partition(package: Path) -> None:
    """What a technician has put there, and what is tried later."""
    given = BOOT / "borderpost"
    given.mkdir()
    (key,) = _KEYS.rglob("sltd.key")
    shutil.copy(key, given)
    (BOOT / "borderpost-setup.toml").write_text(ANSWERS)
    later = other_version(package, "0.9.1")
    (BOOT / "try" / "later").write_text(version_of(later))
    later.rename(BOOT / "try" / "later.deb")
    dead = other_version(package, "0.9.2", change=lay_dead)
    dead.rename(BOOT / "try" / "dead.deb")
    (BOOT / "try" / "passport").write_text(MRZ)
    shutil.copy(FILES / "device.sh", BOOT / "try")


def live(life: str) -> bool:
    """One boot of the device, to its end. Whether all was as it should be."""
    SAID.write_text("")
    init = "/usr/local/lib/boot/overlay-init" if life == "overlay" else "/lib/systemd/systemd"
    command = [
        *("setpriv", "--pdeathsig", "KILL", KERNEL, "mem=1024M", "ubda=root.img", "ubdb=data.img"),
        *("root=/dev/ubda", "ro", f"init={init}", f"BOOT_LIFE={life}", "systemd.show_status=1"),
        *("con=null", "con0=fd:0,fd:1", "panic=-1", f"uml_dir={WORK}"),
    ]
    environment = {**os.environ, "LD_PRELOAD": str(registers(WORK))}
    with (WORK / f"console-{life}.log").open("wb") as console:
        guest = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=WORK,
            env=environment,
        )
        try:
            said = list(followed(guest))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(guest.pid, signal.SIGKILL)
            guest.wait()
    if said[-1:] != ["end"]:
        print(f"  NOT so: it came to its end (build/boot/console-{life}.log)")
    return said[-1:] == ["end"] and all(line.startswith("ok: ") for line in said[:-1])


def followed(guest: "subprocess.Popen[bytes]") -> "list[str]":
    """What is said, shown as it comes. An answer that the device waits for is given."""
    said: list[str] = []
    until = time.monotonic() + WITHIN_S
    while time.monotonic() < until:
        ended = guest.poll() is not None
        for line in SAID.read_text().splitlines()[len(said) :]:
            said.append(line)
            if line != "end":
                print(f"  {line}", flush=True)
        if "ok: nothing runs until it is there" in said and REQUEST.exists():
            answer_the_request()
        if ended:
            break
        time.sleep(0.2)
    return said


def answer_the_request() -> None:
    """Headquarters signs, and somebody carries the answer back."""
    if not REQUEST.with_name("enrolment-request.answer").exists():
        central("enrol", "sign", str(REQUEST), "--keys", str(_KEYS / "keys"))


def central(*words: str) -> None:
    home = {**os.environ, "XDG_DATA_HOME": str(_KEYS / "home")}
    run(str(BIN / "borderpost-central"), *words, env=home)


def _source() -> Path:
    (_KEYS / "home").mkdir(parents=True, exist_ok=True)
    source = _KEYS / "sltd.csv"
    source.write_text((SPECIMENS / "demo-list.csv").read_text() + LISTED)
    return source


def make_disk(image: Path, content: Path, megabytes: int) -> None:
    run("mke2fs", "-q", "-F", "-t", "ext4", "-d", str(content), str(image), f"{megabytes}M")


def lay_dead(wheels: Path) -> None:
    """Makes a version that answers everything it is asked, and whose desk does not start."""
    (wheel,) = wheels.glob("borderpost-*.whl")
    with zipfile.ZipFile(wheel) as whole:
        held = {entry.filename: whole.read(entry) for entry in whole.infolist()}
    held["firmware/daemon.py"] += DEAD.encode()
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as dead:
        for name, content in held.items():
            dead.writestr(name, content)


if __name__ == "__main__":
    main()
