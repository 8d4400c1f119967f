"""How many instructions a piece of work takes, on both architectures, and in what ratio.

QEMU's emulator of programs says what it executes to a plugin (`count_instructions.c`, compiled
here). The emulator that takes plugins is Debian's package qemu-user; it is run within the device's
root, but with this machine's own libraries, from this machine's files, which are seen there below
/host.
"""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from roots import PLACE, CannotTry, Done, Root, holds

_HERE = Path(__file__).resolve().parent
_EMULATORS = {"arm64": "qemu-aarch64", "amd64": "qemu-x86_64"}
_CPU = {"arm64": "", "amd64": "-cpu max "}
_LIBRARIES = "/host/usr/lib/x86_64-linux-gnu:/host/lib/x86_64-linux-gnu:/host/usr/lib"
_LOADER = Path("/lib64/ld-linux-x86-64.so.2")
_BEFORE = 'mkdir -p "$0/host" && mount --rbind / "$0/host"'
_RATIO_TO = "parsing its lines"


def counts(roots: Sequence[Root], work: Path, show: Callable[[str], None]) -> Iterator[str]:
    """A line for each kind of work, both architectures in it."""
    plugin = work / "count_instructions.so"
    _compile(plugin)
    counted = {root.arch: _counted(root, plugin, show) for root in roots}
    arm, twin = (counted[root.arch] for root in roots)
    least = arm[_RATIO_TO]
    for name, instructions in arm.items():
        yield (
            f"{name}: {instructions:,.0f} instructions, {instructions / least:,.1f} × "
            f"{_RATIO_TO}; {twin[name]:,.0f} on x86-64"
        )


def _compile(plugin: Path) -> None:
    source = str(_HERE / "count_instructions.c")
    command = ["gcc", "-O2", "-shared", "-fPIC", "-fvisibility=hidden", "-o", str(plugin), source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotTry(f"the plugin that counts cannot be compiled: {done.stderr.strip()[-200:]}")


def _counted(root: Root, plugin: Path, show: Callable[[str], None]) -> dict[str, float]:
    """Instructions of each kind of work in a device, once."""
    out = f"{PLACE}/counts"
    emulator = f"/host/usr/bin/{_EMULATORS[root.arch]} {_CPU[root.arch]}"
    plugged = f"-plugin /host{plugin},out={out}"
    program = f"/opt/borderpost/current/bin/python {PLACE}/counted.py"
    given = f"{PLACE}/pictures/01-passport.jpg {PLACE}/day-1 {PLACE}/day-1-keys"
    loaded = f"/host{_LOADER.resolve()} --library-path {_LIBRARIES} {emulator}"
    command = f"{loaded}{plugged} {program} {given}"
    show(f"{root.arch}: counting")
    done = root.run(
        command, before=_BEFORE, tell=lambda row: show(f"{root.arch}: counted {row.strip()}")
    )
    holds(done.code == 0, f"{root.arch}: counting: {_why(done)}")
    at = [int(row) for row in root.path(out).read_text().split()]
    kinds = [json.loads(row) for row in done.out.splitlines()]
    return {
        name: (after - before) / times
        for (name, times), before, after in zip(kinds, at[::2], at[1::2], strict=True)
    }


def _why(done: Done) -> str:
    """What stands in the way, most of all an emulator without plugins."""
    return done.all.strip()[-300:] or f"exit code {done.code}"
