"""What is on its way stays bounded, is tried again at growing pauses, and goes at once when central
is back: whatever the broker and central do."""

import random
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.delivery.window import JUST_SENT_S, QUIET_S, YIELDS_AFTER, Window

SIZE, LAGGARDS, FIRST_S, LONGEST_S = 4, 10, 2.0, 60.0


@dataclass
class Central:
    """Central as the device sees it: while it is there it acknowledges what it is sent, but for
    what it keeps refusing."""

    refuses: set[int] = field(default_factory=set)
    there: bool = True


@dataclass
class Device:
    """An outbox of `count` messages and the window over it, on a clock of its own."""

    count: int
    window: Window = field(
        default_factory=lambda: Window(SIZE, LAGGARDS, first_s=FIRST_S, longest_s=LONGEST_S)
    )
    now: float = 1000.0
    published_to: int = 0
    done: set[int] = field(default_factory=set)
    sent: list[tuple[float, int]] = field(default_factory=list)

    def turn(self, central: Central, loses: random.Random, loss: float) -> None:
        """What the uplink does each time round: what is due, what is new, what is acknowledged."""
        due = self.window.due(self.now)
        new = range(
            self.published_to + 1, min(self.published_to + self.window.room, self.count) + 1
        )
        for n in (*due, *new):
            self.window.sent(n, self.now)
            self.sent.append((self.now, n))
        self.published_to = max([self.published_to, *new])
        young = sum(1 for one in self.window._tries.values() if one.tries < YIELDS_AFTER)
        assert young <= SIZE
        assert len(self.window._tries) <= SIZE + LAGGARDS
        if central.there:
            arrived = {n for n in (*due, *new) if loses.random() >= loss} - central.refuses
            if arrived:
                self.window.done(arrived, self.now)
                self.done |= arrived

    def run(self, seconds: float, central: Central, loses: random.Random, loss: float) -> None:
        end = self.now + seconds
        while self.now < end and len(self.done) < self.count:
            before = len(self.sent)
            self.turn(central, loses, loss)
            quiet = len(self.sent) == before
            self.now += max(0.05, self.window.until_due(self.now)) if quiet else 0.05


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.7),
    refused=st.sets(st.integers(1, 60), max_size=LAGGARDS - 1),
    away_s=st.floats(0, 4 * 3600),
)
def test_everything_but_what_central_refuses_is_delivered_whatever_is_lost_on_the_way(
    seed: int, loss: float, refused: set[int], away_s: float
) -> None:
    device, dice = Device(60), random.Random(seed)  # noqa: S311
    device.run(min(away_s, 200.0), Central(there=False), dice, loss)
    device.now += away_s
    device.run(3600.0, Central(refused), dice, loss)
    assert device.done == set(range(1, 61)) - refused


@settings(max_examples=30, deadline=None)
@given(away_s=st.floats(30, 24 * 3600), seed=st.integers(0, 2**32))
def test_a_central_that_was_away_for_hours_gets_everything_as_soon_as_it_is_heard_of(
    away_s: float, seed: int
) -> None:
    device, dice = Device(40), random.Random(seed)  # noqa: S311
    device.run(600.0, Central(there=False), dice, 0.0)
    device.now += away_s
    began = device.now
    device.window.heard(device.now)
    device.run(60.0, Central(), dice, 0.0)
    assert device.done == set(range(1, 41))
    assert device.now - began < 5.0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_broker_that_takes_everything_and_forgets_it_is_not_flooded(seed: int) -> None:
    random.seed(seed)
    device = Device(1)
    device.run(3600.0, Central(there=False), random.Random(seed), 0.0)  # noqa: S311
    assert len(device.sent) <= 5 + 3600 / (0.8 * LONGEST_S)
    times = [at for at, _ in device.sent]
    pauses = [after - before for before, after in pairwise(times)]
    middle = FIRST_S
    for pause in pauses:
        assert 0.8 * middle <= pause <= 1.2 * middle + 0.3
        middle = min(LONGEST_S, 2 * middle)


def test_the_pauses_of_a_fleet_differ() -> None:
    pauses = set()
    for _ in range(50):
        window = Window(first_s=FIRST_S)
        window.sent(1, 0.0)
        pauses.add(round(window.until_due(0.0), 3))
    assert len(pauses) > 25


def test_what_has_only_just_gone_is_not_sent_twice_when_central_is_first_heard() -> None:
    window = Window(first_s=FIRST_S)
    window.sent(1, 100.0)
    window.sent(2, 100.0)
    window.done([1], 100.0 + JUST_SENT_S / 2)
    assert window.due(100.0 + JUST_SENT_S / 2) == []


def test_after_a_silence_what_had_given_up_its_place_goes_at_once_and_holds_up_no_other() -> None:
    window = Window(size=2, first_s=FIRST_S, longest_s=3600.0)
    now = 0.0
    for _ in range(12):
        window.sent(1, now)
        now += window.until_due(now)
    window.sent(1, now)
    assert window.until_due(now) > 2000
    now += QUIET_S + 1
    window.heard(now)
    assert window.due(now) == [1]
    assert window.room == 2
    window.sent(1, now)
    assert window.until_due(now) < 1.3 * FIRST_S * 2**YIELDS_AFTER
