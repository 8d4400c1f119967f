"""Lamps on gpiozero's own mock pins, chosen openly."""

import logging
from collections.abc import Iterator
from contextlib import closing

import pytest
from gpiozero import Device
from gpiozero.pins.mock import MockFactory

from firmware.panel import (
    DARK,
    FAULT,
    PATTERNS,
    READY,
    LampPanel,
    Light,
    NoPanel,
    open_panel,
)
from firmware.pins import MOCK_STATES, Pins, PinsUnavailable, open_pins
from firmware.settings import PanelSettings
from scanner.verdict import Outcome
from tests.delivery.both_ends import wait_for


@pytest.fixture
def pins() -> Iterator[Pins]:
    opened = open_pins(PanelSettings(pins="mock"))
    assert opened is not None
    with closing(opened):
        yield opened


def _panel(pins: Pins, **settings: int) -> LampPanel:
    opened = open_panel(PanelSettings(pins="mock", **settings), pins)
    assert isinstance(opened, LampPanel)
    return opened


def _levels(panel: LampPanel) -> tuple[bool, ...]:
    return tuple(bool(lamp.value) for lamp in panel.lamps)


def test_every_outcome_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Outcome)


def test_only_a_clear_document_lights_the_go_lamp() -> None:
    lit = {outcome for outcome, (_, go, _) in PATTERNS.items() if go is not Light.OFF}
    assert lit == {Outcome.CLEAR}
    assert READY[1] is FAULT[1] is Light.OFF


def test_a_hit_looks_no_different_from_a_document_to_look_at_more_closely() -> None:
    assert PATTERNS[Outcome.HIT] == PATTERNS[Outcome.POSSIBLE] == PATTERNS[Outcome.LOOK_CLOSER]


def test_the_lamps_follow_the_pattern_and_none_blinks(pins: Pins) -> None:
    panel = _panel(pins)
    for pattern in (*PATTERNS.values(), READY, FAULT, DARK):
        panel.show(pattern)
        assert _levels(panel) == tuple(light is Light.ON for light in pattern)
        before = [len(lamp.pin.states) for lamp in panel.lamps]
        panel.show(pattern)
        assert [len(lamp.pin.states) for lamp in panel.lamps] == before
    panel.close()


def test_closing_lets_go_of_the_pins(pins: Pins) -> None:
    _panel(pins).close()
    _panel(pins).close()


def test_the_buzzer_is_off_unless_it_is_configured(pins: Pins) -> None:
    panel = _panel(pins)
    assert panel.buzzer is None
    panel.close()
    with_buzzer = _panel(pins, buzzer=5)
    assert with_buzzer.buzzer is not None
    with_buzzer.close()


def test_the_buzzer_ticks_once_at_each_verdict_and_the_same_for_all(pins: Pins) -> None:
    panel = _panel(pins, buzzer=5)
    assert panel.buzzer is not None
    ticks = panel.buzzer.pin.states
    panel.show(READY)
    for n, pattern in enumerate(PATTERNS.values(), start=1):
        panel.show(DARK)
        panel.show(pattern)
        wait_for(lambda n=n: len(ticks) == 2 * n + 1)
        panel.show(READY)
    panel.close()


def test_a_machine_without_pins_says_so_and_does_not_fall_back() -> None:
    with pytest.raises(PinsUnavailable, match=r'no GPIO pins.*pins = "none"'):
        open_pins(PanelSettings(pins="gpio"))


def test_a_pin_that_is_taken_is_one_line_with_its_name_and_the_others_are_let_go(
    pins: Pins,
) -> None:
    from gpiozero import LED

    holder = LED(22, pin_factory=pins.factory)
    with pytest.raises(PinsUnavailable, match=r"^panel: pin 22 for lamp_attend .*free it") as told:
        _panel(pins)
    assert "\n" not in str(told.value)
    holder.close()
    _panel(pins).close()


def test_a_desk_without_lamps_says_so(caplog: pytest.LogCaptureFixture) -> None:
    settings = PanelSettings(pins="none")
    with caplog.at_level(logging.INFO):
        assert isinstance(open_panel(settings, open_pins(settings)), NoPanel)
    assert "no lamps are configured" in caplog.text


def test_mock_pins_do_not_grow_with_every_document(pins: Pins) -> None:
    panel = _panel(pins)
    for _ in range(MOCK_STATES):
        panel.show(DARK)
        panel.show(READY)
    assert max(len(lamp.pin.states) for lamp in panel.lamps) == MOCK_STATES
    panel.close()


def test_mock_pins_are_this_panel_s_alone(pins: Pins) -> None:
    before = Device.pin_factory
    _panel(pins).close()
    assert Device.pin_factory is before
    assert not isinstance(before, MockFactory)
