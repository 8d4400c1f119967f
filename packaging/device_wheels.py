"""The wheels that a device is installed from: which ones, fetched once, and made slim.

A lock for each release and architecture, in `deb/wheels/`, names every wheel with its version and
its SHA-256, so that the same package comes out tomorrow and nothing else is ever taken for one of
them. `lock` resolves anew what `pyproject.toml` asks for; `fetch` brings what a lock names, and
asks for no network where it is there already.

A slim wheel is the same wheel without what no device uses (`LEFT_OUT`); its RECORD is written anew
and its bytes depend on nothing but its content, so it can be made again to the same byte.
"""

import base64
import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCKS = Path(__file__).parent / "deb" / "wheels"
BUILT_BY = LOCKS / "built-by.txt"
_WORTH_IT = 1_000_000
_EPOCH = (1980, 1, 1, 0, 0, 0)

LEFT_OUT = {
    "GPU of the browser": ("ai_edge_litert/libLiteRtWebGpuAccelerator.so",),
    "other languages": ("babel/locale-data/*",),
    "what central alone uses": ("central/*",),
    "tests": ("*/tests/*", "*/test/*", "*/testing/tests/*"),
    "types, headers, sources of C": ("*.pyi", "*/include/*", "*.h", "*.pxd", "*.pyx", "*.a"),
    "Fortran and its build": ("numpy/f2py/*",),
    "bills of materials": ("*.dist-info/sboms/*",),
}
"""Files of wheels that no device uses, by what they are."""
_KEPT = re.compile(
    r"babel/locale-data/(root|en|fr|es|ar)(_\w+)?\.dat|.*\.dist-info/(METADATA|WHEEL)"
)
NOT_NEEDED = frozenset({"setuptools"})
"""Asked for by a library that does without: colorzero imports it nowhere."""


@dataclass(frozen=True)
class Target:
    """A Debian release on an architecture, and the Python that it has."""

    release: str
    arch: str

    @property
    def python(self) -> str:
        return {"bookworm": "3.11", "trixie": "3.13"}[self.release]

    @property
    def debian(self) -> int:
        return {"bookworm": 12, "trixie": 13}[self.release]

    @property
    def machine(self) -> str:
        return {"amd64": "x86_64", "arm64": "aarch64"}[self.arch]

    @property
    def name(self) -> str:
        return f"{self.release}-{self.arch}"

    @property
    def pins_by_system(self) -> bool:
        """Whether lgpio, the library of pins, is the system's own: PyPI has no wheel of it for this
        Python, and Raspberry Pi OS has it as python3-lgpio."""
        return self.name == "trixie-arm64"

    @property
    def lock(self) -> Path:
        return LOCKS / f"{self.name}.txt"

    def pip_options(self) -> list[str]:
        """What tells pip to take wheels for this target, whatever it runs on itself."""
        newest = {"bookworm": 36, "trixie": 41}[self.release]
        platforms = [f"manylinux_2_{minor}_{self.machine}" for minor in range(newest, 16, -1)]
        platforms.append(f"manylinux2014_{self.machine}")
        digits = self.python.replace(".", "")
        return [
            *("--only-binary=:all:", f"--python-version={self.python}", "--implementation=cp"),
            *(f"--abi={abi}" for abi in (f"cp{digits}", "abi3", "none")),
            *(f"--platform={platform}" for platform in platforms),
        ]


TARGETS = tuple(
    Target(release, arch) for release in ("bookworm", "trixie") for arch in ("amd64", "arm64")
)


def lock(target: Target, folder: Path) -> None:
    """Writes the target's lock anew, from what `pyproject.toml` asks for today."""
    folder.mkdir(parents=True, exist_ok=True)
    _pip(["download", f"--dest={folder}", *target.pip_options(), "pip", *_requirements(target)])
    named = {}
    for wheel in sorted(folder.glob("*.whl")):
        name, version = _name_of(wheel)
        if name not in NOT_NEEDED:
            named[name] = f"{name}=={version} --hash=sha256:{_sha256(wheel)}"
    target.lock.write_text("".join(f"{line}\n" for _, line in sorted(named.items())))


