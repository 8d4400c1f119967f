"""Two documents laid under the Pi's camera one after the other: two verdicts, one alert."""

import shlex
import sys
from pathlib import Path

from firmware.demo.catalogue import SPECIMENS_FOLDER
from tests.delivery.broker import Broker
from tests.journeys.whole_site import WholeSite, wait_for

STAND_IN = Path(__file__).parents[1] / "reading" / "rpicam_desk.py"
LIST = SPECIMENS_FOLDER / "demo-list.csv"


def _rpicam(*files: str) -> str:
    """A camera over a bare desk on which each document lies for three seconds."""
    laid = [f"{SPECIMENS_FOLDER / file}:3:0" for file in files]
    scenes = [scene for lies in laid for scene in ("-:2:0", lies)]
    command = shlex.join([sys.executable, str(STAND_IN), *scenes, "-:2:0"])
    return f'[[sources]]\nkind = "rpicam"\nname = "pi-camera"\ncommand = "{command}"\n'


def test_each_document_is_captured_once_and_the_listed_one_reaches_central(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, WholeSite(tmp_path, broker.port, source=LIST) as site:
        site.add_source(_rpicam("02-passport-stolen.jpg", "01-passport.jpg"))
        broker.start()
        site.start_headquarters()
        site.start_desk()
        wait_for(lambda: len(site.outcomes()) >= 2, within_s=60)
        wait_for(lambda: site.waiting() == 0)
        assert site.outcomes() == ["HIT", "CLEAR"]
        (alert,) = site.alerts()
        assert alert["document"]["number"] == "H48273961"
