"""Says to the devices of a ring that something is published for them.

A hint is signed by central, bound to its ring, and its counter is above every earlier one's to that
ring: whoever keeps one and says it again wakes nobody. A broker keeps the latest (retained), so a
device that was away hears it on its next connection. It wakes devices and decides nothing: what is
trusted, the repository says.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

from central.answering.voice import Voice
from central.brokers.every_broker import at_every_broker
from central.enrolment.authority import Authority
from central.moments import to_ms
from central.settings import Settings
from central.store.rows import put_rows
from central.store.schema import hints
from central.store.store import Store
from scanner.alert import UpdateData

_MOST = 128


def say(settings: Settings, store: Store, ring: str, what: str) -> None:
    """Says to `ring`, at every broker, that `what` is published. Raises LinkDown where one of them
    did not take it, KeyFault and StoreFault."""
    data = UpdateData(ring=ring, counter=_counter(store, ring), publication=what[:_MOST])
    message = Voice(Authority(settings.keys.folder)).say_to_ring(data)
    at_every_broker(settings, message, retain=True)


def _counter(store: Store, ring: str) -> int:
    """The next counter of a ring: the time in milliseconds where that is greater."""
    with store.changing(quietly=True) as tx:
        chosen = sa.select(hints.c.counter).where(hints.c.ring == ring).with_for_update()
        counter = max((tx.scalar(chosen) or 0) + 1, to_ms(datetime.now(UTC)))
        put_rows(tx, hints, [{"ring": ring, "counter": counter}])
    return counter
