"""A desk as it is installed: settings, identity, a list of any size, a broker's port."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.listing.building import secret_of
from benchmarks.listing.running import run
from benchmarks.listing.settings import LIST, Settings
from benchmarks.listing.stages import stages_of, with_needs
from central.enrolment.authority import Authority
from firmware.demo.broker import free_port
from scanner.watchlist.keyring import write_keys
from scanner.watchlist.listkey import ListKey

ROOT = Path(__file__).resolve().parents[2]
CAMERA = Path(__file__).with_name("camera.py")
_CONFIG = """
[device]
name = "{device}"
site = "Utopia North"
data = {data}
[[sources]]
kind = "folder"
name = "pictures"
path = {pictures}
{camera}
[lists]
folder = {lists}
keys = {keys}
[[lists.use]]
name = "{list}"
max_age_hours = 8760
[clock]
trust = "machine"
[kiosk]
enabled = true
port = {kiosk}
[broker]
host = "127.0.0.1"
port = {broker}
tls = false
[identity]
folder = {identity}
"""
_CAMERA = """
[[sources]]
kind = "rpicam"
name = "camera"
command = {command}
"""


@dataclass(frozen=True)
class Site:
    """What the desks of a run share. Each has a folder of its own for what it writes."""

    work: Path
    lists: Path
    keys: Path
    broker: int

    def desk(self, name: str, pictures: Path, *, camera: bool) -> Path:
        """The configuration of a new desk that reads these pictures, and then, where there is a
        camera, waits under it."""
        data = self.work / name
        Authority(self.work / "central").enrol(name, data / "identity")
        config = self.work / f"{name}.toml"
        command = f"{sys.executable} {CAMERA}"
        config.write_text(
            _CONFIG.format(
                device=name,
                data=_quoted(data),
                pictures=_quoted(pictures),
                camera=_CAMERA.format(command=_quoted(command)) if camera else "",
                lists=_quoted(self.lists),
                keys=_quoted(self.keys),
                list=LIST,
                kiosk=free_port(),
                broker=self.broker,
                identity=_quoted(data / "identity"),
            )
        )
        return config


def made(work: Path, kept: Settings, broker: int, say: Callable[[str], None]) -> Site:
    """A site with the list of `kept`, which is built where it is not there yet, by the stages of
    the lists' benchmark and into its folder. Raises ValueError, with one line."""
    kept.write()
    not_done = run(kept, with_needs(["in-force"], stages_of(kept)), say)
    for stage, why in not_done.items():
        raise ValueError(f"the list was not built: {stage}: {why}")
    keys = work / "list-keys"
    keys.mkdir(parents=True)
    write_keys(keys / f"{LIST}.key", [ListKey(secret_of(kept))])
    return Site(work, kept.lists, keys, broker)


def _quoted(value: Path | str) -> str:
    """A TOML basic string: JSON's strings are a subset."""
    return json.dumps(str(value))
