"""Lamps on gpiozero's own mock pins, chosen openly."""

import logging

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
    PanelUnavailable,
    open_panel,
)
from firmware.settings import PanelSettings
from scanner.verdict import Outcome


def _levels(panel: LampPanel) -> tuple[bool, ...]:
    return tuple(bool(lamp.value) for lamp in panel.lamps)


@pytest.fixture
def panel() -> LampPanel:
    opened = open_panel(PanelSettings(pins="mock"))
    assert isinstance(opened, LampPanel)
    return opened


def test_every_outcome_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Outcome)


def test_only_a_clear_document_lights_the_go_lamp() -> None:
    lit = {outcome for outcome, (_, go, _) in PATTERNS.items() if go is not Light.OFF}
    assert lit == {Outcome.CLEAR}
    assert READY[1] is FAULT[1] is Light.OFF


def test_a_hit_looks_no_different_from_a_document_to_look_at_more_closely() -> None:
    assert PATTERNS[Outcome.HIT] == PATTERNS[Outcome.POSSIBLE] == PATTERNS[Outcome.LOOK_CLOSER]


def test_the_lamps_follow_the_pattern(panel: LampPanel) -> None:
    panel.show(PATTERNS[Outcome.CLEAR])
    assert _levels(panel) == (False, True, False)
    panel.show(PATTERNS[Outcome.HIT])
    assert _levels(panel) == (False, False, True)
    panel.show(DARK)
    assert _levels(panel) == (False, False, False)
    panel.close()


def test_closing_lets_go_of_the_pins() -> None:
    settings = PanelSettings(pins="mock")
    open_panel(settings).close()
    open_panel(settings).close()


def test_the_buzzer_is_off_unless_it_is_configured(panel: LampPanel) -> None:
    assert panel.buzzer is None
    panel.close()
    with_buzzer = open_panel(PanelSettings(pins="mock", buzzer=5))
    assert isinstance(with_buzzer, LampPanel)
    assert with_buzzer.buzzer is not None
    with_buzzer.close()


def test_a_machine_without_pins_says_so_and_does_not_fall_back() -> None:
    with pytest.raises(PanelUnavailable, match=r'no GPIO pins.*pins = "none"'):
        open_panel(PanelSettings(pins="gpio"))


def test_a_desk_without_lamps_says_so(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert isinstance(open_panel(PanelSettings(pins="none")), NoPanel)
    assert "no lamps are configured" in caplog.text


def test_mock_pins_are_this_panel_s_alone() -> None:
    before = Device.pin_factory
    open_panel(PanelSettings(pins="mock")).close()
    assert Device.pin_factory is before
    assert not isinstance(before, MockFactory)
