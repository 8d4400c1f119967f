"""The lists' repository is lost, and what comes back is older than what devices have seen."""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.recovering.course import Course

_HEADER = "issuer,number,number_to,kind,status,recorded,reference\n"
_WITHIN_S = 120.0
_ROWS = 20_000


class Publishing:
    """Headquarters' lists, by its commands, and a device that fetches them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repository, self.lists = folder / "repository", folder / "lists"
        self._toml = folder / "borderpost.toml"
        self._toml.write_text(
            f'[device]\nname = "desk-1"\nsite = "Utopia North"\ndata = "{folder}/data"\n'
            f'[[sources]]\nkind = "folder"\nname = "pictures"\npath = "{folder}"\n'
            f'[lists]\nfolder = "{folder}/device-lists"\nkeys = "{folder}/list-keys"\n'
            f'[[lists.use]]\nname = "sltd"\n[clock]\ntrust = "machine"\n'
            f'[updates]\nroot = "{folder}/lists-root.json"\n'
            f'[identity]\nfolder = "{folder}/identity"\n'
        )
        for name in ("root-1", "root-2", "targets", "builder", "online"):
            self.central("lists", "keys", "new", str(folder / name), "--no-passphrase")
        pub = {name: f"{folder}/{name}.pub" for name in ("root-1", "root-2", "targets")}
        self._keys("start", *self._as("--root", pub["root-1"], pub["root-2"]), *self._roles(pub))
        self._keys("delegate", "sltd", "--key", f"{folder}/builder.pub")
        for draft, *names in (("1.root", "root-1", "root-2"), ("1.targets", "targets")):
            for name in names:
                path = str(self.repository / "drafts" / f"{draft}.json")
                self.central("lists", "keys", "sign", path, "--key", str(folder / name))
        self._keys("commit", "--online-key", str(folder / "online"))
        shutil.copy(self.repository / "metadata" / "1.root.json", folder / "lists-root.json")

    def central(self, *arguments: str) -> str:
        """What one of central's commands prints."""
        return _run("central.cli", *arguments)

    def publish(self, day: int, *more: str) -> str:
        """Builds and publishes what is listed on a day."""
        source = self.folder / "sltd.csv"
        rows = (f"UTO,UT{n:07},,passport,stolen,2026-01-05,R\n" for n in range(_ROWS + day))
        source.write_text(_HEADER + "".join(rows))
        key = ("--key", str(self.folder / "list-keys" / "sltd.key"))
        (self.folder / "list-keys").mkdir(exist_ok=True)
        if not Path(key[1]).exists():
            Path(key[1]).write_text(f"{bytes(range(32)).hex()}\n")
            Path(key[1]).chmod(0o600)
        self.central("lists", "build", str(source), str(self.lists), *key)
        signing = ("--sign-with", f"{self.folder}/builder", "--online-key", f"{self.folder}/online")
        where = (str(self.repository), str(self.lists), "sltd")
        return self.central("lists", "publish", *where, *signing, *key, *more)

    def fetch(self, code: int = 0) -> str:
        """What `borderpost list update` says at the device."""
        line = ("list", "update", "--from", str(self.repository), "--config", str(self._toml))
        return _run("firmware.cli", *line, code=code)

    def knows(self, day: int) -> bool:
        """Whether the device finds what was listed on a day."""
        said = _run("firmware.cli", "list", "status", "--config", str(self._toml), code=None)
        return f"{_ROWS + day} records" in said.replace(",", "")

    def _keys(self, command: str, *arguments: str) -> None:
        self.central("lists", "keys", command, str(self.repository), *arguments)

    @staticmethod
    def _as(option: str, *values: str) -> list[str]:
        return [word for value in values for word in (option, value)]

    def _roles(self, pub: dict[str, str]) -> tuple[str, ...]:
        return ("--targets", pub["targets"], "--online", f"{self.folder}/online.pub")


def repository_lost(folder: Path, course: Course) -> None:
    """The repository is gone; a copy from before the last two publications is there."""
    here = Publishing(folder)
    here.publish(1)
    copy = folder / "copy"
    shutil.copytree(here.repository, copy)
    for day in (2, 3):
        here.publish(day)
    here.fetch()
    course.hold("the device has the latest version", here.knows(3))
    shutil.rmtree(here.repository)
    with course.step("the copy is put in its place (cp -a)"):
        shutil.copytree(copy, here.repository)
    said = here.fetch(code=1)
    course.hold("the device refuses the old copy", "older than what this device has seen" in said)
    course.hold("and goes on with the version that it has", here.knows(3))
    with course.step("borderpost-central lists build, lists publish --afresh 100"):
        here.publish(4, "--afresh", "100")
    with course.step("borderpost list update at the device"):
        here.fetch()
    course.hold("the device has what was published last", here.knows(4))


def _run(program: str, *arguments: str, code: int | None = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    said = done.stdout + done.stderr
    if code is not None and done.returncode != code:
        raise RuntimeError(f"{program} {' '.join(arguments)}: {said.strip()}")
    return said
