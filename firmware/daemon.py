"""The box as a service: it runs until it is told to end, and tells systemd how it is.

The watchdog is told that all is well only while the desk makes progress, so a desk that hangs is
started anew by systemd.
"""

import logging
import signal
import time
from collections.abc import Sequence
from functools import partial
from threading import Event
from types import FrameType

from firmware.box import STUCK_AFTER_S, Box
from firmware.notify import notify, watchdog_interval_s
from firmware.screen import Screen
from firmware.settings import Settings

log = logging.getLogger(__name__)

_WATCH_EVERY_S = 0.25


def run_until_told(settings: Settings, screens: Sequence[Screen] = ()) -> None:
    """Runs the box until SIGTERM or SIGINT. Raises CannotStart, and GaveUp after stopping."""
    told = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, partial(_note_signal, told))
    box = Box(settings, screens)
    box.start()
    notify("READY=1")
    log.info("borderpost is ready")
    try:
        _watch_until(told, box)
    finally:
        notify("STOPPING=1")
        log.info("borderpost is stopping")
        box.stop()


def _watch_until(told: Event, box: Box) -> None:
    interval = watchdog_interval_s()
    pinged = time.monotonic()
    while not told.wait(_WATCH_EVERY_S):
        box.watch()
        now = time.monotonic()
        if interval is not None and now - pinged >= min(interval, 1.0):
            if box.stuck:
                log.error("the desk has made no progress for %.0f s", STUCK_AFTER_S)
            else:
                notify("WATCHDOG=1")
            pinged = now


def _note_signal(told: Event, number: int, frame: FrameType | None) -> None:
    told.set()