def fetch(target: Target, folder: Path) -> list[Path]:
    """Brings every wheel that the lock names into `folder`."""
    wanted = set(re.findall(r"sha256:([0-9a-f]{64})", target.lock.read_text()))
    if len(_of(folder, wanted)) < len(wanted):
        folder.mkdir(parents=True, exist_ok=True)
        given = ["--no-deps", "--require-hashes", f"--requirement={target.lock}"]
        _pip(["download", f"--dest={folder}", *target.pip_options(), *given])
    return _of(folder, wanted)


def build_own(source: Path, folder: Path, epoch: int) -> Path:
    """Our own wheel, from a copy of the sources."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("borderpost-*.whl"):
        old.unlink()
    _pip(
        ["wheel", "--no-deps", f"--wheel-dir={folder}", str(source)],
        SOURCE_DATE_EPOCH=str(epoch),
        PIP_CONSTRAINT=str(BUILT_BY),
    )
    (wheel,) = folder.glob("borderpost-*.whl")
    return wheel


def make_slim(wheel: Path, folder: Path) -> dict[str, int]:
    """Writes `wheel` into `folder` without what no device uses; says how many bytes of each kind
    that left out, and under "" how many are left. One of others that holds little of that stays as
    it came."""
    sizes = {"": 0}
    with zipfile.ZipFile(wheel) as whole:
        for entry in whole.infolist():
            kind = _left_out(entry.filename)
            sizes[kind] = sizes.get(kind, 0) + entry.file_size
    every = sum(sizes.values())
    if every - sizes[""] < _WORTH_IT and not wheel.name.startswith("borderpost-"):
        shutil.copyfile(wheel, folder / wheel.name)
        return {"": every}
    _write_slim(wheel, folder / wheel.name)
    return sizes


def _write_slim(wheel: Path, slim_wheel: Path) -> None:
    with (
        zipfile.ZipFile(wheel) as whole,
        zipfile.ZipFile(slim_wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as slim,
    ):
        record, rows = "", []
        for entry in sorted(whole.infolist(), key=lambda one: one.filename):
            if entry.is_dir():
                continue
            if entry.filename.endswith(".dist-info/RECORD"):
                record = entry.filename
                continue
            if _left_out(entry.filename):
                continue
            content = whole.read(entry)
            if entry.filename.endswith(".dist-info/entry_points.txt"):
                content = _without_central(content)
            _put(slim, entry.filename, content, entry.external_attr)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            rows.append((entry.filename, f"sha256={digest.decode()}", len(content)))
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
        _put(slim, record, text.getvalue().encode(), 0o644 << 16)


def _left_out(name: str) -> str:
    """Which kind of what is left out a file of a wheel is, or ""."""
    if _KEPT.fullmatch(name):
        return ""
    for kind, patterns in LEFT_OUT.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return kind
    return ""


def _without_central(entry_points: bytes) -> bytes:
    rows = entry_points.splitlines(keepends=True)
    return b"".join(row for row in rows if not row.startswith(b"borderpost-central"))


def _put(archive: zipfile.ZipFile, name: str, content: bytes, attributes: int) -> None:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100755 if attributes >> 16 & 0o111 else 0o100644) << 16
    entry.create_system = 3
    archive.writestr(entry, content)


def _requirements(target: Target) -> list[str]:
    """What a device needs, as `pyproject.toml` says. A marker there is about the device; pip would
    hold it against the machine that it runs on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["device"]]
    machine_of = re.compile(r"\s*;\s*platform_machine == '(\w+)'$")
    return [
        machine_of.sub("", one)
        for one in asked
        if not (found := machine_of.search(one)) or found[1] == target.machine
        if not (target.pins_by_system and one.startswith("lgpio"))
    ]


def _name_of(wheel: Path) -> tuple[str, str]:
    name, version = wheel.name.split("-")[:2]
    return name.replace("_", "-").lower(), version


def _of(folder: Path, wanted: set[str]) -> list[Path]:
    return [wheel for wheel in sorted(folder.glob("*.whl")) if _sha256(wheel) in wanted]


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _pip(arguments: list[str], **environment: str) -> None:
    """Runs pip; ends the program with pip's last line where that cannot be done."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["pip failed"]
        sys.exit(f"set-up: pip could not do it: {lines[-1]}; is the network up?")
