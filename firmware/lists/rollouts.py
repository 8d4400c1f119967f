"""Tells central what became of each publication at this device, through the outbox: it is told
although the link is down when it happens.

What a result says is about lists and servers, never about a document.
"""

from collections.abc import Callable
from datetime import datetime

from firmware.delivery.outbox import Outbox
from firmware.updates.attempt import Result
from scanner.alert import Message, RolloutData, rollout_reason


class Rollouts:
    """For the updates of the lists for `ring`."""

    def __init__(self, outbox: Outbox, ring: str, clock: Callable[[], datetime]) -> None:
        self._outbox = outbox
        self._ring = ring
        self._clock = clock

    def tell(self, result: Result) -> None:
        """Puts a result into the outbox. Raises DiskFault."""
        now = self._clock()
        data = RolloutData(
            list=result.list,
            ring=self._ring,
            outcome=result.outcome,
            from_version=result.from_version,
            version=result.version,
            publication=result.publication,
            bytes=result.bytes,
            took_ms=round(result.seconds * 1000),
            code=result.code,
            reason=rollout_reason(result.reason),
            at=now,
        )
        self._outbox.put(Message.ROLLOUT, data, now)
