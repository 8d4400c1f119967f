"""Which waiting messages to publish, and when again: a bounded window with exponential back-off.

At most `size` messages are on their way at a time: as many as one acknowledgement can name, so that
a long queue goes in large strides and central answers each with one commit. A message that stays
unacknowledged is published again after a time that doubles with each try, give or take a fifth, so
that a fleet does not speak in chorus. After some tries it gives up its place, so that a message
which central keeps refusing holds up no other; of such laggards there are at most `laggards`, and
they go on being published. A word of central's after a silence makes everything due at once.
Nothing in here lasts: a new connection starts with an empty window, and everything is published
again.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from scanner.alert import MAX_ACKS
from scanner.backoff import spread

YIELDS_AFTER = 3
"""Tries after which a message no longer counts against the window."""
QUIET_S = 10.0
"""A word of central's after so long a silence means that it is back: nothing waits longer."""

JUST_SENT_S = 1.0
"""What went so short a time ago is left to be acknowledged."""


@dataclass
class _Try:
    tries: int
    due: float
    sent_at: float


class Window:
    """The messages on their way, by their n; times are monotonic seconds. Used by one thread."""

    def __init__(
        self,
        size: int = MAX_ACKS,
        laggards: int = 1000,
        first_s: float = 2.0,
        longest_s: float = 300.0,
    ) -> None:
        self._size = size
        self._laggards = laggards
        self.first_s = first_s
        self.longest_s = longest_s
        self._tries: dict[int, _Try] = {}
        self._heard_at = float("-inf")

    @property
    def room(self) -> int:
        """How many messages may be published for the first time."""
        young = sum(1 for one in self._tries.values() if one.tries < YIELDS_AFTER)
        if len(self._tries) - young >= self._laggards:
            return 0
        return max(0, self._size - young)

    def __contains__(self, n: int) -> bool:
        return n in self._tries

    def sent(self, n: int, now: float) -> None:
        """`n` was published at `now`."""
        one = self._tries.setdefault(n, _Try(0, now, now))
        pause = min(self.longest_s, self.first_s * 2**one.tries)
        one.tries += 1
        one.due = now + spread(pause)
        one.sent_at = now

    def due(self, now: float) -> list[int]:
        """What to publish again, oldest first."""
        return sorted(n for n, one in self._tries.items() if one.due <= now)

    def until_due(self, now: float) -> float:
        """Seconds until something is due."""
        return max(0.0, min((one.due for one in self._tries.values()), default=now + 3600) - now)

    def done(self, numbers: Iterable[int], now: float) -> None:
        """Central has acknowledged these."""
        for n in numbers:
            self._tries.pop(n, None)
        self.heard(now)

    def heard(self, now: float) -> None:
        """Central said something. After a silence everything is due at once, but what has only just
        gone, and the pauses grow anew; what had given up its place does not take it back."""
        if now - self._heard_at > QUIET_S:
            for one in self._tries.values():
                one.tries = min(one.tries, YIELDS_AFTER)
                if now - one.sent_at >= JUST_SENT_S:
                    one.due = min(one.due, now)
        self._heard_at = now

    def drop(self, numbers: Iterable[int]) -> None:
        """These wait no longer, for whatever reason."""
        for n in numbers:
            self._tries.pop(n, None)

    def forget(self) -> None:
        """A new connection: everything is to be published again."""
        self._tries.clear()
        self._heard_at = float("-inf")
