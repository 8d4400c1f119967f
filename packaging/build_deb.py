"""`make deb`: one Debian package for each release and architecture, with all wheels inside.

    python packaging/build_deb.py [--release bookworm|trixie] [--arch amd64|arm64] [--version 0.2.0]

Nothing is compiled, so a package for a Pi is made on any machine. The same commit gives the same
bytes: wheels are those of the locks (`device_wheels.py`), files carry the commit's time
(SOURCE_DATE_EPOCH), and their order and owners are fixed. What the package does on a device stands
in the scripts in `deb/`; why it is so in docs/decisions/0022-packaging.md.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from device_wheels import ROOT, TARGETS, Target, build_own, fetch, lock, make_slim

SOURCES = ("scanner", "firmware", "central", "models", "pyproject.toml", "README.md", "LICENSE")
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")
UNITS = "usr/lib/systemd/system"
PLACES = {
    "systemd/sysusers.d/borderpost.conf": "usr/lib/sysusers.d/borderpost.conf",
    "systemd/tmpfiles.d/borderpost.conf": "usr/lib/tmpfiles.d/borderpost.conf",
    "systemd/journald.conf.d/borderpost.conf": "usr/lib/systemd/journald.conf.d/borderpost.conf",
    "systemd/udev/70-borderpost.rules": "usr/lib/udev/rules.d/70-borderpost.rules",
    "config/borderpost.toml": "usr/share/borderpost/borderpost.toml",
    "LICENSE": "usr/share/doc/borderpost/copyright",
    "CHANGELOG.md": "usr/share/doc/borderpost/CHANGELOG.md",
}
LINKS = {
    "usr/bin/borderpost": "/opt/borderpost/current/bin/borderpost",
    "opt/borderpost/bin": "current/bin",
}
_PACKAGES, _LGPIO = "/usr/lib/python3/dist-packages", "_lgpio.cpython-313-aarch64-linux-gnu.so"
SYSTEM_PINS = {
    "opt/borderpost/system/lgpio.py": f"{_PACKAGES}/lgpio.py",
    f"opt/borderpost/system/{_LGPIO}": f"{_PACKAGES}/{_LGPIO}",
}
"""Where the library of pins is the system's own; nothing else of its Python is seen."""
INSTALLED_FACTOR = 1.25
"""What Python's compiled files add to what the wheels hold."""


@dataclass(frozen=True)
class Work:
    """Where a package is made, and what it is called."""

    folder: Path
    version: str
    epoch: int

    def debian_version(self, target: Target) -> str:
        return f"{self.version}+deb{target.debian}"


