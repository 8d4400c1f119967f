"""What stands at a desk, as the system sees it: cameras, serial scanners, pins, a screen.

By names that stay: what udev's rules of ours call a scanner says its maker too, and with that the
family that it speaks; anything else serial speaks rows of text until somebody says otherwise.
Everything is read below the `Kernel`'s root, so that a folder of files can stand for any machine;
the Pi's own camera alone is asked for through its program.
"""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from firmware.doctor.kernel import Kernel
from scanner.sources.families import FAMILIES

_CAMERAS = ("dev/v4l/by-id/*-video-index0", "dev/v4l/by-path/*-usb-*-video-index0")
_SCANNERS = ("dev/borderpost/scanner-*", "dev/serial/by-id/*")
_LISTED = re.compile(rb"^\s*\d+\s*:\s*\w+", re.MULTILINE)
_LISTING_S = 20.0


@dataclass(frozen=True)
class Found:
    """A device that documents can come from, as a source is configured: `place` is its path in
    /dev, or None for the Pi's own camera."""

    kind: str
    place: str | None
    family: str | None = None

    def __str__(self) -> str:
        if self.place is None:
            return "the Pi's own camera"
        family = f", {FAMILIES[self.family].title}" if self.family else ""
        return f"{'scanner' if self.kind == 'serial' else 'camera'} {self.place}{family}"


@dataclass(frozen=True)
class Machine:
    """What was found. `header` says whether there are pins for lamps, `screen` whether one is
    plugged in."""

    devices: tuple[Found, ...]
    header: bool
    screen: bool


def look(kernel: Kernel, pi_camera: str = "rpicam-vid") -> Machine:
    """What is at this machine now."""
    devices = (*_scanners(kernel), *_usb_cameras(kernel), *_pi_cameras(pi_camera))
    model = kernel.text("proc/device-tree/model") or ""
    screens = (kernel.text(status) for status in kernel.there("sys/class/drm/card*-*/status"))
    return Machine(
        devices=devices,
        header=model.startswith("Raspberry Pi") and bool(kernel.there("dev/gpiochip*")),
        screen="connected" in screens,
    )


def _scanners(kernel: Kernel) -> Iterator[Found]:
    for path in _each_once(kernel, _SCANNERS):
        maker = path.rpartition("scanner-")[2] if "/borderpost/" in path else ""
        yield Found("serial", path, maker if maker in FAMILIES else "generic")


def _usb_cameras(kernel: Kernel) -> Iterator[Found]:
    return (Found("camera", path) for path in _each_once(kernel, _CAMERAS))


def _pi_cameras(program: str) -> Iterator[Found]:
    """The first of the cameras on the Pi's own connector: rpicam-vid takes that by itself."""
    try:
        listed = subprocess.run(
            [*shlex.split(program), "--list-cameras"],
            capture_output=True,
            timeout=_LISTING_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    if listed.returncode == 0 and _is_on_the_connector(listed.stdout + listed.stderr):
        yield Found("rpicam", None)


def _is_on_the_connector(listed: bytes) -> bool:
    """libcamera lists USB cameras too; those have "usb" in their path."""
    return any(_LISTED.match(row) and b"usb" not in row.lower() for row in listed.splitlines())


def _each_once(kernel: Kernel, patterns: tuple[str, ...]) -> Iterator[str]:
    """The paths that patterns fit, each device by the first of its names alone."""
    seen = set()
    for pattern in patterns:
        for path in kernel.there(pattern):
            device = (kernel.root / path).resolve()
            if device not in seen:
                seen.add(device)
                yield f"/{path}"
