"""Tells the desk's screens how the link is, whenever that changes: up or down, and how many alerts
wait for central. An officer must know that nobody at central has heard of a hit yet."""

import logging
from collections.abc import Callable, Sequence
from threading import Event

from firmware.delivery.link import LinkState
from firmware.screen import Screen, on_screens

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5


class LinkWatch:
    """Run `run(stop)` in a thread of its own."""

    def __init__(self, state: Callable[[], LinkState], screens: Sequence[Screen]) -> None:
        self._state = state
        self._screens = screens
        self._told: LinkState | None = None

    def run(self, stop: Event) -> None:
        """Looks until `stop`."""
        while not stop.is_set():
            self.look()
            stop.wait(_LOOK_EVERY_S)

    def look(self) -> None:
        """Looks once."""
        state, told = self._state(), self._told
        if told is not None and (state.connected, state.alerts) == (told.connected, told.alerts):
            return
        self._told = state
        if not state.connected and state.alerts != (told.alerts if told is not None else 0):
            log.warning("desk: %s", state)
        on_screens(self._screens, lambda screen: screen.link(state))
