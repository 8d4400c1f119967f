"""`python -m firmware.kiosk.stage`: a desk to look at, for whoever works on its page.

It is the whole box of the demo (broker, headquarters, lists, outbox and all) with the specimens,
but nothing happens by itself: a line on standard input names what is put under the camera, as
`help` tells. The page's address is printed first.
"""

import sys
import tempfile
from pathlib import Path
from threading import Event

from firmware.daemon import Box
from firmware.demo.broker import DemoBroker
from firmware.demo.catalogue import SPECIMENS, SPECIMENS_FOLDER
from firmware.demo.stage import set_up
from firmware.settings import KioskSettings, load
from scanner.sources.capture import Capture, Fault
from scanner.sources.replay import Replay

_HELP = """1 … {n}   put this specimen on the desk:
{specimens}
fault   a picture that cannot be taken
quit"""


def main() -> None:
    """Runs until the input ends."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8711
    with tempfile.TemporaryDirectory(prefix="borderpost-stage-") as folder, DemoBroker() as broker:
        site = set_up(Path(folder), broker.port, loop=False)
        kiosk = KioskSettings(enabled=True, port=port)
        box = Box(load(site.device_toml).model_copy(update={"kiosk": kiosk}), sources=())
        box.start()
        try:
            print(f"the officer's page: http://127.0.0.1:{port}/", flush=True)
            print(_help(), flush=True)
            for line in sys.stdin:
                if line.strip() == "quit":
                    break
                _do(box, line.strip())
        finally:
            box.stop()


def _do(box: Box, line: str) -> None:
    if line == "fault":
        box.desk.offer(Capture("camera", fault=Fault("camera", "camera: no frames")), Event())
    elif line.isdigit() and 0 < int(line) <= len(SPECIMENS):
        path = SPECIMENS_FOLDER / SPECIMENS[int(line) - 1].file
        for capture in Replay([path]).captures(Event()):
            box.desk.offer(capture, Event())
    else:
        print(_help(), flush=True)


def _help() -> str:
    specimens = "\n".join(f"        {n} {one.file}" for n, one in enumerate(SPECIMENS, start=1))
    return _HELP.format(n=len(SPECIMENS), specimens=specimens)


if __name__ == "__main__":
    main()
