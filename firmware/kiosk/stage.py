"""`python -m firmware.kiosk.stage [PORT]`: a desk to look at, for whoever works on its page.

It is the whole box of the demo (broker, lists, outbox and all) under a camera that sees what it is
told to see: the desk, and a specimen that is put on it. Nothing happens by itself; a line on
standard input says what does, as `help` tells. Tests use the same `Stage`.
"""

import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import cv2
import numpy as np

from firmware.box import Box
from firmware.demo.broker import DemoBroker, free_port
from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.demo.stage import set_up
from firmware.kiosk.server import Kiosk
from firmware.officers.officers import Officers
from firmware.officers.roles import Role
from firmware.settings import Settings, load
from scanner.alert import AnswerData, AnswerOutcome
from scanner.sources.camera import Camera, StreamError
from scanner.sources.capture import Capture, Fault, Frame
from scanner.sources.presence import State

_WIDTH, _HEIGHT = 1440, 1080
_EVERY_S = 0.05
_WITHIN_S = 20.0
_ANSWERS = {"yes": AnswerOutcome.CONFIRMED, "no": AnswerOutcome.NOT_CONFIRMED}


class StagedStream:
    """A camera that sees an empty desk, or a picture that was laid on it, and noise like any."""

    def __init__(self) -> None:
        self._noise = np.random.default_rng(1)
        self._desk = np.full((_HEIGHT, _WIDTH), 70, np.uint8)
        self._seen: Frame = self._desk
        self.shift = 0
        self.lost = False

    def lay(self, picture: Frame | None) -> None:
        """Lays a picture on the desk, or clears it."""
        seen = self._desk.copy()
        if picture is not None:
            scale = min(1.0, 0.94 * _WIDTH / picture.shape[1], 0.94 * _HEIGHT / picture.shape[0])
            size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
            small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            top, left = (_HEIGHT - size[1]) // 2, (_WIDTH - size[0]) // 2
            seen[top : top + size[1], left : left + size[0]] = small
        self._seen = seen

    def open(self) -> None:
        if self.lost:
            raise StreamError("the staged camera was unplugged; plug it in again")

    def read(self) -> Frame:
        time.sleep(_EVERY_S)
        if self.lost:
            raise StreamError("the staged camera was unplugged; plug it in again")
        seen = np.roll(self._seen, self.shift, axis=1) if self.shift else self._seen
        noise = self._noise.integers(-2, 3, seen.shape, np.int8)
        return np.asarray(cv2.add(seen, noise, dtype=cv2.CV_8U), np.uint8)

    def close(self) -> None:
        return


