"""Blows to a site, from a seed: who is killed when, for how long it stays down, which link is cut
how, and whether a process that is started anew is armed to end itself at a point of its own code.
Meanwhile an operator answers an alert now and then.
"""

import heapq
import itertools
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from central.answering.answers import Answer, UnknownAlert
from central.store.store import StoreFault
from scanner.alert import AnswerOutcome
from tests.delivery.chaos_lives import DEVICE_POINTS, RECEIVER_POINTS, Armed
from tests.delivery.chaos_site import Life, Site
from tests.delivery.chaos_wire import Cut

VICTIMS = {"device": 45, "receiver": 35, "broker": 20}
"""Who is struck, by weight."""
ARMED, TOGETHER = 0.5, 0.2
"""How often a process that starts anew is armed, and a blow hits one more victim at once."""
LONGEST_COUNT = {"device": 40, "receiver": 12}
LONGEST_DOWN_S = 1.0
CUT_S = (0.2, 4.0)
_TURN_S = 0.01
_LATE = 30


class Wrong(Exception):
    """What must not be; the message says what."""


@dataclass
class Rhythm:
    """Mean seconds between two blows, two cuts and two answers, and who is struck."""

    blow_s: float = 1.0
    cut_s: float = 2.0
    answer_s: float = 0.5
    victims: tuple[str, ...] = tuple(VICTIMS)


class Blows:
    """Strikes a site until as many have been killed as are wanted. `sums` counts each kill by its
    victim and its moment, and each cut."""

    def __init__(self, site: Site, rng: random.Random, rhythm: Rhythm) -> None:
        self._site, self._rng, self._rhythm = site, rng, rhythm
        self._ahead: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._down: set[str] = set()
        self.sums: Counter[str] = Counter()
        self.answered: set[str] = set()
        """The alerts that were answered."""

    @property
    def kills(self) -> int:
        return sum(count for what, count in self.sums.items() if what.startswith("killed"))

    def strike(self, kills: int) -> None:
        """Strikes until `kills` have been killed; some may still be down then. Raises Wrong where a
        process ended that nobody had killed."""
        self._in(self._rng.expovariate(1 / self._rhythm.blow_s), self._blow)
        self._in(self._rng.expovariate(1 / self._rhythm.cut_s), self._cut)
        self._in(self._rng.expovariate(1 / self._rhythm.answer_s), self._answer)
        while self.kills < kills:
            self._look_for_the_dead()
            while self._ahead and self._ahead[0][0] <= time.monotonic():
                heapq.heappop(self._ahead)[2]()
            time.sleep(_TURN_S)

    def mend(self) -> None:
        """Everything is up and whole again."""
        for wire in self._site.wires:
            wire.mend()
        if "broker" in self._down:
            self._site.broker.start()
        for life in self._site.lives:
            if life.name in self._down or life.armed:
                life.kill()
                life.start()
        self._down.clear()
        self._ahead.clear()

    def _in(self, after_s: float, what: Callable[[], None]) -> None:
        heapq.heappush(self._ahead, (time.monotonic() + after_s, next(self._order), what))

    def _blow(self) -> None:
        self._strike_one()
        while self._rng.random() < TOGETHER:
            self._strike_one()
        self._in(self._rng.expovariate(1 / self._rhythm.blow_s), self._blow)

    def _strike_one(self) -> None:
        victims = self._rhythm.victims
        kind = self._rng.choices(victims, [VICTIMS[victim] for victim in victims])[0]
        if kind == "broker":
            if "broker" not in self._down:
                self._site.broker.kill()
                self._lie_down("broker", "broker at any moment", self._site.broker.start)
            return
        up = [one for one in self._lives(kind) if one.name not in self._down]
        if up:
            struck = self._rng.choice(up)
            struck.kill()
            self._lie_down(struck.name, f"{kind} at any moment", lambda: self._raise(struck))

    def _look_for_the_dead(self) -> None:
        for life in self._site.lives:
            if life.name in self._down or life.alive:
                continue
            if life.exit_code != -signal.SIGKILL or life.armed is None:
                raise Wrong(f"{life.name} ended by itself, with {life.exit_code}")
            moment = f"{life.kind} {life.armed.point}"
            self._lie_down(life.name, moment, lambda life=life: self._raise(life))  # type: ignore[misc]

    def _lie_down(self, name: str, moment: str, up_again: Callable[[], None]) -> None:
        self.sums[f"killed: {moment}"] += 1
        self._down.add(name)

        def rise() -> None:
            self._down.discard(name)
            up_again()

        self._in(self._rng.uniform(0, LONGEST_DOWN_S), rise)

    def _raise(self, life: Life) -> None:
        armed = None
        if self._rng.random() < ARMED:
            points = DEVICE_POINTS if life.kind == "device" else RECEIVER_POINTS
            nth = self._rng.randint(1, LONGEST_COUNT[life.kind])
            armed = Armed(self._rng.choice([*points]), nth)
        life.start(armed)

    def _cut(self) -> None:
        wire = self._rng.choice(self._site.wires)
        how = self._rng.choice([*Cut])
        wire.cut(how)
        self.sums[f"cut: {how}"] += 1
        self._in(self._rng.uniform(*CUT_S), wire.mend)
        self._in(self._rng.expovariate(1 / self._rhythm.cut_s), self._cut)

    def _answer(self) -> None:
        """Answers a late alert of some device, unless it has not come or is answered."""
        ledger = self._site.ledgers()[self._rng.choice(self._site.desks).name]
        alert = self._rng.choice(ledger[-_LATE:])
        now = datetime.now(UTC)
        confirmed = AnswerOutcome.CONFIRMED
        answer = Answer(alert, confirmed, "Hold it.", now + timedelta(hours=1), "chaos")
        if alert not in self.answered:
            with suppress(UnknownAlert, StoreFault):
                self._site.office.store.answer(answer, now)
                self.answered.add(alert)
        self._in(self._rng.expovariate(1 / self._rhythm.answer_s), self._answer)

    def _lives(self, kind: str) -> list[Life]:
        return [life for life in self._site.lives if life.kind == kind]
