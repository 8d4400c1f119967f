"""The receiver: takes in what devices say from every broker, and carries answers back to them.

Each broker has a connection and a thread of its own (`central.receiving.intake`); further threads
carry what the store holds to devices (`central.answering.courier`) and show alerts to the operator
(`central.receiving.showing`). Any number of receivers share the work: all that must last or be
agreed upon is in the store.
"""

import threading
from collections.abc import Callable, Sequence
from threading import Event as Signal

from central.answering.courier import Courier
from central.answering.key_telling import KeyTeller
from central.answering.voice import Voice
from central.enrolment.authority import Authority
from central.receiving.counting import Counting
from central.receiving.inflow import Source
from central.receiving.intake import Intake
from central.receiving.purging import Purging
from central.receiving.showing import Showing
from central.settings import RetentionSettings
from central.store.store import AlertRow, Store

GOODBYE_WITHIN_S = 8.0
"""How long a part may take to end; a terminal that stands still holds up no end."""


class Receiver:
    """Run `run(stop)` in a thread of its own. `show` is given each alert once, when it is safely
    stored. Raises KeyFault where central has no key."""

    def __init__(
        self,
        sources: Sequence[Source],
        store: Store,
        authority: Authority,
        show: Callable[[AlertRow], None],
        retention: RetentionSettings | None = None,
    ) -> None:
        voice = Voice(authority)
        keys = KeyTeller(store, authority, voice)
        self._counting = Counting(store)
        self._showing = Showing(store, show)
        self._purging = Purging(store, retention or RetentionSettings())
        self._intakes = [
            Intake(source, store, authority, voice, keys, self._counting, self._showing.add)
            for source in sources
        ]
        self._courier = Courier(store, voice, keys, list(self._intakes))
        self._died: BaseException | None = None

    @property
    def connected(self) -> bool:
        """Whether a broker is there and took the subscriptions."""
        return any(intake.connected for intake in self._intakes)

    @property
    def refused(self) -> int:
        """Messages that were not believed since the start."""
        return sum(intake.refused for intake in self._intakes)

    def run(self, stop: Signal) -> None:
        """Receives until `stop`. Whatever a broker or the store does, it is tried again."""
        ended = Signal()
        parts = [
            *(intake.run for intake in self._intakes),
            *(part.run for part in (self._courier, self._counting, self._showing, self._purging)),
        ]
        threads = [
            threading.Thread(target=self._guarded, args=(part, ended), daemon=True)
            for part in parts
        ]
        for thread in threads:
            thread.start()
        while not stop.wait(0.1) and not ended.is_set():
            pass
        ended.set()
        self._courier.wake()
        self._showing.wake()
        for intake in self._intakes:
            intake.wake()
        for thread in threads:
            thread.join(GOODBYE_WITHIN_S)
        if self._died is not None:
            raise self._died

    def _guarded(self, part: Callable[[Signal], None], ended: Signal) -> None:
        """Runs a part; one that dies ends all, so that whoever watches over us starts us anew."""
        try:
            part(ended)
        except BaseException as error:
            self._died = self._died or error
            ended.set()