class Stage:
    """A running box at a site of its own in `folder`; `changes` are made to its settings."""

    def __init__(self, folder: Path, broker_port: int, port: int, **changes: Any) -> None:
        self.folder = folder
        self.site = set_up(folder, broker_port, loop=False)
        self._settings = _staged(load(self.site.device_toml), port, folder, changes)
        self._answers = 0
        self._open()

    @property
    def kiosk(self) -> Kiosk:
        """The page's server."""
        kiosk = self.box.kiosk
        if kiosk is None:
            raise RuntimeError("the stage has no kiosk")
        return kiosk

    def restart(self) -> None:
        """Ends the daemon's parts and starts them anew, on the same disk and port."""
        self.stop()
        self._open()

    def stop(self) -> None:
        """Ends everything."""
        self._over.set()
        self._watching.join()
        self.box.stop()

    def put(self, number: int) -> None:
        """Puts the specimen of that number under the camera, from 1 on."""
        path = SPECIMENS_FOLDER / SPECIMENS[number - 1].file
        self.stream.lay(np.asarray(cv2.imread(str(path), cv2.IMREAD_GRAYSCALE), np.uint8))

    def put_blurred(self, number: int) -> None:
        """The same so blurred that nothing can be read."""
        self.put(number)
        self.stream.lay(np.asarray(cv2.GaussianBlur(self.stream.read(), (0, 0), 6), np.uint8))

    def clear(self) -> None:
        """Takes everything off the desk."""
        self.stream.lay(None)

    def wave(self, seconds: float = 3.0) -> None:
        """Moves what lies there to and fro."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.stream.shift = (self.stream.shift + 40) % 200
            time.sleep(_EVERY_S)
        self.stream.shift = 0

    def fail(self) -> None:
        """A capture that could not be examined."""
        self.box.desk.offer(Capture("camera", fault=Fault("camera", "camera: no frames")), Event())

    def answer(self, outcome: AnswerOutcome, instruction: str) -> None:
        """Central answers the newest alert that waits, as the link would bring it."""
        waiting = [one for one in self.box.referrals.known if one.answer is None]
        if not waiting:
            return
        self._answers += 1
        now = datetime.now(UTC)
        until = now + timedelta(hours=8)
        self.box.desk.answered(
            AnswerData(
                device="demo-desk",
                counter=self._answers,
                alert=waiting[0].alert_id,
                outcome=outcome,
                instruction=instruction,
                at=now,
                until=until,
            )
        )

    def _open(self) -> None:
        self.stream = StagedStream()
        camera = Camera("camera", self.stream)
        self.box = Box(self._settings, sources=[camera])
        self.box.start()
        self._over = Event()
        self._watching = Thread(target=self._watch, name="stage", daemon=True)
        self._watching.start()
        deadline = time.monotonic() + _WITHIN_S
        while camera.state is not State.EMPTY and time.monotonic() < deadline:
            time.sleep(_EVERY_S)

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            self.box.watch()


@contextlib.contextmanager
def staged(port: int | None = None, **changes: Any) -> Iterator[Stage]:
    """A stage at a port, or a free one."""
    with tempfile.TemporaryDirectory(prefix="borderpost-stage-") as folder, DemoBroker() as broker:
        stage = Stage(Path(folder), broker.port, port or free_port(), **changes)
        try:
            yield stage
        finally:
            stage.stop()


def _staged(settings: Settings, port: int, folder: Path, changes: dict[str, Any]) -> Settings:
    """The demo's settings with a page; `changes` are sections or parts of them, by dotted names
    with two underscores for the dot."""
    told = settings.model_dump()
    told["kiosk"] |= {"enabled": True, "port": port}
    told["officers"]["file"] = folder / "officers.json"
    for name, value in changes.items():
        section, _, key = name.partition("__")
        told[section][key] = value
    return Settings.model_validate(told)


_HELP = """1 ... {n}  put this specimen under the camera:
{specimens}
clear    take it away          wave    move it to and fro
blurred  put a blurred one     fault   a capture that fails
lost     unplug the camera     back    plug it in again
yes TEXT, no TEXT, more TEXT   central's answer, with its instruction
blank    blank the page, or show it again
restart  end the daemon and start it anew
quit"""


def main() -> None:
    """Runs until the input ends. A second argument, `pin` or `badge`, has officers sign in: anna,
    an officer, and sven, a supervisor, with PIN or badge 428190 and 730255."""
    logging.basicConfig(level=logging.WARNING)
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8711
    mode = sys.argv[2] if len(sys.argv) > 2 else "off"
    with staged(port, officers__sign_in=mode) as stage:
        if mode != "off":
            _hire(Officers(stage.folder / "officers.json"), mode)
        print(f"the officer's page: {stage.kiosk.address}", flush=True)
        print(_help(), flush=True)
        for line in sys.stdin:
            if line.strip() == "quit":
                break
            _do(stage, *line.strip().partition(" ")[::2])


def _hire(officers: Officers, mode: str) -> None:
    officers.add("anna", Role.OFFICER, **{mode: "428190"})
    officers.add("sven", Role.SUPERVISOR, **{mode: "730255"})


def _do(stage: Stage, word: str, text: str) -> None:
    if word.isdecimal() and 0 < int(word) <= len(SPECIMENS):
        stage.put(int(word))
    elif word in ("yes", "no", "more"):
        stage.answer(_ANSWERS.get(word, AnswerOutcome.NEED_MORE), text or "Call the supervisor.")
    elif word in _WORDS:
        _WORDS[word](stage)
    else:
        print(_help(), flush=True)


def _lose(stage: Stage, lost: bool) -> None:
    stage.stream.lost = lost


_WORDS: dict[str, Any] = {
    "clear": Stage.clear,
    "wave": Stage.wave,
    "blurred": lambda stage: stage.put_blurred(1),
    "fault": Stage.fail,
    "lost": lambda stage: _lose(stage, True),
    "back": lambda stage: _lose(stage, False),
    "blank": lambda stage: stage.kiosk.display.blank(),
    "restart": Stage.restart,
}


def _help() -> str:
    specimens = "\n".join(f"         {n} {one.file}" for n, one in enumerate(SPECIMENS, start=1))
    return _HELP.format(n=len(SPECIMENS), specimens=specimens)


if __name__ == "__main__":
    main()
