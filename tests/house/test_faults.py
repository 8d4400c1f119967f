"""The page of faults names every fault that a desk can tell of, and the page of wiring the pins."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from firmware.settings import PanelSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "faults.md").read_text()
CHECKS = sorted((ROOT / "firmware" / "doctor" / "checks").glob("*.py"))
TELLING = (
    *("scanner/sources/camera.py", "scanner/sources/serial_port.py", "scanner/sources/streams.py"),
    *("scanner/examine.py", "scanner/verdict.py", "firmware/database.py", "firmware/desk.py"),
    *("firmware/wellbeing.py", "firmware/identity/renewal.py", "firmware/officers/duty.py"),
    *(f"firmware/updates/{name}.py" for name in ("bring", "download", "targets", "trust")),
    *("firmware/delivery/link.py", "firmware/doctor/course.py", "firmware/lists/updater.py"),
    *(
        f"scanner/watchlist/{name}.py"
        for name in ("age", "canaries", "contract", "keyring", "lists", "manifest", "slot")
    ),
)
"""The modules that say what is at fault. How exactly a list's file is damaged, which follows "a
part of it is damaged", stands nowhere: what to do about it is always the same."""
NO_FAULT = {
    "link up since …, queued alerts: …",
    "report this",
    "the firmware tells no temperature",
}
PIN_ON_HEADER = {17: 11, 27: 13, 22: 15, 5: 29, 23: 16, 24: 18, 25: 22}
"""BCM numbers and the places on the Pi's header."""


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def _said(node: ast.AST) -> Iterator[str]:
    """The sentences within `node`, with … for what each names."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and _name(call) == "said":
            first = call.args[0]
            if isinstance(first, ast.Constant):
                yield re.sub(r"\{\w+\}", "…", str(first.value))


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _found(tree: ast.Module) -> Iterator[str]:
    """The lines of what a check of the doctor finds not to be well."""
    assigned: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    assigned.setdefault(target.id, []).extend(_said(node.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node) in ("fail", "warn"):
            line = node.args[0]
            yield from assigned.get(line.id, ()) if isinstance(line, ast.Name) else _said(line)


def _is_sentence(text: str) -> bool:
    return " " in re.sub(r"[^a-z ]", "", text).strip()


@pytest.mark.parametrize("check", CHECKS, ids=lambda path: path.stem)
def test_the_page_names_every_line_of_the_doctor_that_is_not_well(check: Path) -> None:
    lines = {line for line in _found(_tree(check)) if _is_sentence(line)} - NO_FAULT
    assert sorted(line for line in lines if line not in PAGE) == []


@pytest.mark.parametrize("module", TELLING)
def test_the_page_names_every_fault_that_a_part_of_the_desk_can_tell_of(module: str) -> None:
    said = set(_said(_tree(ROOT / module))) - NO_FAULT
    if module == "scanner/verdict.py":
        said = {sentence for sentence in said if sentence.startswith("Not checked")}
    assert said
    assert sorted(one for one in said if _is_sentence(one) and one not in PAGE) == []


def test_the_page_of_wiring_is_that_of_the_shipped_pins() -> None:
    settings = PanelSettings()
    page = (ROOT / "docs" / "install.md").read_text()
    shipped = (ROOT / "config" / "borderpost.toml").read_text()
    lamps = (settings.lamp_ready, settings.lamp_go, settings.lamp_attend)
    pins = [str(PIN_ON_HEADER[pin]) for pin in lamps]
    assert f"LEDs from pins {pins[0]}, {pins[1]} and {pins[2]} by" in page
    others = dict(re.findall(r"^# (buzzer|trigger|foot_switch|privacy) = (\d+)$", shipped, re.M))
    assert f"buzzer from pin {PIN_ON_HEADER[int(others['buzzer'])]}" in page
    buttons = [PIN_ON_HEADER[int(others[n])] for n in ("trigger", "foot_switch", "privacy")]
    assert f"buttons from pins {buttons[0]}, {buttons[1]} and {buttons[2]}" in page
    drawn = (ROOT / "docs" / "wiring.svg").read_text()
    assert all(f"GPIO {pin}" in drawn for pin in (*lamps, *map(int, others.values())))
    for name, pin in others.items():
        assert f"`{name} = {pin}`" in page
