"""`make deb-try`: the package for a Debian release on this machine's architecture, in a Debian of
its own.

    python packaging/try_deb.py [bookworm|trixie]

A root made by debootstrap, entered without a network (`unshare -n`), stands for the device; systemd
does not run in it, so units are not started here (tests/house/test_units_running.py does that). It
is shown: installation from the package alone; pictures, typed lines, a list and the doctor; a desk
that leaves alerts; an upgrade that keeps everything; one that fails and is rolled back; a removal
that is refused while alerts wait, one that keeps data when told to, one that leaves nothing of
anybody. Needs root. Each step that is not as it should be ends it with exit code 1.
"""

import hashlib
import json
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "build" / "deb"
DEVICE, TRIED = WORK / "try", WORK / "tried"
RELEASES = {"bookworm": 12, "trixie": 13}
SPECIMENS = ROOT / "firmware" / "demo" / "specimens"
BIN = ROOT / ".venv" / "bin"
ARCH = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
ENTER = ("unshare", "-n", "-m", "-p", "-f", "--mount-proc", "chroot")
"""Into a root, without a network and with processes of its own."""
MOST_MB = 400
UNITS = "/usr/lib/systemd/system"
EXPOSED = {
    "borderpost": 15,
    "borderpost-update": 15,
    "borderpost-scrub": 15,
    "borderpost-kiosk": 30,
    "borderpost-setup": 24,
}
"""The highest exposure of each unit, in tenths, as `tests/house/test_units.py` has it."""
DATA, CONFIG = "var/lib/borderpost", "etc/borderpost"
MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10\n"
LISTED = "UTO,L898902C3,,passport,stolen,2026-01-05,R-1\n"


def main() -> None:
    if os.geteuid() != 0:
        sys.exit("deb-try: run it as root; it makes a root file system and enters it")
    release = sys.argv[1] if len(sys.argv) > 1 else "bookworm"
    package = newest_package(release)
    make_root(release, DEVICE)
    later, broken = other_version(package, "0.9.1"), other_version(package, "0.9.2", change=blind)
    try:
        installs(package)
        works()
        upgrades(later)
        rolls_back(broken, later)
        goes(later)
    finally:
        shutil.rmtree(DEVICE, ignore_errors=True)
        shutil.rmtree(TRIED, ignore_errors=True)
    print("\nall as it should be")


def installs(package: Path) -> None:
    heading("installed, without a network")
    say(inside(install(package)))
    size_mb = int(inside("du -sm /opt/borderpost").split()[0])
    python = inside("/opt/borderpost/current/bin/python --version").strip()
    holds(size_mb < MOST_MB, f"{size_mb} MB in /opt/borderpost with {python}, {MOST_MB} allowed")
    in_force = inside("readlink /opt/borderpost/current").strip()
    holds(in_force.startswith("venvs/"), f"in force: {in_force}")
    say(inside("borderpost config check"))
    owners = inside(f"stat -c '%U:%G %a %n' /{DATA} /{CONFIG}/list-keys")
    holds(f"borderpost:borderpost 700 /{DATA}" in owners, "the desk's folder is the desk's alone")
    for unit, most in EXPOSED.items():
        asked = f"systemd-analyze security --offline=yes --threshold={most} {UNITS}/{unit}.service"
        inside(f"{asked} >/dev/null")
    version = inside("systemctl --version").split()[1]
    holds(True, f"exposed no more than was promised, as systemd {version} weighs it")
    if "verify" in inside("udevadm --help", fails=True):
        inside("udevadm verify /usr/lib/udev/rules.d/70-borderpost.rules")
        holds(True, "the names of devices are rules that udev understands")


