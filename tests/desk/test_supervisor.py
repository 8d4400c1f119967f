"""Parts that die are started again; one that keeps dying takes the daemon down."""

import logging
import threading
import time
from threading import Event

import pytest

from firmware.supervisor import RESTARTS, GaveUp, Part, Supervisor


def _watch_until(supervisor: Supervisor, done: Event, within_s: float = 5.0) -> None:
    deadline = time.monotonic() + within_s
    while not done.is_set() and time.monotonic() < deadline:
        supervisor.watch()
        time.sleep(0.005)


def test_parts_start_in_order_and_stop_in_reverse() -> None:
    told: list[str] = []

    def part(name: str) -> Part:
        def run(stop: Event) -> None:
            told.append(f"{name} runs")
            stop.wait()
            told.append(f"{name} stops")

        return Part(name, run)

    supervisor = Supervisor([part("clock"), part("desk"), part("source")])
    supervisor.start()
    time.sleep(0.1)
    supervisor.stop()
    assert told[:3] == ["clock runs", "desk runs", "source runs"]
    assert told[3:] == ["source stops", "desk stops", "clock stops"]


def test_a_part_that_dies_is_started_again() -> None:
    lives: list[int] = []
    second = Event()

    def run(stop: Event) -> None:
        lives.append(1)
        if len(lives) == 1:
            raise RuntimeError("the first life")
        second.set()
        stop.wait()

    supervisor = Supervisor([Part("uplink", run)], pause_s=0.01)
    supervisor.start()
    _watch_until(supervisor, second)
    supervisor.stop()
    assert len(lives) == 2


def test_a_part_that_ends_without_being_asked_is_started_again_too() -> None:
    lives: list[int] = []
    second = Event()

    def run(stop: Event) -> None:
        lives.append(1)
        if len(lives) > 1:
            second.set()
            stop.wait()

    supervisor = Supervisor([Part("desk", run)], pause_s=0.01)
    supervisor.start()
    _watch_until(supervisor, second)
    supervisor.stop()
    assert second.is_set()


def test_a_part_that_keeps_dying_takes_the_daemon_down_by_name() -> None:
    lives: list[int] = []

    def run(stop: Event) -> None:
        lives.append(1)
        raise RuntimeError

    supervisor = Supervisor([Part("desk", run)], pause_s=0.001)
    supervisor.start()
    with pytest.raises(GaveUp, match="desk died"):
        _watch_until(supervisor, Event(), within_s=10)
    supervisor.stop()
    assert len(lives) == RESTARTS + 1


def test_a_replay_that_is_through_is_left_in_peace() -> None:
    supervisor = Supervisor([Part("replay", lambda stop: None, may_end=True)], pause_s=0.001)
    supervisor.start()
    time.sleep(0.05)
    for _ in range(50):
        supervisor.watch()
    assert supervisor.ended("replay")
    supervisor.stop()


def test_what_a_dying_part_had_in_hand_stays_out_of_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    died = Event()

    def run(stop: Event) -> None:
        try:
            raise ValueError("L898902C3 ERIKSSON")
        finally:
            died.set()

    with caplog.at_level(logging.DEBUG):
        supervisor = Supervisor([Part("desk", run)])
        supervisor.start()
        died.wait(5)
        time.sleep(0.05)
        supervisor.watch()
        supervisor.stop()
    assert "ValueError" in caplog.text
    assert "L898902C3" not in caplog.text
    assert "ERIKSSON" not in caplog.text


def test_no_thread_is_left_behind() -> None:
    before = threading.active_count()
    supervisor = Supervisor([Part("a", lambda stop: stop.wait() and None)])
    supervisor.start()
    supervisor.stop()
    assert threading.active_count() == before
