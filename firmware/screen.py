"""What is shown at the desk, and to whom: the seam between the desk and everything that shows it.

The officer's page, the demo's terminal and the tests are screens alike. The desk tells each of them
the same, and none of them can hold it up or keep anything from another.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from firmware.delivery.link import LinkState
from scanner.alert import AnswerOutcome
from scanner.examine import Examination
from scanner.failing import where

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shown:
    """What the officer sees of one document: the examination, its alert and the desk's faults.
    `capture_id` names it for as long as it is on a screen."""

    examination: Examination
    alert_id: str | None
    faults: tuple[str, ...]
    capture_id: str
    at: datetime
    drill: bool = False
    """Whether it is a specimen of a drill. Whatever a drill does not know is real."""


@dataclass(frozen=True)
class Reply:
    """Central's answer to an alert of this desk, as the officer sees it: what it found, what to do,
    and until when it holds. `still_shown` says that its document is the one on the screen."""

    alert_id: str
    outcome: AnswerOutcome
    instruction: str
    at: datetime
    until: datetime
    still_shown: bool
    drill: bool = False
    """Whether it is about a specimen, and no answer of central's."""


class Screen(Protocol):
    """Anything that shows what happens at the desk. Each method may be called from another thread,
    and none may take long."""

    def busy(self) -> None:
        """A document is being examined: what was said of the last one no longer stands."""
        return

    def ready(self) -> None:
        """What was shown has stood for long enough."""
        return

    def show(self, shown: Shown) -> None: ...

    def answered(self, reply: Reply) -> None: ...

    def link(self, state: LinkState) -> None: ...


def on_screens(screens: Sequence[Screen], show: Callable[[Screen], None]) -> None:
    """Shows something on every screen; one that fails keeps nothing from the others, nor from the
    thread that brought it."""
    for screen in screens:
        try:
            show(screen)
        except Exception as error:
            # A screen can raise anything, and the text of it could quote a document.
            log.error("desk: a screen failed: %s at %s", type(error).__name__, where(error))