def works() -> None:
    heading("pictures, lines, a list, the doctor")
    shutil.copytree(SPECIMENS, DEVICE / "tmp/specimens")
    told = inside("borderpost scan --json /tmp/specimens", fails=True)
    scanned = [json.loads(row) for row in told.splitlines()]
    for one in scanned:
        status = one.get("reading", {}).get("status") or one["error"]["code"]
        say(f"{Path(one['source']).name:<44}{status}")
    here = subprocess.run(
        [str(BIN / "borderpost"), "scan", "--json", str(DEVICE / "tmp/specimens")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    same = [one.get("reading", {}).get("lines") for one in scanned] == [
        json.loads(row).get("reading", {}).get("lines") for row in here.stdout.splitlines()
    ]
    holds(same, "the same characters as this work tree reads")
    sets_up()
    say(as_desk("borderpost list status"))
    holds("  HIT" in as_desk("borderpost check", given=MRZ), "the listed passport is a HIT")
    say(as_desk("borderpost doctor", fails=True))
    said = as_desk("timeout -s TERM -k 20 30 borderpost run", fails=True)
    say("\n".join(said.splitlines()[-4:]))
    holds(waiting() > 0, f"a desk ran, and {waiting()} alerts wait for central")


def upgrades(later: Path) -> None:
    heading("upgraded")
    before = kept()
    say(inside(install(later)))
    holds(kept() == before, f"{len(before)} files of configuration and data are as they were")
    venvs = sorted(one.name for one in (DEVICE / "opt/borderpost/venvs").iterdir())
    holds(venvs == [version_of(later)], f"there is one version: {venvs}")


def rolls_back(broken: Path, before_it: Path) -> None:
    heading("an upgrade that does not answer")
    before = kept()
    say(inside(install(broken), fails=True))
    version = version_of(before_it)
    in_force = inside("readlink /opt/borderpost/current").strip()
    holds(in_force == f"venvs/{version}", f"{version} goes on")
    holds(
        "  HIT" in as_desk("borderpost check", given=MRZ), "and it still knows the listed passport"
    )
    holds(kept() == before, "nothing else changed")


def goes(later: Path) -> None:
    heading("removed")
    inside(install(later))
    say(inside("dpkg --remove borderpost", fails=True))
    holds(waiting() > 0, "refused while alerts wait")
    keep = DEVICE / CONFIG / "keep-data"
    keep.touch()
    before = kept()
    say(inside("dpkg --remove borderpost"))
    holds(
        kept() == before and not (DEVICE / "opt/borderpost").exists(),
        "told to keep data, it kept it",
    )
    say(inside(install(later)))
    keep.unlink()
    (DEVICE / DATA / "outbox.db").unlink()
    say(inside("dpkg --remove borderpost"))
    left = sorted(one.name for one in (DEVICE / DATA).iterdir())
    holds(not set(left) - {"identity", "lists", "clock.json"}, f"of the data is left: {left}")
    say(inside("dpkg --purge borderpost"))
    gone = not (DEVICE / DATA).exists() and not (DEVICE / CONFIG).exists()
    holds(gone, "purged, nothing is left")


def make_root(release: str, device: Path) -> None:
    """The device: a copy of a Debian that is made once."""
    clean = WORK / f"root-{release}"
    done = clean / ".made"
    if not done.exists():
        heading(f"making a Debian {RELEASES[release]} (once)")
        shutil.rmtree(clean, ignore_errors=True)
        options = ["--variant=minbase", "--include=python3,systemd,udev,libstdc++6"]
        run("debootstrap", *options, release, str(clean))
        done.touch()
    shutil.rmtree(device, ignore_errors=True)
    run("cp", "-a", str(clean), str(device))


def newest_package(release: str) -> Path:
    """The package for this machine that was made last."""
    made = WORK.glob(f"borderpost_*+deb{RELEASES[release]}_{ARCH}.deb")
    packages = sorted(made, key=lambda one: one.stat().st_mtime)
    if not packages:
        sys.exit(f"there is no package for {ARCH} in {WORK}; make deb first")
    return packages[-1]


def version_of(package: Path) -> str:
    return run("dpkg-deb", "-f", str(package), "Version").strip()


def other_version(
    package: Path, version: str, *, change: Callable[[Path], None] | None = None
) -> Path:
    """The same package as another version, and with its wheels changed."""
    tree, made = WORK / "other", TRIED / f"borderpost_{version}.deb"
    shutil.rmtree(tree, ignore_errors=True)
    run("dpkg-deb", "-R", str(package), str(tree))
    old = version_of(package)
    for name in ("control", "postinst"):
        file = tree / "DEBIAN" / name
        file.write_text(file.read_text().replace(old, f"{version}+{old.partition('+')[2]}"))
    if change is not None:
        change(tree / "opt/borderpost/wheels")
    made.parent.mkdir(exist_ok=True)
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(tree), str(made))
    shutil.rmtree(tree)
    return made


def blind(wheels: Path) -> None:
    """Takes the library of pictures away."""
    next(wheels.glob("opencv*.whl")).unlink()


def sets_up() -> None:
    """From the boot partition, and without a network: the request goes to headquarters by hand."""
    made = TRIED / "headquarters"
    shutil.rmtree(made, ignore_errors=True)
    boot = DEVICE / "boot/firmware/borderpost"
    boot.mkdir(parents=True)
    (made / "home").mkdir(parents=True)
    (made / "sltd.csv").write_text((SPECIMENS / "demo-list.csv").read_text() + LISTED)
    lists = DEVICE / DATA / "lists"
    central, keys = str(BIN / "borderpost-central"), ["--keys", str(made / "keys")]
    home = {**os.environ, "XDG_DATA_HOME": str(made / "home")}
    run(central, "lists", "build", str(made / "sltd.csv"), str(lists), env=home)
    (key,) = made.rglob("sltd.key")
    shutil.copy(key, boot)
    answers = 'device = "desk-1"\nsite = "Utopia North"\nbroker = "none"\n'
    (boot.parent / "borderpost-setup.toml").write_text(answers)
    (DEVICE / "dev/serial/by-id").mkdir(parents=True)
    (DEVICE / "dev/serial/by-id/usb-Reader-if00").touch()
    say(inside("borderpost setup --unattended", fails=True))
    run(central, "enrol", "sign", str(boot / "enrolment-request"), *keys)
    told = inside("borderpost setup --unattended")
    say("\n".join(row for row in told.splitlines() if not row.startswith(("ok", "skipped"))))
    holds("this is a desk now" in told, "the device is enrolled, has its key and its list")
    config = DEVICE / CONFIG / "borderpost.toml"
    rows = config.read_text().replace('kind = "serial"', 'kind = "folder"').splitlines()
    rows = ['path = "/tmp/specimens"' if row.startswith("port =") else row for row in rows]
    config.write_text("\n".join(row for row in rows if not row.startswith("family =")))


def kept() -> dict[str, str]:
    """Every file of configuration and data, with its content's digest."""
    files = (one for at in (CONFIG, DATA) for one in (DEVICE / at).rglob("*") if one.is_file())
    return {str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in files}


def waiting() -> int:
    """How many alerts central does not have yet."""
    asked = "SELECT count(*) FROM event WHERE done_at IS NULL AND kind = 'alert'"
    with closing(sqlite3.connect(DEVICE / DATA / "outbox.db")) as outbox:
        return int(outbox.execute(asked).fetchone()[0])


def as_desk(command: str, *, given: str = "", fails: bool = False) -> str:
    become = "setpriv --reuid=borderpost --regid=borderpost --init-groups"
    return inside(f"cd /; {become} {command}", fails=fails, given=given)


def install(package: Path) -> str:
    shutil.copy(package, DEVICE / "tmp/borderpost.deb")
    return "dpkg -i /tmp/borderpost.deb"


def inside(command: str, *, fails: bool = False, given: str = "") -> str:
    """What a command says on the device. It must succeed, unless it may fail."""
    entered = f"mount -t proc proc /proc; export HOME=/root LC_ALL=C.UTF-8; {command}"
    done = subprocess.run(
        [*ENTER, str(DEVICE), "sh", "-c", entered],
        input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode and not fails:
        sys.exit(f"{done.stdout}\ndeb-try: `{command}` ended with exit code {done.returncode}")
    return done.stdout


def holds(so: bool, what: str) -> None:
    if not so:
        sys.exit(f"deb-try: NOT so: {what}")
    print(f"  ok: {what}")


def say(text: str) -> None:
    print("".join(f"  {row}\n" for row in text.splitlines()), end="", flush=True)


def heading(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(*command: str, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        sys.exit(f"{done.stdout}{done.stderr}\ndeb-try: {command[0]} failed")
    return done.stdout


if __name__ == "__main__":
    main()
