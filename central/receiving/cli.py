"""`borderpost-central receive`: takes in what devices send."""

import logging
import signal
import sys
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from central.enrolment.authority import Authority
from central.opening import DEFAULT_CONFIG, open_store, sources
from central.receiving.receiver import Receiver
from central.receiving.show import print_alert
from central.settings import load

Config = Annotated[Path, typer.Option("--config", help="The configuration file.")]


def receive(config: Config = DEFAULT_CONFIG) -> None:
    """Receives alerts and prints each as it arrives, until SIGTERM."""
    settings = load(config)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s", stream=sys.stderr)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_store(settings, waiting=stop) as store:
        receiver = Receiver(
            sources(settings),
            store,
            Authority(settings.keys.folder),
            print_alert,
            settings.retention,
        )
        receiver.run(stop)
