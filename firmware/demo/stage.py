"""Sets up a site for the demo in an empty folder: keys, a list, and both ends' configuration.

It does what a technician would, with the same commands, so the demo also shows that they work.
"""

import json
import secrets
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from firmware.demo.broker import free_port
from firmware.demo.catalogue import SPECIMENS_FOLDER

DEVICE = "demo-desk"
LIST = "sltd"
_WITHIN_S = 60

_DEVICE_TOML = """
[device]
name = "{device}"
site = "Utopia North"
lane = "1"
data = {data}

[[sources]]
kind = "folder"
name = "specimens"
path = {specimens}
loop = {loop}

[lists]
folder = {lists}
keys = {list_keys}
[[lists.use]]
name = "{list}"

[clock]
trust = "machine"

[panel]
pins = "mock"
hold_seconds = 0.5

[kiosk]
enabled = true
port = {kiosk_port}

[broker]
host = "127.0.0.1"
port = {port}
protocol = "3.1.1"
tls = false
keepalive_seconds = 5

[identity]
folder = {identity}
"""

_CENTRAL_TOML = """
[broker]
host = "127.0.0.1"
port = {port}
protocol = "3.1.1"
group = ""

[store]
url = {store}

[keys]
folder = {keys}

[console]
port = {console_port}
"""


class SiteFailed(Exception):
    """A step of the set-up failed; the message says which."""


@dataclass(frozen=True)
class Site:
    """Where everything of the demo is. `password` is the one of both users of the console."""

    folder: Path
    console_port: int
    kiosk_port: int
    password: str

    @property
    def kiosk(self) -> str:
        """Where the officer's page is."""
        return f"http://127.0.0.1:{self.kiosk_port}/"

    @property
    def console(self) -> str:
        """Where the console is."""
        return f"http://127.0.0.1:{self.console_port}/"

    @property
    def device_toml(self) -> Path:
        return self.folder / "borderpost.toml"

    @property
    def central_toml(self) -> Path:
        return self.folder / "central.toml"

    def central(self, *arguments: str) -> list[str]:
        """The command line of one of central's commands at this site."""
        return [sys.executable, "-m", "central.cli", *arguments, "--config", str(self.central_toml)]

    def ask_central(self, *arguments: str, typed: str = "") -> str:
        """What one of central's commands prints. Raises SiteFailed."""
        return _run(self.central(*arguments), typed)


def set_up(folder: Path, port: int, *, loop: bool) -> Site:
    """A site whose broker is at `port` on this machine. Raises SiteFailed."""
    site = Site(folder, free_port(), free_port(), secrets.token_urlsafe(12))
    (folder / "data").mkdir()
    site.central_toml.write_text(
        _CENTRAL_TOML.format(
            port=port,
            store=_quoted(f"sqlite:///{folder}/central.db"),
            keys=_quoted(folder / "central-keys"),
            console_port=site.console_port,
        )
    )
    site.device_toml.write_text(
        _DEVICE_TOML.format(
            device=DEVICE,
            list=LIST,
            data=_quoted(folder / "data"),
            specimens=_quoted(SPECIMENS_FOLDER),
            loop=str(loop).lower(),
            lists=_quoted(folder / "lists"),
            list_keys=_quoted(folder / "list-keys"),
            port=port,
            kiosk_port=site.kiosk_port,
            identity=_quoted(folder / "identity"),
        )
    )
    site.ask_central("enrol", DEVICE, str(folder / "identity"))
    for user in ("operator", "supervisor"):
        site.ask_central("users", "add", user, "--role", user, typed=f"{site.password}\n")
    source = SPECIMENS_FOLDER / "demo-list.csv"
    build = [sys.executable, "-m", "central.cli", "lists", "build"]
    key = str(folder / "list-keys" / f"{LIST}.key")
    _run([sys.executable, "-m", "central.cli", "lists", "new-key", LIST, "--key", key])
    _run([*build, str(source), str(folder / "lists"), "--name", LIST, "--key", key])
    return site


def _quoted(value: Path | str) -> str:
    """A TOML basic string: JSON's strings are a subset."""
    return json.dumps(str(value))


def _run(command: list[str], typed: str = "") -> str:
    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, timeout=_WITHIN_S, check=False
    )
    if done.returncode != 0:
        what = " ".join(command[3:5])
        raise SiteFailed(f"borderpost-central {what}: {done.stderr.strip()}")
    return done.stdout