def build(target: Target, work: Work) -> Path:
    """Makes the package for a target, and prints what weighs in it."""
    tree = work.folder / "trees" / target.name
    shutil.rmtree(tree, ignore_errors=True)
    put_files(tree, target)
    weights = put_wheels(tree, target, work)
    put_control(tree, target, work, installed_kb=sum(kept for kept, _ in weights.values()) // 1024)
    settle(tree, work.epoch)
    package = work.folder / f"borderpost_{work.debian_version(target)}_{target.arch}.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(package)],
        env={**os.environ, "SOURCE_DATE_EPOCH": str(work.epoch)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    shutil.rmtree(tree)
    _say(package, weights)
    return package


def put_files(tree: Path, target: Target) -> None:
    """Everything but wheels and what dpkg itself reads."""
    for unit in sorted((ROOT / "systemd").iterdir()):
        if unit.is_file():
            _copy(unit, tree / UNITS / unit.name)
    for source, place in PLACES.items():
        _copy(ROOT / source, tree / place)
    for link, leads_to in {**LINKS, **(SYSTEM_PINS if target.pins_by_system else {})}.items():
        (tree / link).parent.mkdir(parents=True, exist_ok=True)
        (tree / link).symlink_to(leads_to)


def put_wheels(tree: Path, target: Target, work: Work) -> dict[str, tuple[int, dict[str, int]]]:
    """All wheels, slim. Gives for each how much it holds, and how much of what was left out."""
    wheels = tree / "opt/borderpost/wheels"
    (wheels / "installer").mkdir(parents=True)
    cached = work.folder / "wheels" / target.name
    weights = {}
    for wheel in [*fetch(target, cached), _own(work)]:
        name = wheel.name.split("-")[0]
        if name == "pip":
            _copy(wheel, wheels / "installer" / wheel.name)
            continue
        sizes = make_slim(wheel, wheels)
        weights[name] = (sizes.pop(""), sizes)
    return weights


def put_control(tree: Path, target: Target, work: Work, installed_kb: int) -> None:
    """What dpkg reads: the control file, the maintainer's scripts, the digests."""
    control, (major, minor) = tree / "DEBIAN", target.python.split(".")
    control.mkdir()
    besides = ["chromium", "cage", "seatd"]
    besides += ["xwayland"] if target.release == "bookworm" else []
    besides += ["python3-lgpio"] if target.pins_by_system else []
    packed_kb = sum(file.stat().st_size for file in tree.rglob("*") if file.is_file()) // 1024
    said = {
        "VERSION": work.debian_version(target),
        "ARCH": target.arch,
        "PYTHON": target.python,
        "PYTHON_AFTER": f"{major}.{int(minor) + 1}",
        "RECOMMENDS": ", ".join(besides),
        "INSTALLED": str(packed_kb + int(installed_kb * INSTALLED_FACTOR)),
    }
    for name in ("control", *SCRIPTS):
        text = (ROOT / "packaging" / "deb" / name).read_text()
        for key, value in said.items():
            text = text.replace(f"@{key}@", value)
        (control / name).write_text(text)
    files = [one for one in sorted(tree.rglob("*")) if one.is_file() and not one.is_symlink()]
    sums = (
        f"{hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()}  "
        f"{file.relative_to(tree)}\n"
        for file in files
        if control not in file.parents
    )
    (control / "md5sums").write_text("".join(sums))


def settle(tree: Path, epoch: int) -> None:
    """Gives everything its mode and the commit's time."""
    for one in [tree, *tree.rglob("*")]:
        if not one.is_symlink():
            script = one.parent.name == "DEBIAN" and one.name in SCRIPTS
            one.chmod(0o755 if script or one.is_dir() else 0o644)
        os.utime(one, (epoch, epoch), follow_symlinks=False)


def work_of(folder: Path, version: str | None) -> Work:
    """Where to work, with the version of `pyproject.toml` and the commit's time unless they are
    given."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    told = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    epoch = given or subprocess.run(told, capture_output=True, text=True, check=True).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return Work(folder, version or project["version"], int(epoch))


def _own(work: Work) -> Path:
    """Our own wheel, made once a run from the files that git knows."""
    folder = work.folder / "wheels" / "own"
    source = work.folder / "source"
    if source.exists():
        return next(folder.glob("borderpost-*.whl"))
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z", *SOURCES], capture_output=True, check=True
    )
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            _copy(ROOT / name, source / name)
    return build_own(source, folder, work.epoch)


def _copy(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, place)


def _say(package: Path, weights: dict[str, tuple[int, dict[str, int]]]) -> None:
    """What weighs: a line a wheel, the heaviest first, the light ones together."""
    print(f"\n{package.name}: {_mb(package.stat().st_size)} MB")
    print(f"  {'wheel':<28}{'MB':>7}{'left out':>10}")
    rows = sorted(weights.items(), key=lambda row: -row[1][0])
    light = [row for row in rows if row[1][0] < 2_000_000]
    for name, (size, gone) in rows[: len(rows) - len(light)]:
        print(f"  {name:<28}{_mb(size):>7}{_mb(sum(gone.values())):>10}")
    kept, left = sum(one[0] for _, one in light), sum(sum(one[1].values()) for _, one in light)
    print(f"  {f'{len(light)} lighter ones':<28}{_mb(kept):>7}{_mb(left):>10}")
    kept, without = sum(one[0] for one in weights.values()), dict[str, int]()
    for _, kinds in weights.values():
        for kind, size in kinds.items():
            without[kind] = without.get(kind, 0) + size
    print(f"  {'all':<28}{_mb(kept):>7}{_mb(sum(without.values())):>10}")
    told = ", ".join(f"{kind} {_mb(size)}" for kind, size in sorted(without.items()))
    print(f"  left out: {told}; setuptools, the browser of central, the demo's broker")
    print(f"  sha256 {hashlib.sha256(package.read_bytes()).hexdigest()}")


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes Debian packages of Borderpost.")
    parser.add_argument("--release", choices=sorted({one.release for one in TARGETS}))
    parser.add_argument("--arch", choices=sorted({one.arch for one in TARGETS}))
    parser.add_argument("--version", help="instead of pyproject.toml's")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "deb")
    parser.add_argument(
        "--lock", action="store_true", help="first resolve the wheels anew, and write their locks"
    )
    asked = parser.parse_args()
    if shutil.which("dpkg-deb") is None:
        sys.exit(
            "set-up: dpkg-deb is not here; packages are made on Debian, or with its package dpkg"
        )
    work = work_of(asked.out, asked.version)
    shutil.rmtree(work.folder / "source", ignore_errors=True)
    for target in TARGETS:
        if asked.release in (None, target.release) and asked.arch in (None, target.arch):
            if asked.lock:
                lock(target, work.folder / "wheels" / target.name)
            build(target, work)


if __name__ == "__main__":
    main()
