"""Buttons on gpiozero's mock pins: one press is one act, however the contact bounces."""

import logging
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from central.enrolment.authority import Authority
from firmware.box import Box
from firmware.buttons import Buttons, open_buttons
from firmware.panel import LampPanel
from firmware.pins import Pins, PinsUnavailable, open_pins
from firmware.settings import PanelSettings, Settings
from firmware.sources import read_now
from scanner.sources.camera import Camera, V4l2Stream
from scanner.sources.replay import Replay
from scanner.sources.serial_port import SerialScanner
from tests.delivery.broker import free_port

TRIGGER, FOOT, PRIVACY = 23, 24, 25


class _Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class _Bench:
    """A header with buttons on it, fingers and time in the test's hands."""

    def __init__(self, pins: Pins, **settings: Any) -> None:
        self.pins = pins
        self.clock = _Clock()
        self.read = self.blanked = 0
        panel = PanelSettings(
            pins="mock", trigger=TRIGGER, foot_switch=FOOT, privacy=PRIVACY, **settings
        )
        acts = {"trigger": self._read, "foot_switch": self._read, "privacy": self._blank}
        self.buttons = Buttons(panel, pins, acts, self.clock)

    def _read(self) -> None:
        self.read += 1

    def _blank(self) -> None:
        self.blanked += 1

    def moves(self, pin: int, *after_ms: float) -> None:
        """The contact closes and opens in turn, each time after so many milliseconds."""
        for n, pause in enumerate(after_ms):
            self.clock.now += pause / 1000
            contact = self.pins.factory.pin(pin)
            contact.drive_low() if n % 2 == 0 else contact.drive_high()


@pytest.fixture
def pins() -> Iterator[Pins]:
    opened = open_pins(PanelSettings(pins="mock"))
    assert opened is not None
    with closing(opened):
        yield opened


@pytest.mark.parametrize(
    ("pin", "read", "blanked"), [(TRIGGER, 1, 0), (FOOT, 1, 0), (PRIVACY, 0, 1)]
)
def test_each_button_does_its_own(pins: Pins, pin: int, read: int, blanked: int) -> None:
    bench = _Bench(pins)
    bench.moves(pin, 0, 120)
    assert (bench.read, bench.blanked) == (read, blanked)


def test_a_contact_that_bounces_when_it_closes_and_when_it_opens_is_one_press(pins: Pins) -> None:
    bench = _Bench(pins)
    bench.moves(PRIVACY, 0, 2, 1, 3, 2, 400, 1, 2, 1, 3)
    assert bench.blanked == 1
    bench.moves(PRIVACY, 400, 200)
    assert bench.blanked == 2


def test_how_long_a_contact_may_bounce_is_configured(pins: Pins) -> None:
    bench = _Bench(pins, debounce_ms=5)
    bench.moves(FOOT, 0, 20, 20, 20)
    assert bench.read == 2


def test_a_press_that_fails_ends_nothing_and_quotes_nothing(
    pins: Pins, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise RuntimeError("P<UTOERIKSSON")

    settings = PanelSettings(pins="mock", trigger=TRIGGER)
    with closing(Buttons(settings, pins, {"trigger": fail})), caplog.at_level(logging.ERROR):
        pins.factory.pin(TRIGGER).drive_low()
    assert "RuntimeError" in caplog.text
    assert "ERIKSSON" not in caplog.text


def test_a_pin_that_a_lamp_holds_is_said(pins: Pins) -> None:
    from gpiozero import LED

    with (
        LED(TRIGGER, pin_factory=pins.factory),
        pytest.raises(PinsUnavailable, match=r"^panel: pin 23 for trigger cannot be used"),
    ):
        _Bench(pins)
    _Bench(pins).buttons.close()


def test_closed_buttons_do_nothing_more(pins: Pins) -> None:
    bench = _Bench(pins)
    bench.buttons.close()
    bench.moves(TRIGGER, 0, 100)
    assert bench.read == 0


def test_a_desk_without_buttons_has_none(pins: Pins) -> None:
    settings = PanelSettings(pins="mock")
    assert open_buttons(settings, pins, {}) is None


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (PanelSettings(trigger=TRIGGER), 'trigger cannot be had with pins = "none"'),
        (PanelSettings(pins="mock", privacy=PRIVACY), r"enabled = true under \[kiosk\]"),
    ],
)
def test_buttons_that_could_do_nothing_are_refused(settings: PanelSettings, told: str) -> None:
    with pytest.raises(PinsUnavailable, match=told):
        open_buttons(settings, open_pins(settings), {"trigger": lambda: None})


def test_a_button_on_a_lamp_s_pin_is_refused_with_the_settings() -> None:
    with pytest.raises(ValueError, match="lamp_ready and trigger are both on pin 17"):
        PanelSettings(pins="mock", trigger=17)


def test_a_trigger_asks_every_source_that_can_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    for kind in (Camera, SerialScanner):
        monkeypatch.setattr(kind, "trigger", lambda source: asked.append(source.name))
    camera = Camera("camera", V4l2Stream("/dev/none"))
    read_now([Replay([]), camera, SerialScanner("scanner", "/dev/none")])
    assert asked == ["camera", "scanner"]


def test_the_privacy_button_of_a_whole_desk_blanks_its_page_and_shows_it_again(
    tmp_path: Path,
) -> None:
    Authority(tmp_path / "keys").enrol("desk-1", tmp_path / "identity")
    settings = Settings.model_validate(
        {
            "device": {"name": "desk-1", "site": "Utopia North", "data": str(tmp_path / "data")},
            "sources": [{"kind": "serial", "name": "scanner", "port": "/dev/none"}],
            "lists": {"folder": str(tmp_path / "lists"), "use": [{"name": "sltd"}]},
            "identity": {"folder": str(tmp_path / "identity")},
            "broker": {"tls": False},
            "kiosk": {"enabled": True, "port": free_port()},
            "panel": {"pins": "mock", "privacy": PRIVACY},
        }
    )
    box = Box(settings)
    try:
        assert isinstance(box.panel, LampPanel)
        contact = box.panel.lamps[0].pin_factory.pin(PRIVACY)
        contact.drive_low()
        assert box.display.seen.blank
        contact.drive_high()
        time.sleep(settings.panel.debounce_ms / 1000)
        contact.drive_low()
        assert not box.display.seen.blank
    finally:
        box.stop()
